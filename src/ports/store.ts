import type { EventBody, EventOf, ThreadEvent, Verdict, Vote } from "../core/events.ts";

/** Proof that one worker may append to one thread. `number` grows with every change of hands (a fencing token). */
export interface Lease {
  readonly threadId: string;
  readonly owner: string;
  readonly number: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** How many leases of this thread in a row ran out, without one event appended: the worker died each time. */
  readonly crashes: number;
}

export interface NewEvent {
  readonly body: EventBody;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** What the sum of a name may be on the day of an append's last event, with what the append itself adds. */
export interface TallyLimit {
  readonly name: string;
  readonly max: number;
}

export interface Append {
  readonly threadId: string;
  /** The thread's last `seq` as the caller knows it; 0 creates the thread, and its first event is `thread_started`. */
  readonly expectedSeq: number;
  readonly events: readonly NewEvent[];
  /** Given by the worker that runs the thread. People, signals and parents append without one. */
  readonly lease?: Lease;
  /** True: the thread is not made due, since no worker runs it. */
  readonly isQuiet?: boolean;
  /** Sums that must hold in the transaction of the append, over all threads; else it is refused. */
  readonly limits?: readonly TallyLimit[];
  /** Large values that the events refer to, written in the same transaction. `text` is their JSON. */
  readonly artifacts?: readonly { readonly digest: string; readonly text: string }[];
}

export type ThreadStatus = "running" | "waiting" | "completed" | "failed" | "cancelled";

/** A projection: what lists show of a thread. */
export interface ThreadRow {
  readonly threadId: string;
  readonly agent: string;
  readonly agentVersion: string;
  readonly status: ThreadStatus;
  /** The first 120 characters of the input's JSON; of a large input, of its preview. */
  readonly title: string;
  readonly parentId: string | null;
  readonly headSeq: number;
  readonly decisions: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly openRequests: number;
  /** Keys of what the thread waits for besides people: timers, signals, children, retries. */
  readonly waits: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
  /** When it next needs a turn; `null` when only people or signals can wake it. A hint of the dispatch, no projection. */
  readonly dueAt: string | null;
}

export type RequestStatus = "open" | "decided" | "expired" | "withdrawn";

/** A projection: one request to people, as the inbox shows it. */
export interface RequestRow {
  readonly requestId: string;
  readonly threadId: string;
  readonly agent: string;
  /** The thread's last `seq` at the moment that the row shows: an append at it is made on just this. */
  readonly headSeq: number;
  readonly status: RequestStatus;
  readonly opened: EventOf<"request_opened">;
  /** Who may decide: those of the opening, and whom it was escalated to. */
  readonly approvers: readonly string[];
  /** Approvals so far, of a request that needs several. */
  readonly votes: readonly Vote[];
  /** When an open request next needs a turn: for a reminder, an escalation, or its deadline. */
  readonly dueAt: string | null;
  readonly verdict: Verdict | null;
  readonly by: string | null;
  readonly via: string | null;
  readonly decidedAt: string | null;
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Pass it as `cursor` for the next page; `null` at the end. */
  readonly nextCursor: string | null;
}

export interface ThreadQuery {
  readonly threadId?: string;
  readonly agent?: string;
  /** Leaves out the threads of this agent. */
  readonly exceptAgent?: string;
  readonly status?: ThreadStatus;
  readonly parentId?: string;
  /** 1 to 1,000; default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface RequestQuery {
  readonly requestId?: string;
  readonly threadId?: string;
  readonly status?: RequestStatus;
  readonly limit?: number;
  readonly cursor?: string;
}

export type ProblemKind = "file" | "chain" | "sequence" | "event" | "projection" | "artifact";

/** One thing that `verify` found wrong, naming where. */
export interface Problem {
  readonly kind: ProblemKind;
  readonly threadId: string | null;
  readonly seq: number | null;
  readonly message: string;
}

export interface VerifyReport {
  readonly threads: number;
  readonly events: number;
  readonly problems: readonly Problem[];
}

/**
 * The durable log and what is computed from it. An append is durable when its promise resolves.
 *
 * What leaks through: every method may reject with `store_busy` (another process writes), `store_full`,
 * `store_unavailable` (I/O) or `store_corrupt`; after `store_unavailable` the caller does not know whether the append
 * is there, and reads again.
 */
export interface Store {
  /**
   * I1. Appends all events or none, in one durable transaction with the projections (I2).
   * An event that ends a thread withdraws its open requests, clears its waits, and makes its parent due.
   * Appending without a lease makes the thread due at once.
   *
   * @returns the thread's new last `seq`.
   * What `action_started` counts per day (`counts`) is added to the sum of its name on the UTC day of its `at`.
   *
   * @throws `append_conflict` when `expectedSeq` is not the last one; `tally_exceeded` when a sum would be over its limit,
   *   with `details` { name, day, total } (the sum without this append); `lease_lost` when `lease` is no longer held;
   *   `thread_not_found` when `expectedSeq` is not 0 and there is no such thread.
   */
  append(append: Append): Promise<number>;
  /** A thread's events in order, after `afterSeq` (default 0), at most `limit`. Empty when there is no such thread. */
  read(
    threadId: string,
    options?: { readonly afterSeq?: number; readonly limit?: number },
  ): Promise<readonly ThreadEvent[]>;
  /**
   * Takes the lease of a thread, or renews it when `owner` holds it already with `number`.
   *
   * @returns `null` when someone else holds it (renewal: when it was lost), there is no such open thread, or its agent is
   *   not among `agents` (default: any).
   */
  lease(request: {
    readonly threadId: string;
    readonly owner: string;
    readonly ttlMs: number;
    readonly now: number;
    readonly number?: number;
    readonly agents?: readonly string[];
  }): Promise<Lease | null>;
  /**
   * Gives a lease back. With `parkedAt` the thread is due again at its earliest timer or deadline after `now` (those up
   * to `now` the caller has seen, and could do nothing about), provided that its last `seq` is still `parkedAt` and no
   * child ended meanwhile; else, and without `parkedAt`, it is due at once, or
   * at `retryAt` (milliseconds since the epoch). Losing the lease before is no error.
   */
  release(
    lease: Lease,
    options: { readonly now: number; readonly parkedAt?: number; readonly retryAt?: number },
  ): Promise<void>;
  /**
   * Open threads that need a turn by `now`, longest due first, and when the next one will.
   *
   * With `agents` only theirs; `nextDueAt` may then be earlier, of another agent's thread. A store that knows no `agents`,
   * here and in `lease`, serves workers that all have the same ones: others put each other's threads off.
   */
  due(request: {
    readonly now: number;
    readonly limit: number;
    readonly agents?: readonly string[];
  }): Promise<{ readonly threadIds: readonly string[]; readonly nextDueAt: number | null }>;
  /** Newest first. */
  threads(query: ThreadQuery): Promise<Page<ThreadRow>>;
  /** Oldest first. */
  requests(query: RequestQuery): Promise<Page<RequestRow>>;
  /** JSON text of an artifact. @throws `artifact_missing`; `store_corrupt` when the text does not match the digest. */
  artifact(digest: string): Promise<string>;
  /**
   * Checks file, chains and events, computes every projection anew and compares; with `rebuild` it replaces those of
   * threads where they differ. Who holds a lease keeps it.
   */
  verify(options: { readonly threadId?: string; readonly rebuild?: boolean }): Promise<VerifyReport>;
  close(): Promise<void>;
}
