// Whether a trial went as its case expects: pure, from its logs alone, so that it can be judged again at any time.
import type { EventOf, ThreadEvent } from "../core/events.ts";
import { globPattern } from "../core/glob-pattern.ts";
import { followPath, formatNode, parsePath } from "../core/json-path.ts";
import { actionsOf, type Evidence, requestsOf, type SeenAction } from "./evidence.ts";
import type { TrialFinding } from "./finding.ts";
import { judgeNever } from "./judge-never.ts";
import { matches, mismatch, shown, textOf } from "./pattern.ts";
import { playPeople } from "./people.ts";
import { fitsRegex } from "./regex.ts";
import type { ActionExpectation, EvalCase, EvalLimits, EvalSuite, Expectations } from "./suite.ts";
import { trialNumbers } from "./trial-numbers.ts";

/** Who cancels a trial, and by that tells it from cancellations of others. */
export const evaluator = "eval";

/** All that is wrong with a trial, but for what schemas and checks in code say. */
export function judgeTrial(suite: EvalSuite, each: EvalCase, evidence: Evidence): readonly TrialFinding[] {
  const events = evidence.logs[0]?.events ?? [];
  const actions = actionsOf(evidence);
  const { expect = {} } = each;
  return [
    ...judgeStop(events),
    ...judgeEnd(expect, events, evidence),
    ...judgeResult(expect, evidence),
    ...judgeActions(expect, actions),
    ...judgeLimits({ ...suite.limits, ...each.limits }, evidence),
    ...judgeOrder(suite, each, evidence),
    ...judgeNever(each.never ?? [], "never", evidence, actions),
    ...judgeNever(suite.never ?? [], "the suite's never", evidence, actions),
    ...judgeApprovals(evidence),
  ];
}

/** The evaluation gave the trial up: a limit, or something that nobody will answer. */
function judgeStop(events: readonly ThreadEvent[]): readonly TrialFinding[] {
  const end = events.findLast((event) => event.type === "thread_cancelled");
  return end?.by === evaluator ? [{ rule: "stopped", message: end.why, seq: end.seq }] : [];
}

function judgeEnd(
  expect: Expectations,
  events: readonly ThreadEvent[],
  { error }: Evidence,
): readonly TrialFinding[] {
  const { outcome = "completed", accepted } = expect;
  const end = endOf(events);
  const was = end?.type.replace("thread_", "") ?? "open";
  const findings: TrialFinding[] = [];
  const isStopped = end?.type === "thread_cancelled" && end.by === evaluator; // told by itself
  if (was !== outcome && !isStopped) {
    const why = error ? ` (${error.code}: ${error.message.slice(0, 500)})` : "";
    findings.push({
      rule: "expect.outcome",
      message: `it ${was}${why}; ${outcome} was expected`,
      ...at(end),
    });
  }
  if (accepted !== undefined && (end?.type !== "thread_completed" || end.accepted !== accepted))
    findings.push({
      rule: "expect.accepted",
      message: `the agent's own check ${accepted ? "did not accept" : "accepted"} it`,
      ...at(end),
    });
  if (expect.error !== undefined && error?.code !== expect.error)
    findings.push({
      rule: "expect.error",
      message: `the error is ${error?.code ?? "none"}, not ${expect.error}`,
      ...at(end),
    });
  return findings;
}

type End = EventOf<"thread_completed" | "thread_failed" | "thread_cancelled">;

function endOf(events: readonly ThreadEvent[]): End | undefined {
  return events.findLast(
    (event): event is End =>
      event.type === "thread_completed" ||
      event.type === "thread_failed" ||
      event.type === "thread_cancelled",
  );
}

function at(event: ThreadEvent | null | undefined): { readonly seq?: number } {
  return event ? { seq: event.seq } : {};
}

function judgeResult(
  { result, paths = {}, matches: source }: Expectations,
  { output }: Evidence,
): readonly TrialFinding[] {
  const findings: TrialFinding[] = [];
  const why =
    result === undefined ? null : output === undefined ? "there is no result" : mismatch(result, output);
  if (why !== null) findings.push({ rule: "expect.result", message: why });
  for (const [path, pattern] of Object.entries(paths)) {
    const wrong = pathMismatch(path, pattern, output);
    if (wrong !== null) findings.push({ rule: `expect.paths ${path}`, message: wrong });
  }
  if (source !== undefined && !fitsRegex(source, textOf(output)))
    findings.push({
      rule: "expect.matches",
      message: `the result does not match /${source}/: ${shown(output)}`,
    });
  return findings;
}

function pathMismatch(
  path: string,
  pattern: Parameters<typeof mismatch>[0],
  output: Evidence["output"],
): string | null {
  const parsed = parsePath(path);
  if (!parsed.ok) return parsed.why;
  if (output === undefined) return "there is no result";
  const found = followPath(output, parsed.steps);
  if (!found.ok) return matches(pattern, undefined) ? null : found.why; // `$exists: false`
  if (found.nodes.length === 0) return `${path} leads to nothing`;
  return (
    found.nodes.map((node) => mismatch(pattern, node.value, formatNode(node))).find((why) => why !== null) ??
    null
  );
}

function judgeActions(
  { actions: expected = [], inOrder = false }: Expectations,
  actions: readonly SeenAction[],
): readonly TrialFinding[] {
  const findings = expected.flatMap((expectation, index) =>
    judgeAction(expectation, `expect.actions[${index}]`, actions),
  );
  return inOrder ? [...findings, ...judgeSequence(expected, actions)] : findings;
}

function judgeAction(
  expectation: ActionExpectation,
  rule: string,
  actions: readonly SeenAction[],
): readonly TrialFinding[] {
  const found = actions.filter((action) => fits(expectation, action));
  const { min, max } = range(expectation.times);
  if (found.length < min || found.length > max)
    return [
      {
        rule,
        message: `${describe(expectation)} ${expectation.status === "denied" ? "was denied" : "ran"} ${times(found.length)}; ${expectedTimes(min, max)} was expected${nearMiss(expectation, actions)}`,
        ...placeOf(found[0]),
      },
    ];
  const [first] = found;
  return first ? judgeNeighbours(expectation, rule, first, actions) : [];
}

function judgeNeighbours(
  { tool, before, after }: ActionExpectation,
  rule: string,
  first: SeenAction,
  actions: readonly SeenAction[],
): readonly TrialFinding[] {
  const started = actions.filter(({ start }) => start !== null);
  const at = started.indexOf(first);
  const earlier = at < 0 ? started : started.slice(0, at);
  const findings: TrialFinding[] = [];
  if (before !== undefined && earlier.some(isOf(before)))
    findings.push({ rule, message: `${before} ran before ${tool}`, ...placeOf(earlier.find(isOf(before))) });
  if (after !== undefined && !earlier.some(isOf(after)))
    findings.push({ rule, message: `${tool} ran without ${after} before it`, ...placeOf(first) });
  return findings;
}

/** Each is looked for after the one before it. */
function judgeSequence(
  expected: readonly ActionExpectation[],
  actions: readonly SeenAction[],
): readonly TrialFinding[] {
  let from = 0;
  for (const [index, expectation] of expected.entries()) {
    if (range(expectation.times).max === 0) continue;
    const found = actions.findIndex((action, at) => at >= from && fits(expectation, action));
    if (found >= 0) from = found + 1;
    else if (actions.some((action) => fits(expectation, action)))
      return [{ rule: `expect.actions[${index}]`, message: `${describe(expectation)} is out of order` }];
    else return []; // missing, which is said already
  }
  return [];
}

function fits({ tool, args, status }: ActionExpectation, action: SeenAction): boolean {
  const isSo = status === undefined ? action.start !== null : action.status === status;
  return isSo && isOf(tool)(action) && matches(args, action.args);
}

function isOf(tool: string): (action: SeenAction) => boolean {
  const pattern = globPattern(tool);
  return (action) => pattern.test(action.tool);
}

function range(expected: ActionExpectation["times"]): { readonly min: number; readonly max: number } {
  if (typeof expected === "number") return { min: expected, max: expected };
  return { min: expected?.min ?? (expected ? 0 : 1), max: expected?.max ?? Number.POSITIVE_INFINITY };
}

function times(count: number): string {
  return count === 0 ? "never" : count === 1 ? "once" : `${count} times`;
}

function expectedTimes(min: number, max: number): string {
  if (min === max) return min === 0 ? "never" : `exactly ${min}`;
  return max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`;
}

/** What the model did with this tool instead: mostly what one wants to know. */
function nearMiss({ tool, args, status }: ActionExpectation, actions: readonly SeenAction[]): string {
  const other = actions.find(isOf(tool));
  if (!other) return "";
  if (status === undefined && other.start === null)
    return `: it was ${other.status === "denied" ? "denied" : "proposed, and never started"}`;
  const why = args === undefined ? null : mismatch(args, other.args);
  return why === null ? "" : `: ${why}`;
}

function describe({ tool, args }: ActionExpectation): string {
  return args === undefined ? tool : `${tool} with ${shown(args)}`;
}

function placeOf(action: SeenAction | undefined): Pick<TrialFinding, "threadId" | "seq"> {
  const event = action?.start ?? action?.proposals[0];
  return action && event ? { threadId: action.threadId, seq: event.seq } : {};
}

function judgeLimits({ tokens }: EvalLimits, { logs }: Evidence): readonly TrialFinding[] {
  if (tokens === undefined) return [];
  const { inputTokens, outputTokens } = trialNumbers(logs.map(({ events }) => events));
  const used = inputTokens + outputTokens;
  return used > tokens
    ? [{ rule: "limits.tokens", message: `${used} tokens were used; ${tokens} are the limit` }]
    : [];
}

/** Where people answer in a fixed order, each request must be the one that they expect. */
function judgeOrder(suite: EvalSuite, each: EvalCase, { logs }: Evidence): readonly TrialFinding[] {
  return playPeople(suite, each, requestsOf(logs)).flatMap(({ request, unexpected }) =>
    unexpected === null ? [] : [{ rule: "people", message: unexpected, seq: request.seq }],
  );
}

/** I5, in every case: what was held did not start without approval. */
function judgeApprovals({ logs }: Evidence): readonly TrialFinding[] {
  const { unapproved } = trialNumbers(logs.map(({ events }) => events));
  return unapproved === 0
    ? []
    : [{ rule: "I5", message: `${unapproved} critical actions started without a matching approval` }];
}
