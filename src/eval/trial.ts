// One trial: a thread, its people, and time that goes on when nobody does anything. What it was is in the log alone, so a
// trial that a killed process left goes on, and one that has ended is never run again.
import type { Agent } from "../core/agent.ts";
import type { Principal } from "../core/approvers.ts";
import { entryOf, whyNotApprover } from "../core/approvers.ts";
import { durationMs } from "../core/duration.ts";
import { isHoldpointError } from "../core/errors.ts";
import type { ThreadEvent } from "../core/events.ts";
import type { Clock } from "../ports/clock.ts";
import type { Model } from "../ports/model.ts";
import type { RequestRow, Store } from "../ports/store.ts";
import { cancelThread, startThread } from "../runtime/commands.ts";
import type { Hint, Runtime } from "../runtime/runtime.ts";
import { isOver, reportThread, type ThreadReport } from "../runtime/thread-report.ts";
import { decideRequest } from "../runtime/verdicts.ts";
import { settleThreads } from "../runtime/worker.ts";
import { requestsOf, type TrialLog } from "./evidence.ts";
import { evaluator } from "./judge.ts";
import { type PlayedRequest, playPeople } from "./people.ts";
import type { EvalCase, EvalLimits, EvalSuite } from "./suite.ts";
import { type TrialClock, trialClock } from "./trial-clock.ts";

export interface TrialPlan {
  readonly each: EvalCase;
  /** From 1. */
  readonly number: number;
  readonly threadId: string;
  readonly seed: string;
  readonly folder: string;
}

/** The agents of one trial, and what they call. */
export interface OpenedWorld {
  readonly agents: readonly Agent[];
  /** Of the case. */
  readonly agent: Agent;
  readonly resolveModel: (model: unknown, clock: Clock) => Promise<Model>;
  /** True while a model only waits for time to pass; absent where none ever does. */
  readonly isStuck?: () => boolean;
  /** Retries wait for real time: there is a provider on the other side. */
  readonly isLive: boolean;
  close(): Promise<void>;
}

interface RuntimeParts {
  readonly agents: readonly Agent[];
  readonly clock: Clock;
  readonly seed: string;
  readonly resolveModel: (model: unknown) => Promise<Model>;
  readonly observe: (hint: Hint) => void;
}

/** What a run gives to its trials. */
export interface TrialHost {
  readonly suite: EvalSuite;
  readonly store: Store;
  /** Real time. */
  readonly clock: Clock;
  readonly openWorld: (plan: TrialPlan) => Promise<OpenedWorld>;
  readonly openRuntime: (parts: RuntimeParts) => Promise<Runtime>;
}

const defaultTimeMs = 10 * 60_000;
/** How often a model that only waits is looked for, in real time, and how far it is helped on. */
const stuckMs = 5;
const stuckSkipMs = 10_000;
/** A turn that changes nothing, though it was due: how long until the next, in real time. */
const idleMs = 20;

/** Runs a trial to its end. An abort leaves it where it is; what the store or the agent's code throws, too. */
export async function runTrial(host: TrialHost, plan: TrialPlan, signal: AbortSignal): Promise<void> {
  const world = await host.openWorld(plan);
  try {
    const clock = trialClock(host.clock, await startOf(host, plan));
    const stop = stopper(host, plan, signal);
    const runtime = await host.openRuntime({
      agents: world.agents,
      clock,
      seed: plan.seed,
      resolveModel: (model) => world.resolveModel(model, clock),
      observe: stop.observe,
    });
    const helping = helpStuck(host.clock, world, clock, stop.over);
    try {
      await startThread(runtime, world.agent.name, plan.each.input, {
        by: evaluator,
        threadId: plan.threadId,
        signal,
      });
      await runToEnd({ host, plan, runtime, clock, world, stop, signal });
    } finally {
      stop.end();
      await helping;
      await runtime.dispatcher.close();
    }
  } finally {
    await world.close();
  }
}

/** A trial that goes on does so at the time of its last event, so that its clock does not go back. */
async function startOf({ store, clock }: TrialHost, { threadId, each }: TrialPlan): Promise<number> {
  const logs = await trialLogs(store, threadId);
  const last = Math.max(
    0,
    ...logs.map(({ events }) => Date.parse(events.at(-1)?.at ?? "")).filter(Number.isFinite),
  );
  return last > 0 ? last : each.clock === undefined ? clock.now() : Date.parse(each.clock);
}

/** A trial's log, and those of the threads that it called. */
export async function trialLogs(store: Store, threadId: string): Promise<readonly TrialLog[]> {
  const events = await store.read(threadId);
  if (events.length === 0) return [];
  const children = events.flatMap((event) => (event.type === "child_started" ? [event.childId] : []));
  const below = await Promise.all(children.map((childId) => trialLogs(store, childId)));
  return [{ threadId, events }, ...below.flat()];
}

interface Stopper {
  /** Aborts when a limit is reached, when the run is stopped, or at the end. */
  readonly over: AbortSignal;
  /** Why, when it was a limit. */
  readonly why: () => string | null;
  readonly observe: (hint: Hint) => void;
  end(): void;
}

/** Watches a trial's limits. Tokens that were used before an interruption are judged at the end. */
function stopper({ suite, clock }: TrialHost, { each }: TrialPlan, signal: AbortSignal): Stopper {
  const { time, tokens = Number.POSITIVE_INFINITY }: EvalLimits = { ...suite.limits, ...each.limits };
  const timeMs = time === undefined ? defaultTimeMs : durationMs(time);
  const over = new AbortController();
  const onAbort = (): void => over.abort(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  let why: string | null = null;
  let used = 0;
  const stop = (reason: string): void => {
    if (over.signal.aborted) return;
    why = reason;
    over.abort(reason);
  };
  void clock.sleep(timeMs, over.signal).then(() => stop(`the limit of ${timeMs} ms was reached`));
  return {
    over: over.signal,
    why: () => why,
    observe(hint) {
      if (hint.kind !== "appended") return;
      used += hint.events.reduce((sum, event) => sum + tokensOf(event), 0);
      if (used > tokens) stop(`the limit of ${tokens} tokens was reached: ${used} were used`);
    },
    end() {
      signal.removeEventListener("abort", onAbort);
      over.abort("over");
    },
  };
}

function tokensOf(event: ThreadEvent): number {
  if (
    event.type !== "decision_made" &&
    event.type !== "decision_rejected" &&
    event.type !== "window_compacted"
  )
    return 0;
  return event.usage.inputTokens + event.usage.outputTokens;
}

async function helpStuck(
  base: Clock,
  { isStuck }: OpenedWorld,
  clock: TrialClock,
  over: AbortSignal,
): Promise<void> {
  while (isStuck && !over.aborted) {
    await base.sleep(stuckMs, over);
    if (isStuck()) clock.skipTo(clock.now() + stuckSkipMs);
  }
}

interface Running {
  readonly host: TrialHost;
  readonly plan: TrialPlan;
  readonly runtime: Runtime;
  readonly clock: TrialClock;
  readonly world: OpenedWorld;
  readonly stop: Stopper;
  readonly signal: AbortSignal;
}

async function runToEnd(running: Running): Promise<void> {
  const { runtime, plan, stop, signal } = running;
  const { threadId } = plan;
  for (let seen = -1; ; ) {
    const broken = await settle(running);
    const report = await reportThread(runtime.store, threadId);
    if (isOver(report.row.status)) return;
    const why = stop.why() ?? broken ?? (signal.aborted ? null : await goOn(running, report, seen));
    if (why !== null) return cancelThread(runtime, threadId, { by: evaluator, why });
    if (signal.aborted) return;
    seen = report.row.headSeq;
  }
}

/** @returns why the agent's code cannot be run, which is its trial's matter. What the store throws is every trial's. */
async function settle({ runtime, plan, stop }: Running): Promise<string | null> {
  try {
    await settleThreads(runtime, [plan.threadId], { signal: stop.over, patienceMs: 0 });
    return null;
  } catch (error) {
    if (!isHoldpointError(error) || error.code.startsWith("store_")) throw error;
    return error.message;
  }
}

/** Answers what is asked, else lets time pass. @returns why nothing will ever happen again; `null` when something may. */
async function goOn(running: Running, report: ThreadReport, seen: number): Promise<string | null> {
  const { clock, world, stop, host } = running;
  const answered = await answerAll(running, report);
  if (answered.refused !== null) return answered.refused;
  if (answered.count > 0) return null;
  const { dueAt, isRetry } = nextTurn(report);
  if (dueAt === null) return waitsForever(report);
  const waitMs = dueAt - clock.now();
  if (waitMs > 0 && isRetry && world.isLive) await clock.sleep(waitMs, stop.over);
  else if (waitMs > 0) clock.skipTo(dueAt);
  else if (seen === report.row.headSeq) await host.clock.sleep(idleMs, stop.over);
  return null;
}

function nextTurn(report: ThreadReport): { readonly dueAt: number | null; readonly isRetry: boolean } {
  const times = allReports(report).flatMap(({ row }) => (row.dueAt === null ? [] : [Date.parse(row.dueAt)]));
  if (times.length === 0) return { dueAt: null, isRetry: false };
  const dueAt = Math.min(...times);
  const isRetry = report.waits.some((wait) => wait.kind === "retry" && Date.parse(wait.dueAt) === dueAt);
  return { dueAt, isRetry };
}

function allReports(report: ThreadReport): readonly ThreadReport[] {
  return [report, ...report.children.flatMap(allReports)];
}

function waitsForever({ requests, waits }: ThreadReport): string {
  const [request] = requests;
  const [wait] = waits;
  if (request)
    return `nobody answers its ${request.opened.kind}, which has no deadline: ${request.opened.question.slice(0, 300)}`;
  if (wait?.kind === "signal") return `it waits for the signal ${wait.signal}, which nobody sends`;
  return `it waits for ${wait?.key ?? "something"}, and nothing will end that`;
}

async function answerAll(
  { host, plan, runtime, signal }: Running,
  { requests }: ThreadReport,
): Promise<{ readonly count: number; readonly refused: string | null }> {
  if (requests.length === 0) return { count: 0, refused: null };
  const logs = await trialLogs(runtime.store, plan.threadId);
  const played = new Map(
    playPeople(host.suite, plan.each, requestsOf(logs)).map((one) => [one.request.requestId, one]),
  );
  let count = 0;
  for (const row of requests) {
    const one = played.get(row.requestId);
    if (!one?.verdict) continue;
    try {
      if (await answer(runtime, row, one, signal)) count += 1;
    } catch (error) {
      if (isHoldpointError(error, "request_already_decided")) continue; // its deadline has come meanwhile
      if (!isHoldpointError(error, "verdict_invalid", "not_an_approver")) throw error;
      return { count, refused: `a person of the case could not ${one.verdict.kind}: ${error.message}` };
    }
  }
  return { count, refused: null };
}

/** As many people as it takes. @returns whether that was news: votes that are there already change nothing. */
async function answer(
  runtime: Runtime,
  row: RequestRow,
  { verdict, by }: PlayedRequest,
  signal: AbortSignal,
): Promise<boolean> {
  if (verdict === null) return false;
  const needed = verdict.kind === "approve" ? (row.opened.quorum ?? 1) : 1;
  let isNews = false;
  for (const { id, roles } of deciders(row, by, needed)) {
    const decided = await decideRequest(runtime, row.requestId, {
      verdict,
      by: id,
      roles,
      via: evaluator,
      signal,
    });
    isNews ||= decided.first;
  }
  return isNews;
}

/** Who decides: whom the case names, then those whom the request names, then people who have the roles that it names. */
function deciders(
  { opened, approvers }: RequestRow,
  by: string | undefined,
  needed: number,
): readonly Principal[] {
  const roles = approvers.filter((entry) => entry.startsWith("role:")).map((entry) => entry.slice(5));
  const named = approvers.filter((entry) => !entry.startsWith("role:")).map((id) => ({ id, roles: [] }));
  const others = Array.from({ length: needed }, (_, index) => ({ id: `person:${index + 1}`, roles }));
  const given =
    by === undefined
      ? []
      : [{ id: by, roles: entryOf(approvers, { id: by, roles: [] }) === null ? roles : [] }];
  const able = [...named, ...others].filter((person) => whyNotApprover(opened, approvers, person) === null);
  return [...given, ...able.filter(({ id }) => id !== by)].slice(0, needed);
}
