// The only interpreter of operations. One session runs one thread under one lease: replay the flow, plan what it waits
// for, append, perform, until it ends or only people, signals or time can go on. All its appends are made here, one at
// a time, so a session is a sequence of rounds and a crash is a round that did not happen.
//
// S1. Intents are durable before effects that must not happen twice (I3).
// S2. A result is kept until it is appended, or the lease is lost. A conflict changes what is planned, never what happened.
// S3. Without the lease nothing is appended and nothing is started.
import type { Agent } from "../core/agent.ts";
import { type HoldpointError, isHoldpointError } from "../core/errors.ts";
import { type EventBody, event, type LimitName, type ThreadEvent } from "../core/events.ts";
import { evolve } from "../core/evolve.ts";
import type { PendingOperation } from "../core/flow.ts";
import { type Replay, type Rest, startReplay } from "../core/replay.ts";
import { flowKey, type ThreadState } from "../core/state.ts";
import type { Lease } from "../ports/store.ts";
import type { TurnEnd, TurnTelemetry } from "../ports/telemetry.ts";
import { artifactsOf } from "./artifacts.ts";
import { cancelChildren } from "./commands.ts";
import { createEffects, type Effect } from "./effects.ts";
import { flowProblem, isHarmless } from "./flow-check.ts";
import { isRecorded } from "./is-recorded.ts";
import { escalate, expireOrWait, type PlanContext, type TallyTotal } from "./operations/plan.ts";
import { appendPlan, completed, type Planned, plannedFrom, planOrFail } from "./planned.ts";
import type { Runtime } from "./runtime.ts";
import type { ArtifactText } from "./stored.ts";

export interface SessionOptions {
  readonly runtime: Runtime;
  readonly agent: Agent;
  readonly state: ThreadState;
  readonly lease: Lease;
  /** Text of the large values that the events refer to. */
  readonly artifacts: Map<string, string>;
  readonly input: unknown;
  readonly signal: AbortSignal;
  readonly telemetry: TurnTelemetry | null;
}

export interface Session {
  run(): Promise<TurnEnd>;
  /** Renews the lease when it is time, and looks for events that others appended. Called by the heartbeat. */
  beat(): Promise<void>;
}

export function createSession(options: SessionOptions): Session {
  const { runtime, agent, state, artifacts, signal, telemetry } = options;
  const threadId = options.lease.threadId;
  let lease = options.lease;
  let lost = false;
  let caughtUp = false;
  let tailChanged = false;
  let toPlan = true; // something happened since the last round that a plan may depend on
  let plannedAt = runtime.clock.now();
  let wake: () => void = () => {};

  const context: PlanContext = {
    exclusiveRunning: false,
    runtime,
    agent,
    state,
    threadId,
    input: options.input,
    artifacts,
    signal,
    verifiedAbsent: new Set(),
    overLimit: new Map(),
    abandoned: new Set(),
  };
  const replay: Replay = startReplay(agent.flow, state, artifacts);
  const effects = createEffects({
    ...{ runtime, threadId, telemetry },
    onEnd: () => {
      toPlan = true;
      wake();
    },
  });

  async function run(): Promise<TurnEnd> {
    const onAbort = (): void => wake();
    signal.addEventListener("abort", onAbort);
    try {
      return await rounds();
    } catch (error) {
      await keepResults();
      throw error;
    } finally {
      signal.removeEventListener("abort", onAbort);
      effects.abort();
    }
  }

  /** S2. What makes a turn fail need not concern the effects beside it: their results are waited for and appended. */
  async function keepResults(): Promise<void> {
    await effects.endInGrace();
    try {
      await appendResults();
    } catch (error) {
      runtime.observe({ kind: "problem", threadId, error }); // the store is gone: recovery finds out what happened
    }
  }

  async function rounds(): Promise<TurnEnd> {
    for (;;) {
      if (tailChanged) await readTail();
      const failure = effects.failure();
      if (failure) throw failure.error;
      if (lost) return "lost";
      if (state.end) return closeEnded();
      if (signal.aborted) return closeStopped();
      if (effects.ended().length > 0) await append([], []);
      else if (toPlan) await round();
      else if (effects.size > 0) await somethingHappens();
      else if (await park()) return "parked";
    }
  }

  /** One round: what the flow waits for now is planned, appended and started. */
  async function round(): Promise<void> {
    toPlan = false;
    plannedAt = runtime.clock.now();
    const rest = await replay.advance();
    const planned =
      (await planFlow(rest)) ?? (rest.kind === "pending" ? await planPending(rest.operations) : []);
    const events = planned.flatMap((plan) =>
      plan.kind === "append" ? plan.events : plan.perform.intentFirst ? plan.perform.intent : [],
    );
    const texts = planned.flatMap((plan) => (plan.kind === "append" ? plan.artifacts : []));
    const starts = planned.filter((plan) => plan.kind === "start");
    const limited = starts.find(({ perform }) => perform.limits); // one at most: what counts starts alone
    if (events.length > 0 && !(await append(events, texts, limited))) return;
    if (starts.length > 0 && !(await stillHeld())) return;
    for (const { operation, perform } of starts) effects.start(operation, perform);
  }

  /** What the flow as a whole needs: a person, or its end. `null`: nothing, plan its operations. */
  async function planFlow(rest: Rest): Promise<readonly Planned[] | null> {
    const asked = state.flowRequest;
    if (asked?.status === "open") return plannedFrom(expireOrWait(context, asked));
    if (asked?.status === "expired" || asked?.verdict?.kind === "stop") {
      const who = asked.decided ? `${asked.decided.by} stopped it` : "nobody answered in time";
      const message = `${who}: ${asked.opened.why}`;
      return [appendPlan(event("thread_failed", { error: { code: "stopped_by_person", message } }))];
    }
    if (!caughtUp || (rest.kind === "pending" && rest.operations.length === 0)) {
      const problem = flowProblem(replay, rest, state);
      if (problem && effects.size > 0) return [];
      if (problem)
        return [appendPlan(escalate(context, flowKey, problem.reason, problem.why, problem.question))];
      caughtUp = replay.unclaimed().length === 0;
    }
    if (rest.kind === "pending") return null;
    if (effects.size > 0) return []; // what the flow left running still ends under its keys
    if (rest.kind === "threw") return [appendPlan(event("thread_failed", { error: rest.error }))];
    const end = await completed(context, rest.value);
    return end ? [end] : [];
  }

  async function planPending(operations: readonly PendingOperation[]): Promise<readonly Planned[]> {
    const planned: Planned[] = [];
    const askedLimits = new Set<LimitName>();
    let exclusiveRunning = effects.isExclusive();
    for (const operation of operations) {
      if (effects.has(operation.key)) continue;
      if (!caughtUp && !state.operations.has(operation.key) && !isHarmless(operation)) continue;
      const plan = await planOrFail({ ...context, exclusiveRunning, askedLimits }, operation);
      if (plan.kind === "perform") {
        exclusiveRunning ||= plan.exclusive;
        planned.push({ kind: "start", operation, perform: plan });
      } else planned.push(...plannedFrom(plan));
      if (plan.kind === "append" && plan.events.some((body) => body.type === "thread_failed"))
        return [appendPlan(...plan.events)];
    }
    return planned;
  }

  /** Waits until an effect ends, the heartbeat finds news, or the turn is to stop. */
  function somethingHappens(): Promise<void> {
    if (toPlan || tailChanged || lost || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      wake = resolve;
    });
  }

  /** Appends results and what was planned, in this order. False when nothing was appended: plan again. */
  async function append(
    planned: readonly EventBody[],
    texts: readonly ArtifactText[],
    limited?: Extract<Planned, { kind: "start" }>,
  ): Promise<boolean> {
    const sent = effects.ended();
    const results = sent.flatMap((effect) => effect.result?.events ?? []);
    const allTexts = [...sent.flatMap((effect) => effect.result?.artifacts ?? []), ...texts];
    const at = new Date(runtime.clock.now()).toISOString();
    const events = [...results, ...planned].map((body) => ({ body: runtime.redact.event(body), at }));
    const limits = limited?.perform.limits;
    const place = { threadId, expectedSeq: state.head, lease, ...(limits && { limits }) };
    try {
      await runtime.store.append({ ...place, events, artifacts: allTexts });
    } catch (error) {
      if (limited && isHoldpointError(error, "tally_exceeded"))
        context.overLimit.set(limited.operation.key, tallyTotal(error));
      else await afterFailedAppend(error);
      toPlan = true;
      return false;
    }
    effects.settle(sent);
    for (const { digest, text } of allTexts) artifacts.set(digest, text);
    const stored = events.map(
      ({ body }, index) => ({ ...body, seq: state.head + index + 1, at }) as ThreadEvent,
    ); // the spread loses the union
    if (results.some((body) => body.type === "child_completed")) await loadArtifacts(stored); // the text is the child's
    fold(stored);
    return true;
  }

  function fold(events: readonly ThreadEvent[]): void {
    for (const stored of events) evolve(state, stored);
    toPlan ||= events.length > 0;
    if (events.length === 0) return;
    runtime.observe({ kind: "appended", threadId, events });
    telemetry?.appended(events);
  }

  async function afterFailedAppend(error: unknown): Promise<void> {
    if (isHoldpointError(error, "lease_lost")) return loseLease();
    if (isHoldpointError(error, "append_conflict")) return readTail();
    if (!isHoldpointError(error) || !error.retryable || runtime.clock.now() >= lease.until) throw error;
    runtime.observe({ kind: "problem", threadId, error });
    await readTailWhileHeld();
    dropRecorded();
  }

  /** The store fails, and results wait for it: it is tried again as long as nobody else may have the thread. */
  async function readTailWhileHeld(): Promise<void> {
    for (;;) {
      await runtime.clock.sleep(200, never);
      try {
        return await readTail();
      } catch (error) {
        if (!isHoldpointError(error) || !error.retryable || runtime.clock.now() >= lease.until) throw error;
      }
    }
  }

  /** After an append whose outcome is unknown: results that did get into the log are not appended again (S2). */
  function dropRecorded(): void {
    const isIn = (effect: Effect): boolean =>
      effect.result?.events.every((body) => isRecorded(state, body)) ?? false;
    effects.settle(effects.ended().filter(isIn));
  }

  async function readTail(): Promise<void> {
    tailChanged = false;
    const events = await runtime.store.read(threadId, { afterSeq: state.head });
    await loadArtifacts(events);
    fold(events);
  }

  async function loadArtifacts(events: readonly ThreadEvent[]): Promise<void> {
    for (const [digest, text] of await artifactsOf(runtime.store, events)) artifacts.set(digest, text);
  }

  /** S3. A clock that ran past the lease means that another worker may have taken the thread. */
  async function stillHeld(): Promise<boolean> {
    if (runtime.clock.now() < lease.until) return true;
    await renew();
    return !lost;
  }

  async function renew(): Promise<void> {
    const renewed = await runtime.store.lease({
      threadId,
      owner: lease.owner,
      number: lease.number,
      ttlMs: runtime.leaseMs,
      now: runtime.clock.now(),
    });
    if (renewed) lease = renewed;
    else loseLease();
  }

  function loseLease(): void {
    lost = true;
    effects.abort();
    wake();
  }

  async function beat(): Promise<void> {
    if (lost) return;
    const leftMs = lease.until - runtime.clock.now();
    const wasSetBack = leftMs > runtime.leaseMs; // the clock was: to others the lease may look like one of the future
    if (wasSetBack || leftMs < (runtime.leaseMs * 2) / 3) await renew();
    if (effects.size === 0 || lost) return;
    toPlan = true; // timers may have become due meanwhile
    wake();
    const news = await runtime.store.read(threadId, { afterSeq: state.head });
    if (news.length === 0) return;
    tailChanged = true;
    wake();
  }

  /** False when something came between: go on. */
  async function park(): Promise<boolean> {
    const seen = state.head;
    const tail = await runtime.store.read(threadId, { afterSeq: seen });
    if (tail.length > 0) {
      tailChanged = true;
      return false;
    }
    await runtime.store.release(lease, { now: plannedAt, parkedAt: seen });
    return true;
  }

  /** The thread ended while effects may be under way: they are told to stop, and what they did is still recorded. */
  async function closeEnded(): Promise<TurnEnd> {
    effects.abort();
    await effects.end();
    await appendResults();
    if (lost) return "lost";
    await cancelChildren(runtime, state);
    await runtime.store.release(lease, { now: runtime.clock.now(), parkedAt: state.head });
    return "ended";
  }

  async function closeStopped(): Promise<TurnEnd> {
    await effects.endInGrace();
    await appendResults();
    if (lost) return "lost";
    if (state.end) return closeEnded();
    await runtime.store.release(lease, { now: runtime.clock.now() });
    return "stopped";
  }

  /** After its end a thread takes only what became of actions that had started. */
  async function appendResults(): Promise<void> {
    while (effects.ended().length > 0 && !lost) {
      const isLate = (effect: Effect): boolean =>
        effect.result?.events.some((body) => !body.type.startsWith("action_")) ?? false;
      if (tailChanged) await readTail();
      if (state.end) effects.settle(effects.ended().filter(isLate));
      if (effects.ended().length > 0) await append([], []);
    }
  }

  return { run, beat };
}

/** The sum that a store refused to add to. */
function tallyTotal({ details = {} }: HoldpointError): TallyTotal {
  return { name: String(details.name), day: String(details.day), total: Number(details.total) };
}

/** Aborts nothing: for short waits that must be made. */
const never = new AbortController().signal;
