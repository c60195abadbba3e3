import type { ThreadEvent } from "../core/events.ts";
import { globPattern } from "../core/glob-pattern.ts";
import type { Evidence, SeenAction } from "./evidence.ts";
import type { TrialFinding } from "./finding.ts";
import { matches, shown } from "./pattern.ts";
import type { Never } from "./suite.ts";

/** What happened of what must not. `name` stands for the list in findings. */
export function judgeNever(
  rules: readonly Never[],
  name: string,
  evidence: Evidence,
  actions: readonly SeenAction[],
): readonly TrialFinding[] {
  return rules.flatMap((rule, index) =>
    neverFindings(rule, evidence, actions).map((finding) => ({ rule: `${name}[${index}]`, ...finding })),
  );
}

type Found = Omit<TrialFinding, "rule">;

function neverFindings(rule: Never, { logs }: Evidence, actions: readonly SeenAction[]): readonly Found[] {
  if ("modelCalls" in rule) return tooManyCalls(rule.modelCalls, logs);
  if ("windowTokens" in rule) return tooLargeWindow(rule.windowTokens, logs);
  if ("request" in rule) return askedPeople(rule, logs);
  return actions.flatMap((action) => forbidden(rule, action));
}

type ActionRule = Exclude<Never, { modelCalls: number } | { windowTokens: number } | { request: string }>;

function forbidden(
  { tool, args, text, withoutApproval, proposed }: ActionRule,
  action: SeenAction,
): readonly Found[] {
  if (tool !== undefined && !globPattern(tool).test(action.tool)) return [];
  if (!proposed && action.start === null) return [];
  if (withoutApproval && !action.unapproved) return [];
  const looked = proposed ? action.proposals : action.proposals.slice(-1);
  const found = looked.find(
    (proposal) => matches(args, proposal.args) && (text === undefined || holdsText(proposal.args, text)),
  );
  if (!found) return [];
  const what = action.start === null ? "was asked for" : withoutApproval ? "ran without approval" : "ran";
  const { threadId, start } = action;
  return [
    { message: `${action.tool} ${what} with ${shown(found.args)}`, threadId, seq: start?.seq ?? found.seq },
  ];
}

/** Also in names of members, and across what JSON would escape. */
function holdsText(value: unknown, text: string): boolean {
  if (typeof value === "string") return value.includes(text);
  if (typeof value !== "object" || value === null) return String(value).includes(text);
  return Object.entries(value).some(([name, inner]) => name.includes(text) || holdsText(inner, text));
}

function tooManyCalls(most: number, logs: Evidence["logs"]): readonly Found[] {
  const calls = logs.flatMap(({ threadId, events }) =>
    events.filter(isModelCall).map(({ seq }) => ({ threadId, seq })),
  );
  return calls.length <= most
    ? []
    : [{ message: `there were ${calls.length} model calls; ${most} are allowed`, ...calls[most] }];
}

function isModelCall({ type }: ThreadEvent): boolean {
  return type === "decision_made" || type === "decision_rejected" || type === "window_compacted";
}

function tooLargeWindow(most: number, logs: Evidence["logs"]): readonly Found[] {
  for (const { threadId, events } of logs)
    for (const event of events) {
      const window =
        event.type === "decision_made" || event.type === "decision_rejected" ? event.window : undefined;
      if (window && window.tokens > most)
        return [
          {
            message: `a model input had ${window.tokens} tokens; ${most} are allowed`,
            threadId,
            seq: event.seq,
          },
        ];
    }
  return [];
}

function askedPeople(
  { request, tool }: Extract<Never, { request: string }>,
  logs: Evidence["logs"],
): readonly Found[] {
  return logs.flatMap(({ threadId, events }) =>
    events.flatMap((event) => {
      if (event.type !== "request_opened" || (request !== "any" && event.kind !== request)) return [];
      if (tool !== undefined && !globPattern(tool).test(event.action?.tool ?? "")) return [];
      return [{ message: `a person was asked: ${event.question.slice(0, 200)}`, threadId, seq: event.seq }];
    }),
  );
}
