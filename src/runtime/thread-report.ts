// What a command tells of a thread: how it stands, what it gave, and what it and its children wait for.
import { type ErrorInfo, HoldpointError, withoutRaw } from "../core/errors.ts";
import type { EventOf, Stored } from "../core/events.ts";
import { evolve } from "../core/evolve.ts";
import type { Json } from "../core/json.ts";
import { lookAlikes } from "../core/look-alikes.ts";
import { initialState, kindOfKey, type Operation, type ThreadEnd, type ThreadState } from "../core/state.ts";
import type { RequestRow, Store, ThreadRow, ThreadStatus } from "../ports/store.ts";
import { threadNotFound } from "./change-thread.ts";

/** Something besides people that a thread waits for. */
export type WaitReport = { readonly threadId: string; readonly key: string } & (
  | { readonly kind: "timer" | "retry"; readonly dueAt: string }
  | { readonly kind: "signal"; readonly signal: string; readonly dueAt: string | null }
  | { readonly kind: "child"; readonly childId: string; readonly dueAt: null }
);

export interface ThreadReport {
  readonly row: ThreadRow;
  readonly state: ThreadState;
  readonly output: Json | undefined;
  readonly error: ErrorInfo | null;
  /** Open requests of the thread and of the children it waits for. */
  readonly requests: readonly RequestRow[];
  /** Waits of both, likewise. */
  readonly waits: readonly WaitReport[];
  readonly children: readonly ThreadReport[];
}

/** @throws `thread_not_found`. */
export async function reportThread(store: Store, threadId: string): Promise<ThreadReport> {
  const row = await threadRow(store, threadId);
  const state = (await store.read(threadId)).reduce(evolve, initialState());
  const waits = state.end
    ? []
    : [...state.operations.values()].flatMap((operation) => waitOf(threadId, state, operation));
  const children = await reportChildren(store, waits);
  return {
    row,
    state,
    ...(await resultOf(store, state.end)),
    requests: [...(await openRequests(store, threadId)), ...children.flatMap((child) => child.requests)],
    waits: [...waits, ...children.flatMap((child) => child.waits)],
    children,
  };
}

/** @throws `thread_not_found`. */
export async function threadRow(store: Store, threadId: string): Promise<ThreadRow> {
  const row = (await store.threads({ threadId })).rows[0];
  if (row) return row;
  throw threadNotFound(threadId);
}

export function isOver(status: ThreadStatus): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

async function openRequests(store: Store, threadId: string): Promise<readonly RequestRow[]> {
  return (await store.requests({ threadId, status: "open", limit: 1_000 })).rows;
}

async function reportChildren(store: Store, waits: readonly WaitReport[]): Promise<readonly ThreadReport[]> {
  const reports: ThreadReport[] = [];
  for (const wait of waits) {
    if (wait.kind !== "child") continue;
    const started = (await store.threads({ threadId: wait.childId })).rows.length > 0;
    if (started) reports.push(await reportThread(store, wait.childId));
  }
  return reports;
}

function waitOf(threadId: string, state: ThreadState, operation: Operation): readonly WaitReport[] {
  const { key, dueAt, retryAt, child, settled } = operation;
  const kind = kindOfKey(key);
  if (settled) return [];
  if (child) return [{ threadId, key, kind: "child", childId: child.childId, dueAt: null }];
  if (kind === "wait") return [{ threadId, key, kind: "signal", signal: signalOf(state, key), dueAt }];
  if (kind === "sleep" && dueAt !== null) return [{ threadId, key, kind: "timer", dueAt }];
  return retryAt === null ? [] : [{ threadId, key, kind: "retry", dueAt: retryAt }];
}

function signalOf(state: ThreadState, key: string): string {
  return [...state.openWaits].find(([, waiting]) => waiting.includes(key))?.[0] ?? "";
}

async function resultOf(
  store: Store,
  end: ThreadEnd | null,
): Promise<{ readonly output: Json | undefined; readonly error: ErrorInfo | null }> {
  switch (end?.type) {
    case undefined:
      return { output: undefined, error: null };
    case "thread_completed":
      return { output: await storedValue(store, end.output), error: null };
    case "thread_failed":
      return { output: undefined, error: withoutRaw(end.error) }; // its event has what the error held
    case "thread_cancelled":
      return {
        output: undefined,
        error: { code: "thread_ended", message: `cancelled by ${end.by}: ${end.why}` },
      };
    default:
      return end satisfies never;
  }
}

/** A value of the log, read from its artifact when it is large. */
async function storedValue(store: Store, stored: Stored): Promise<Json | undefined> {
  return stored.artifact ? JSON.parse(await store.artifact(stored.artifact.digest)) : stored.value;
}

/** A request as `--json` and the HTTP service show it: all that was asked, as it stands now. */
export type RequestDocument = Omit<EventOf<"request_opened">, "type" | "v" | "seq" | "at"> &
  Omit<RequestRow, "opened" | "headSeq"> & {
    readonly openedAt: string;
    /** In the arguments; absent where there are none to approve. */
    readonly lookAlikes?: readonly string[];
  };

export function requestDocument({ opened, headSeq: _head, ...row }: RequestRow): RequestDocument {
  const { type: _type, v: _v, seq: _seq, at: openedAt, ...asked } = opened;
  const { action } = asked;
  return {
    ...asked,
    ...row,
    openedAt,
    ...(action && { lookAlikes: lookAlikes(JSON.stringify(action.args)) }),
  };
}

/** A thread as `--json` shows it. */
export function threadDocument({
  row,
  output,
  error,
  requests,
  waits,
}: ThreadReport): Readonly<Record<string, unknown>> {
  return {
    ...row,
    ...(row.status === "completed" ? { output: output ?? null } : {}),
    ...(error === null ? {} : { error }),
    requests: requests.map(requestDocument),
    waits,
  };
}

/** @throws `request_not_found`. */
export async function requestRow(store: Store, requestId: string): Promise<RequestRow> {
  const row = (await store.requests({ requestId })).rows[0];
  if (row) return row;
  throw new HoldpointError("request_not_found", `there is no request ${requestId}`, {
    fix: "`holdpoint inbox` lists the open ones.",
  });
}
