// What one thread adds to the statistics (design §8). `recount` is the definition; a store applies the same `countEvent`
// to each event that it appends, and `verify` compares the two (I2).
//
// N1. Copies of a fork count nothing: they happened in its origin. They are folded, since later events refer to them.
// N2. Standing approvals are threads of nobody's work, and count nothing.
// N3. A thread's times, tokens and cost are those at its end; facts count also after it.
import type { ThreadEvent } from "../events.ts";
import { standingAgent } from "../standing.ts";
import { countAction } from "./count-actions.ts";
import { countTime, openTimes, type Times, timeOf } from "./count-times.ts";
import type { CountedAction } from "./counted-action.ts";
import type { Fact, FactKind, ThreadNumbers } from "./facts.ts";

/** What has to be known of a thread's earlier events to count the next one. Only this folder looks into it. */
export interface CountingState {
  /** The first events, up to this `seq`, are copies (N1). */
  copies: number;
  isStanding: boolean;
  readonly times: Times;
  /** When each request that is open was opened, in milliseconds since the epoch. */
  readonly requests: Map<string, number>;
  /** The critical ones by key. */
  readonly actions: Map<string, CountedAction>;
  /** Requests that went to people. */
  asked: number;
  /** How far the windows so far were shrunk. */
  shrunk: number;
  modelCalls: number;
  unpricedCalls: number;
  inputTokens: number;
  outputTokens: number;
  nanoUsd: number;
}

export function initialCounting(): CountingState {
  return {
    copies: 0,
    isStanding: false,
    times: openTimes(),
    requests: new Map(),
    actions: new Map(),
    asked: 0,
    shrunk: 0,
    modelCalls: 0,
    unpricedCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    nanoUsd: 0,
  };
}

/** What an event adds: mostly nothing. */
export interface Counts {
  readonly facts: readonly Fact[];
  /** Of the event that ends the thread. */
  readonly ended: ThreadNumbers | null;
}

const nothing: Counts = { facts: [], ended: null };

/** The fold. It changes `state` in place, as `evolve` does, and never throws: what is no number counts as 0. */
export function countEvent(state: CountingState, event: ThreadEvent): Counts {
  if (event.type === "thread_started") {
    state.copies = event.forkedFrom ? (event.forkedFrom.events ?? event.forkedFrom.seq) : 0;
    state.isStanding = event.agent === standingAgent;
  }
  if (state.isStanding) return nothing; // N2
  const isCopy = event.seq <= state.copies;
  countTime(state.times, event, isCopy);
  const facts = factsOf(state, event, isCopy);
  if (isCopy) return countedElsewhere(state, event);
  const ended = endOf(state, event);
  return facts.length === 0 && ended === null ? nothing : { facts, ended };
}

/** N1. An action that started in the origin is no misoperation of the fork, whatever is said of it there. */
function countedElsewhere({ actions }: CountingState, event: ThreadEvent): Counts {
  const action = event.type === "action_started" ? actions.get(event.key) : undefined;
  if (action) action.isUnapproved = action.isMisoperation = true;
  return nothing;
}

/** All that a whole log adds. */
export function recount(events: readonly ThreadEvent[]): Counts {
  const state = initialCounting();
  const facts: Fact[] = [];
  let ended: ThreadNumbers | null = null;
  for (const event of events) {
    const counts = countEvent(state, event);
    facts.push(...counts.facts);
    ended ??= counts.ended;
  }
  return { facts, ended };
}

/**
 * False for an event that adds nothing whatever came before it, so that nobody needs to know that. True for others, also
 * where it depends.
 */
export function mayCount({ type }: { readonly type: ThreadEvent["type"] }): boolean {
  return countable.has(type);
}

const countable: ReadonlySet<ThreadEvent["type"]> = new Set([
  "overflow_reported",
  "decision_made",
  "decision_rejected",
  "action_proposed",
  "action_denied",
  "action_started",
  "action_flagged",
  "request_decided",
  "request_expired",
  "limit_reached",
  "thread_completed",
  "thread_failed",
  "thread_cancelled",
] as const);

function factsOf(state: CountingState, event: ThreadEvent, isCopy: boolean): readonly Fact[] {
  const fact = (kind: FactKind, amount = 1): readonly Fact[] => [
    { seq: event.seq, at: state.times.lastAt, kind, amount },
  ];
  switch (event.type) {
    case "decision_made":
      if (!isCopy) countCall(state, event);
      return hasShrunk(state, event) ? fact("overflow_prevented") : none;
    case "decision_rejected": {
      if (!isCopy) countCall(state, event);
      const isShrunk = hasShrunk(state, event);
      const isInvalid = event.error.code === "invalid_decision";
      return [
        ...(isShrunk ? fact("overflow_prevented") : none),
        ...(isInvalid ? fact("invalid_output") : none),
      ];
    }
    case "window_compacted":
      if (!isCopy) countCall(state, event);
      return none;
    case "overflow_reported":
      return fact("overflow");
    case "limit_reached":
      return fact("limit");
    case "request_opened":
      state.requests.set(event.requestId, state.times.lastAt);
      if (!isCopy) state.asked += 1;
      return none;
    case "request_expired":
      return state.requests.delete(event.requestId) ? fact("unanswered") : none;
    case "request_decided": {
      countAction(state.actions, event, state.times.lastAt);
      const openedAt = state.requests.get(event.requestId);
      state.requests.delete(event.requestId);
      if (!event.via.startsWith("standing:"))
        return openedAt === undefined ? none : fact("answered", Math.max(0, state.times.lastAt - openedAt));
      if (!isCopy) state.asked -= 1;
      return fact("answered_standing");
    }
    case "action_proposed":
    case "action_denied":
    case "action_started":
    case "action_flagged":
      return countAction(state.actions, event, state.times.lastAt);
    default:
      return none; // it adds time at most
  }
}

const none: readonly Fact[] = [];

type ModelCallEvent = Extract<
  ThreadEvent,
  { type: "decision_made" | "decision_rejected" | "window_compacted" }
>;

function countCall(state: CountingState, { usage, cost }: ModelCallEvent): void {
  state.modelCalls += 1;
  state.unpricedCalls += cost === undefined ? 1 : 0;
  state.inputTokens += whole(usage.inputTokens);
  state.outputTokens += whole(usage.outputTokens);
  state.nanoUsd += whole((cost?.usd ?? 0) * 1e9);
}

/** A window that was shrunk further than those before it: without that it would have been too large in the end. */
function hasShrunk(
  state: CountingState,
  { window }: { readonly window?: Extract<ThreadEvent, { type: "decision_made" }>["window"] },
): boolean {
  if (!window?.view) return false;
  const { summarised, lined, referenced } = window.view;
  const shrunk = whole(summarised) + whole(lined) + whole(referenced);
  const isFurther = shrunk > state.shrunk;
  state.shrunk = Math.max(state.shrunk, shrunk);
  return isFurther;
}

function endOf(state: CountingState, event: ThreadEvent): ThreadNumbers | null {
  const outcome = outcomes.get(event.type);
  if (outcome === undefined || state.times.endedAt !== null) return null;
  const { times, asked, modelCalls, unpricedCalls, inputTokens, outputTokens, nanoUsd } = state;
  const { startedAt, waitingMs, activeMs } = times;
  times.endedAt = timeOf(event.at, times.lastAt);
  const wallMs = Math.max(0, times.endedAt - startedAt);
  return {
    endedAt: times.endedAt,
    outcome,
    accepted: event.type === "thread_completed" ? (event.accepted ?? null) : null,
    wallMs,
    waitingMs: Math.min(waitingMs, wallMs),
    activeMs,
    asked,
    modelCalls,
    unpricedCalls,
    inputTokens,
    outputTokens,
    nanoUsd,
  };
}

const outcomes: ReadonlyMap<ThreadEvent["type"], ThreadNumbers["outcome"]> = new Map([
  ["thread_completed", "completed"],
  ["thread_failed", "failed"],
  ["thread_cancelled", "cancelled"],
] as const);

function whole(value: number): number {
  return value > 0 && value < Number.MAX_SAFE_INTEGER ? Math.round(value) : 0;
}
