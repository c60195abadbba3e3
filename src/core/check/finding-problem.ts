// Checks of one's own may be plain JavaScript, whose types nobody looked at.
import { checkCodes } from "./codes.ts";
import type { FindingSubject } from "./finding.ts";

const levels: readonly unknown[] = ["error", "warning", "note"];
const areas: readonly unknown[] = [...new Set(Object.values(checkCodes).map(({ area }) => area))];

/** Why a value is no `Finding`; `null` when it is one. */
export function findingProblem(value: unknown): string | null {
  if (!isObject(value)) return "it is no object";
  const text = ["code", "message", "why", "fix"].find((name) => !isText(value[name]));
  if (text !== undefined) return `its ${text} is no text`;
  if (!levels.includes(value.level)) return `its level is none of ${levels.join(", ")}`;
  if (!areas.includes(value.area)) return `its area is none of ${areas.join(", ")}`;
  return subjectProblem(value.about) ?? placeProblem(value.where);
}

type Kind = FindingSubject["kind"];
/** What may stand beside a kind: whether it is of the right form. */
const kinds: { readonly [Each in Kind]: (about: Members) => boolean } = {
  agent: () => true,
  model: () => true,
  people: () => true,
  gate: hasText,
  window: hasText,
  limits: hasText,
  prompt: ({ line }) => line === undefined || isLine(line),
  tool: ({ name }) => isText(name),
};

function subjectProblem(about: unknown): string | null {
  if (about === undefined) return null;
  if (!isObject(about)) return "its about is no object";
  const { kind } = about;
  if (typeof kind !== "string" || !Object.hasOwn(kinds, kind))
    return `its about.kind is none of ${Object.keys(kinds).join(", ")}`;
  return kinds[kind as Kind](about) ? null : `its about, of kind ${kind}, is not of the form it must have`; // hasOwn
}

function placeProblem(where: unknown): string | null {
  if (where === undefined) return null;
  if (!isObject(where)) return "its where is no object";
  if (!isText(where.file)) return "its where.file is no text";
  return isLine(where.line) ? null : "its where.line is no whole number from 1";
}

type Members = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null;
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isLine(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}

function hasText({ text }: Members): boolean {
  return text === undefined || typeof text === "string";
}
