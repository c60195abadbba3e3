import assert from "node:assert/strict";
import { type ErrorCode, isHoldpointError } from "../../core/errors.ts";
import type { EventBody } from "../../core/events.ts";
import type { Append, Lease, NewEvent, RequestRow, Store, ThreadRow } from "../../ports/store.ts";

/** Opens one more store on the data of the case that runs. */
export type OpenStore<Opened extends Store = Store> = () => Promise<Opened>;

/** `Opened` is a store with what the case is about beside it. */
export interface StoreCase<Opened extends Store = Store> {
  readonly name: string;
  run(open: OpenStore<Opened>): Promise<void>;
}

/** A case that needs one store. The store is closed after it. */
export function rule<Opened extends Store = Store>(
  name: string,
  check: (store: Opened) => Promise<void>,
): StoreCase<Opened> {
  return { name, run: async (open) => using(open, check) };
}

/** A case with two stores on the same data. */
export function pairRule<Opened extends Store = Store>(
  name: string,
  check: (one: Opened, other: Opened) => Promise<void>,
): StoreCase<Opened> {
  return { name, run: async (open) => using(open, (one) => using(open, (other) => check(one, other))) };
}

async function using<Opened extends Store>(
  open: OpenStore<Opened>,
  check: (store: Opened) => Promise<void>,
): Promise<void> {
  const store = await open();
  try {
    await check(store);
  } finally {
    await store.close();
  }
}

/** Noon of the day that all cases play on. */
export const noon: number = Date.parse("2026-11-23T12:00:00.000Z");

export function at(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

export function placed(...bodies: readonly EventBody[]): NewEvent[] {
  return bodies.map((body) => ({ body, at: at(noon) }));
}

export function started(
  threadId: string,
  extra: Partial<Extract<EventBody, { type: "thread_started" }>> = {},
): EventBody {
  return {
    type: "thread_started",
    v: 1,
    threadId,
    agent: "desk",
    agentVersion: "1",
    input: { value: { ticket: 7 } },
    by: "dana@example.com",
    ...extra,
  };
}

/** An event that changes no projection. */
export function noted(note: unknown = "noted"): EventBody {
  const result = { value: String(note) };
  return { type: "step_completed", v: 1, key: "step:note#1", attempt: 1, durationMs: 1, result };
}

export function completed(): EventBody {
  return { type: "thread_completed", v: 1, output: { value: "done" } };
}

export function timer(key: string, dueAt: number): EventBody {
  return { type: "timer_set", v: 1, key, dueAt: at(dueAt) };
}

export function waiting(key: string, signal: string, expiresAt: number | null = null): EventBody {
  return { type: "wait_started", v: 1, key, signal, expiresAt: expiresAt === null ? null : at(expiresAt) };
}

export function signalled(signal: string, signalId = "s_1"): EventBody {
  return { type: "signal_received", v: 1, signalId, signal, value: true, by: "hook" };
}

export function asked(requestId: string, expiresAt: number | null = null): EventBody {
  return {
    type: "request_opened",
    v: 1,
    requestId,
    key: `ask:${requestId}#1`,
    kind: "question",
    question: "Shall we?",
    choices: ["answer", "reject"],
    approvers: ["role:support-lead"],
    expiresAt: expiresAt === null ? null : at(expiresAt),
    why: "the flow asks",
  };
}

export function answered(requestId: string, value = "yes"): EventBody {
  return {
    type: "request_decided",
    v: 1,
    requestId,
    key: `ask:${requestId}#1`,
    verdict: { kind: "answer", value },
    by: "dana@example.com",
    via: "cli",
  };
}

/** Starts a thread with these events after its first. @returns its last `seq`. */
export function start(store: Store, threadId: string, ...bodies: readonly EventBody[]): Promise<number> {
  return store.append({ threadId, expectedSeq: 0, events: placed(started(threadId), ...bodies) });
}

/** Appends as people, signals and parents do: without a lease. */
export function append(
  store: Store,
  threadId: string,
  expectedSeq: number,
  ...bodies: readonly EventBody[]
): Promise<number> {
  return store.append({ threadId, expectedSeq, events: placed(...bodies) });
}

/** An append of the worker that holds `lease`. */
export function work(lease: Lease, expectedSeq: number, ...bodies: readonly EventBody[]): Append {
  return { threadId: lease.threadId, expectedSeq, events: placed(...bodies), lease };
}

export async function take(
  store: Store,
  threadId: string,
  owner = "w1",
  now: number = noon,
  ttlMs = 30_000,
): Promise<Lease> {
  const lease = await store.lease({ threadId, owner, ttlMs, now });
  assert.ok(lease, `${owner} gets the lease`);
  return lease;
}

export async function threadRow(store: Store, threadId: string): Promise<ThreadRow> {
  const { rows } = await store.threads({ threadId });
  assert.equal(rows.length, 1);
  return rows[0] as ThreadRow; // counted on the line before
}

export async function requestRow(store: Store, requestId: string): Promise<RequestRow> {
  const { rows } = await store.requests({ requestId });
  assert.equal(rows.length, 1);
  return rows[0] as RequestRow; // counted on the line before
}

/** The ids of the threads due at a time. */
export async function dueAt(store: Store, now: number): Promise<readonly string[]> {
  return (await store.due({ now, limit: 100 })).threadIds;
}

export async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const [outcome] = await Promise.allSettled([promise]);
  assert.equal(outcome.status, "rejected", `it is refused with ${code}`);
  if (outcome.status !== "rejected") return;
  if (!isHoldpointError(outcome.reason)) throw outcome.reason;
  assert.equal(outcome.reason.code, code);
}

/** Everything in the store is sound, and every projection is what the events say (I2). */
export async function sound(store: Store): Promise<void> {
  assert.deepEqual((await store.verify({})).problems, []);
}
