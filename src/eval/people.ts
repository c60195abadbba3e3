// The people of a case. What they say follows from the requests alone, in the order in which they were opened: so it is the
// same when a trial goes on after an interruption.
import type { EventOf, Verdict } from "../core/events.ts";
import { globPattern } from "../core/glob-pattern.ts";
import type { Json } from "../core/json.ts";
import { matches } from "./pattern.ts";
import { fitsRegex } from "./regex.ts";
import type { EvalCase, EvalSuite, PersonRule } from "./suite.ts";

type Opened = EventOf<"request_opened">;

export interface PlayedRequest {
  readonly request: Opened;
  /** `null`: nobody answers. */
  readonly verdict: Verdict | null;
  /** Who, where the rule names somebody. */
  readonly by: string | undefined;
  /** With rules in order: why this request is not the one that was expected. */
  readonly unexpected: string | null;
}

/** What becomes of each request. @param requests - all of the trial, oldest first. */
export function playPeople(
  suite: EvalSuite,
  each: EvalCase,
  requests: readonly Opened[],
): readonly PlayedRequest[] {
  const own = each.people ?? [];
  const rules = [...own, ...(suite.people ?? [])];
  const used = new Map<PersonRule, number>();
  return requests.map((request) => {
    if (each.inOrder) return playInOrder(own, used, request);
    const rule = rules.find((candidate) => isLeft(candidate, used) && isAbout(candidate, request));
    return rule ? played(request, rule, used) : silent(request);
  });
}

function playInOrder(
  rules: readonly PersonRule[],
  used: Map<PersonRule, number>,
  request: Opened,
): PlayedRequest {
  const rule = rules.find((candidate) => (used.get(candidate) ?? 0) < (candidate.times ?? 1));
  if (!rule) return { ...silent(request), unexpected: `nobody expects the request ${describe(request)}` };
  if (isAbout(rule, request)) return played(request, rule, used);
  return {
    ...silent(request),
    unexpected: `people[${rules.indexOf(rule)}] is about something else than ${describe(request)}`,
  };
}

function describe({ kind, action, question }: Opened): string {
  return action ? `for ${action.tool}` : `(${kind}) ${question.slice(0, 100)}`;
}

function silent(request: Opened): PlayedRequest {
  return { request, verdict: null, by: undefined, unexpected: null };
}

function played(request: Opened, rule: PersonRule, used: Map<PersonRule, number>): PlayedRequest {
  used.set(rule, (used.get(rule) ?? 0) + 1);
  return { request, verdict: verdictOf(rule, request), by: rule.by, unexpected: null };
}

function isLeft(rule: PersonRule, used: ReadonlyMap<PersonRule, number>): boolean {
  return (used.get(rule) ?? 0) < (rule.times ?? Number.POSITIVE_INFINITY);
}

function isAbout({ kind, tool, args, question }: PersonRule, request: Opened): boolean {
  const { action } = request;
  return (
    (kind === undefined || kind === request.kind) &&
    (tool === undefined || (action !== undefined && globPattern(tool).test(action.tool))) &&
    (args === undefined || (action !== undefined && matches(args, action.args))) &&
    (question === undefined || fitsRegex(question, request.question))
  );
}

function verdictOf(
  { say, with: changes = {}, value = null, why }: PersonRule,
  { action }: Opened,
): Verdict | null {
  switch (say) {
    case "ignore":
      return null;
    case "approve":
      return { kind: "approve", ...(why !== undefined && { why }) };
    case "edit":
      return { kind: "edit", args: edited(action?.args, changes), ...(why !== undefined && { why }) };
    case "answer":
    case "done":
      return { kind: say, value };
    case "reject":
    case "not_done":
      return { kind: say, why: why ?? "the case says so" };
    case "continue":
    case "stop":
      return { kind: say, ...(why !== undefined && { why }) };
    default:
      return say satisfies never;
  }
}

function edited(args: Json | undefined, changes: { readonly [name: string]: Json }): Json {
  return typeof args === "object" && args !== null && !Array.isArray(args)
    ? { ...args, ...changes }
    : changes;
}
