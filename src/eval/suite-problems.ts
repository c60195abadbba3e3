// What is wrong with a suite, with the path to the place; whoever knows the file turns paths into lines.
import type { z } from "zod";
import type { RequestKind, VerdictKind } from "../core/events.ts";
import { parsePath } from "../core/json-path.ts";
import { nearest } from "../core/nearest.ts";
import { jsonSchema } from "../json-schema.ts";
import { patternProblems } from "./pattern.ts";
import type {
  ActionExpectation,
  EvalCase,
  EvalSuite,
  Expectations,
  Never,
  Pattern,
  PersonRule,
} from "./suite.ts";
import { suiteSchema } from "./suite-schema.ts";

export type SuitePath = readonly (string | number)[];

export interface SuiteProblem {
  readonly path: SuitePath;
  readonly message: string;
  readonly fix: string;
}

/** A suite, or what keeps a value from being one. Agents are not looked at: see `agent-problems.ts`. */
export function readSuite(
  value: unknown,
):
  | { readonly suite: EvalSuite; readonly problems: readonly [] }
  | { readonly suite: null; readonly problems: readonly SuiteProblem[] } {
  const parsed = suiteSchema.safeParse(value);
  if (!parsed.success) return { suite: null, problems: parsed.error.issues.flatMap(issueProblems) };
  const suite = value as EvalSuite; // suiteSchema, which changes nothing
  const problems = [
    ...doubleNames(suite),
    ...partProblems(suite, []),
    ...suite.cases.flatMap((each, index) => caseProblems(each, suite, ["cases", index])),
  ];
  return problems.length === 0 ? { suite, problems: [] } : { suite: null, problems };
}

function issueProblems(issue: z.core.$ZodIssue): readonly SuiteProblem[] {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  const what = path.at(-1) ?? "the suite";
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownMember(key, path));
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String);
    return [
      { path, message: `${what} is none of those there are`, fix: `Write one of: ${values.join(", ")}.` },
    ];
  }
  if (issue.code === "custom" || !issue.message.startsWith("Invalid input"))
    return [{ path, message: `${what} ${issue.message}`, fix: fixFor(what) }];
  return [{ path, message: `${what}: ${issue.message.replace("Invalid input: ", "")}`, fix: fixFor(what) }];
}

/** What stands in each kind of object, by where it stands. */
const members: readonly (readonly [place: RegExp, names: string])[] = [
  [/^$/, "name agent setup model trials limits people never cases"],
  [/^cases \d+$/, "name agent input people inOrder seed clock limits expect never check"],
  [/limits$/, "time tokens"],
  [/people \d+$/, "kind tool args question times by say with value why"],
  [/never \d+$/, "tool args text withoutApproval proposed modelCalls windowTokens request"],
  [/actions \d+$/, "tool args times status before after"],
  [/times$/, "min max"],
  [/expect$/, "outcome accepted result paths schema matches error actions inOrder"],
];

function unknownMember(key: string, path: SuitePath): SuiteProblem {
  const known = members.find(([place]) => place.test(path.join(" ")))?.[1].split(" ") ?? [];
  const [near] = nearest(key, known);
  return {
    path: [...path, key],
    message: `unknown member ${JSON.stringify(key)}`,
    fix: `${near ? `Did you mean ${near}? ` : ""}There are: ${known.join(", ")}.`,
  };
}

const fixes: { readonly [member: string]: string } = {
  cases: "Write a list of cases, each with a name, an input and what to expect.",
  say: "Write what the person does, such as say: approve.",
  tool: "Write the name of a tool.",
  name: "Give it a name, on one line.",
};

function fixFor(what: string | number): string {
  return fixes[what] ?? "Correct it there; docs/eval.md has all members.";
}

function doubleNames({ cases }: EvalSuite): readonly SuiteProblem[] {
  return cases.flatMap(({ name }, index) =>
    cases.findIndex((other) => other.name === name) === index
      ? []
      : [
          {
            path: ["cases", index, "name"],
            message: `another case is called ${JSON.stringify(name)}`,
            fix: "Rename one: results, folders and comparisons go by the name.",
          },
        ],
  );
}

function caseProblems(each: EvalCase, suite: EvalSuite, path: SuitePath): readonly SuiteProblem[] {
  const agentless = each.agent === undefined && suite.agent === undefined;
  return [
    ...(agentless
      ? [
          {
            path: [...path, "name"],
            message: `case ${JSON.stringify(each.name)} names no agent`,
            fix: "Write agent: in the case, or once for the suite.",
          },
        ]
      : []),
    ...partProblems(each, path),
    ...(each.expect ? expectationProblems(each.expect, [...path, "expect"]) : []),
  ];
}

/** Of what a case and a suite have in common. */
function partProblems(
  { people = [], never = [] }: Pick<EvalSuite, "people" | "never">,
  path: SuitePath,
): readonly SuiteProblem[] {
  return [
    ...people.flatMap((rule, index) => personProblems(rule, [...path, "people", index])),
    ...never.flatMap((rule, index) => neverProblems(rule, [...path, "never", index])),
  ];
}

function personProblems(rule: PersonRule, path: SuitePath): readonly SuiteProblem[] {
  const needs = { answer: "value", edit: "with" }[rule.say as string];
  const missing = needs !== undefined && !Object.hasOwn(rule, needs);
  return [
    ...inPattern(rule.args, [...path, "args"]),
    ...unfitProblems(rule, path),
    ...(missing
      ? [
          {
            path: [...path, "say"],
            message: `say: ${rule.say} comes without ${needs}`,
            fix: `Write ${needs}: beside it.`,
          },
        ]
      : []),
  ];
}

/** What may be said to a request, by its kind and whether it is about an action: what `choices` are opened with. */
const takes: readonly (readonly [kind: RequestKind, ofAction: boolean, sayings: readonly VerdictKind[]])[] = [
  ["approval", true, ["approve", "edit", "reject"]],
  ["question", false, ["answer", "reject"]],
  ["escalation", false, ["continue", "stop"]],
  ["escalation", true, ["done", "not_done", "stop"]], // of an action in doubt
];

/** A rule that is about no request that there can be, or says what none of them takes. */
function unfitProblems({ kind, tool, args, say }: PersonRule, path: SuitePath): readonly SuiteProblem[] {
  const member = tool !== undefined ? "tool" : args !== undefined ? "args" : null;
  const fitting = takes.filter(
    ([of, ofAction]) => (kind === undefined || of === kind) && (member === null || ofAction),
  );
  if (fitting.length === 0 && member !== null) return [noAction(kind ?? "", member, path)];
  const sayings = [...new Set<string>(fitting.flatMap(([, , some]) => some)), "ignore"];
  if (sayings.includes(say)) return [];
  const what = `${kind ?? "request"}${member === null ? "" : ` about an action (${member}:)`}`;
  return [
    {
      path: [...path, "say"],
      message: `no ${what} takes say: ${say}`,
      fix: `Write one of: ${sayings.join(", ")}${kind === undefined ? "" : "; or another kind:"}.`,
    },
  ];
}

function noAction(kind: string, member: string, path: SuitePath): SuiteProblem {
  return {
    path: [...path, member],
    message: `a ${kind} is about no action, so ${member} never fits one`,
    fix: "Leave it out, or write kind: approval.",
  };
}

function neverProblems(rule: Never, path: SuitePath): readonly SuiteProblem[] {
  if ("request" in rule && rule.request === "question" && rule.tool !== undefined)
    return [noAction(rule.request, "tool", path)];
  const given = Object.keys(rule);
  const alone = given.filter((member) => ["modelCalls", "windowTokens", "request"].includes(member));
  const allowed = alone[0] === "request" ? ["request", "tool"] : alone.slice(0, 1);
  const stray = alone.length > 0 ? given.find((member) => !allowed.includes(member)) : undefined;
  if (stray !== undefined)
    return [
      {
        path: [...path, stray],
        message: `${alone[0]} and ${stray} are not of one rule`,
        fix: "Write a rule for each.",
      },
    ];
  if (!["tool", "args", "text", ...alone].some((member) => given.includes(member)))
    return [
      {
        path,
        message: "the rule forbids everything, or nothing",
        fix: "Name a tool, args or a text (docs/eval.md).",
      },
    ];
  return inPattern("args" in rule ? rule.args : undefined, [...path, "args"]);
}

function expectationProblems(expect: Expectations, path: SuitePath): readonly SuiteProblem[] {
  const { result, paths = {}, schema, actions = [] } = expect;
  return [
    ...inPattern(result, [...path, "result"]),
    ...Object.entries(paths).flatMap(([jsonPath, pattern]) => {
      const parsed = parsePath(jsonPath);
      const at = [...path, "paths", jsonPath];
      return parsed.ok
        ? inPattern(pattern, at)
        : [{ path: at, message: parsed.why, fix: "Write a path such as $.orders[0].id." }];
    }),
    ...schemaProblems(schema, [...path, "schema"]),
    ...endProblems(expect, path),
    ...actions.flatMap((action, index) => [
      ...inPattern(action.args, [...path, "actions", index, "args"]),
      ...timesProblems(action, [...path, "actions", index, "times"]),
    ]),
  ];
}

function endProblems(
  { outcome = "completed", error }: Expectations,
  path: SuitePath,
): readonly SuiteProblem[] {
  if (error === undefined || outcome !== "completed") return [];
  return [
    {
      path: [...path, "error"],
      message: `a thread that completes has no error ${error}`,
      fix: "Write outcome: failed beside it.",
    },
  ];
}

function timesProblems({ times }: ActionExpectation, path: SuitePath): readonly SuiteProblem[] {
  if (typeof times !== "object") return [];
  const { min = 0, max = Number.POSITIVE_INFINITY } = times;
  if (min <= max) return [];
  return [{ path, message: `min ${min} is over max ${max}: no number is both`, fix: "Exchange the two." }];
}

function schemaProblems(schema: Expectations["schema"], path: SuitePath): readonly SuiteProblem[] {
  if (schema === undefined || (typeof schema === "object" && schema !== null && "~standard" in schema))
    return [];
  try {
    jsonSchema(schema);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ path, message, fix: "Write JSON Schema (draft 2020-12)." }];
  }
}

function inPattern(pattern: Pattern | undefined, path: SuitePath): readonly SuiteProblem[] {
  if (pattern === undefined) return [];
  return patternProblems(pattern).map((problem) => ({ ...problem, path: [...path, ...problem.path] }));
}
