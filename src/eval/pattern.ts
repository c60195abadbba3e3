// Partial matching of JSON, with a few operators. Both what a pattern may be and what it means are here.
import { canonicalJson, type Json } from "../core/json.ts";
import { nearest } from "../core/nearest.ts";
import { fitsRegex } from "./regex.ts";
import type { Pattern } from "./suite.ts";

type Members = { readonly [name: string]: Json };

/** What an operator says of a value: `null` that it fits, else why not, to stand after the path. */
type Operator = (operand: Json, value: Json | undefined) => string | null;

const operators: { readonly [name: string]: Operator } = {
  $matches: (operand, value) =>
    fitsRegex(String(operand), textOf(value)) ? null : `does not match /${String(operand)}/`,
  $contains: (operand, value) =>
    containsValue(operand, value) ? null : `does not contain ${shown(operand)}`,
  $gt: compared("is not over", (value, operand) => value > operand),
  $gte: compared("is under", (value, operand) => value >= operand),
  $lt: compared("is not under", (value, operand) => value < operand),
  $lte: compared("is over", (value, operand) => value <= operand),
  $oneOf: (operand, value) =>
    listOf(operand).some((each) => mismatch(each, value) === null) ? null : `is none of ${shown(operand)}`,
  $not: (operand, value) =>
    mismatch(operand, value) === null ? `is ${shown(value)}, which it must not` : null,
  $exists: (operand, value) =>
    (value !== undefined) === operand ? null : value === undefined ? "is missing" : "is there",
};

/** `null` when the value fits the pattern, else why it does not, with the place. */
export function mismatch(pattern: Pattern, value: Json | undefined, path = "$"): string | null {
  if (isOperators(pattern)) return operatorMismatch(pattern, value, path);
  if (value === undefined) return `${path} is missing`;
  if (Array.isArray(pattern)) return listMismatch(pattern, value, path);
  if (isMembers(pattern)) return memberMismatch(pattern, value, path);
  return canonicalJson(pattern) === canonicalJson(value)
    ? null
    : `${path} is ${shown(value)}, not ${shown(pattern)}`;
}

export function matches(pattern: Pattern | undefined, value: Json | undefined): boolean {
  return pattern === undefined || mismatch(pattern, value) === null;
}

function operatorMismatch(pattern: Members, value: Json | undefined, path: string): string | null {
  for (const [name, operand] of Object.entries(pattern)) {
    const why = operators[name]?.(operand, value);
    if (why) return `${path} ${why}${value === undefined || name === "$not" ? "" : `: ${shown(value)}`}`;
  }
  return null;
}

function listMismatch(pattern: readonly Json[], value: Json, path: string): string | null {
  if (!Array.isArray(value)) return `${path} is ${shown(value)}, not a list`;
  if (value.length !== pattern.length) return `${path} has ${value.length} elements, not ${pattern.length}`;
  return first(pattern, (each, index) => mismatch(each, value[index], `${path}[${index}]`));
}

function memberMismatch(pattern: Members, value: Json, path: string): string | null {
  if (!isMembers(value)) return `${path} is ${shown(value)}, not an object`;
  return first(Object.entries(pattern), ([name, each]) =>
    mismatch(each, Object.hasOwn(value, name) ? value[name] : undefined, `${path}.${name}`),
  );
}

function first<T>(items: readonly T[], of: (item: T, index: number) => string | null): string | null {
  for (const [index, item] of items.entries()) {
    const why = of(item, index);
    if (why !== null) return why;
  }
  return null;
}

function containsValue(operand: Json, value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some((each) => mismatch(operand, each) === null);
  return typeof operand === "string" && textOf(value).includes(operand);
}

function compared(why: string, holds: (value: number, operand: number) => boolean): Operator {
  return (operand, value) =>
    typeof value === "number" && typeof operand === "number" && holds(value, operand)
      ? null
      : `${why} ${shown(operand)}`;
}

/** Text itself; anything else as JSON. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}

/** A value on one line, cut where nobody reads on. */
export function shown(value: Json | undefined): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}

function listOf(operand: Json): readonly Json[] {
  return Array.isArray(operand) ? operand : [operand];
}

function isMembers(value: Json): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOperators(value: Json): value is Members {
  return isMembers(value) && Object.keys(value).some((name) => name.startsWith("$"));
}

/** What is wrong with a pattern; the path leads to it from the pattern. */
export interface PatternProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly fix: string;
}

/** Patterns that could never mean what their author meant. */
export function patternProblems(
  pattern: Pattern,
  path: PatternProblem["path"] = [],
): readonly PatternProblem[] {
  if (Array.isArray(pattern))
    return pattern.flatMap((each, index) => patternProblems(each, [...path, index]));
  if (!isMembers(pattern)) return [];
  return Object.entries(pattern).flatMap(([name, operand]) => {
    const at = [...path, name];
    if (!isOperators(pattern)) return patternProblems(operand, at);
    const problem = operatorProblem(name, operand);
    return problem ? [{ path: at, ...problem }] : innerProblems(name, operand, at);
  });
}

function innerProblems(name: string, operand: Json, path: PatternProblem["path"]): readonly PatternProblem[] {
  return name === "$not" || name === "$oneOf" || name === "$contains" ? patternProblems(operand, path) : [];
}

function operatorProblem(name: string, operand: Json): Omit<PatternProblem, "path"> | null {
  if (!Object.hasOwn(operators, name)) {
    const known = Object.keys(operators);
    const [near] = nearest(name, known);
    const fix = `${near ? `Did you mean ${near}? ` : ""}There are: ${known.join(", ")}.`;
    return { message: `there is no operator ${JSON.stringify(name)}`, fix };
  }
  if (name === "$matches") {
    const why = regexProblem(operand);
    return why === null ? null : { message: `$matches ${why}`, fix: "Write a regular expression in quotes." };
  }
  if (/^\$[gl]te?$/.test(name) && typeof operand !== "number")
    return { message: `${name} is given no number`, fix: "Write a number." };
  if (name === "$oneOf" && !Array.isArray(operand))
    return { message: "$oneOf is given no list", fix: "Write a list of patterns." };
  if (name === "$exists" && typeof operand !== "boolean")
    return { message: "$exists is neither true nor false", fix: "Write true or false." };
  return null;
}

/** Why this is no regular expression; `null` when it is one. */
function regexProblem(source: Json): string | null {
  if (typeof source !== "string") return "is no text";
  try {
    new RegExp(source, "u");
    return null;
  } catch (error) {
    return `is no regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}
