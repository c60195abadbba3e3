// Sends what the outbox holds. The store says what is owed and remembers what became of it; this is the liveness only,
// and any number of processes may do it at once.
import { HoldpointError, isHoldpointError, toErrorInfo } from "../core/errors.ts";
import { toJson } from "../core/json.ts";
import type { Person } from "../core/person.ts";
import type { DeliveryChannel, Notice } from "../ports/channel.ts";
import type { ClaimedDelivery, DeliveryOutcome, OutboxStore } from "../ports/outbox.ts";
import type { RequestRow } from "../ports/store.ts";
import { planChanges } from "./outbox-plan.ts";
import type { Runtime } from "./runtime.ts";
import { withTimeout } from "./with-timeout.ts";

export interface OutboxOptions {
  readonly outbox: OutboxStore;
  readonly channels: readonly DeliveryChannel[];
  /** Who can be reached, and how. */
  readonly people: readonly Person[];
  /** How long a delivery is tried before it is dead, in milliseconds. Default 3 days. */
  readonly maxAgeMs?: number;
}

export interface Outbox {
  /** Claims no more, gives deliveries under way the runtime's `graceMs`, and returns when all are settled. */
  close(): Promise<void>;
}

/** How often a channel looks for what is new or due. */
const pollMs = 500;
/** Deliveries of one channel that are under way at once. */
const lanes = 8;
/** How long one may take; it is held a little longer, so that it is settled before another process takes it. */
const deliverMs = 60_000;
const leaseMs = 90_000;
const threeDaysMs = 3 * 86_400_000;

const backoffMs = 2_000;
const maxBackoffMs = 900_000;
/** A receiver's own wish is honoured up to here. */
const maxRetryAfterMs = 3_600_000;
/** So many failures in a row mean that the other side is gone, not one message: then the channel rests. */
const failuresToRest = 5;
const maxRestMs = 60_000;

/** Sends until closed. */
export function startOutbox(runtime: Runtime, options: OutboxOptions): Outbox {
  assertNames(options.channels);
  const stop = new AbortController();
  const kill = new AbortController();
  const sending = options.channels.map((channel) =>
    sendUntil(runtime, newLine(channel, options), stop.signal, kill.signal),
  );
  return {
    async close() {
      stop.abort();
      const done = new AbortController();
      void runtime.clock.sleep(runtime.graceMs, done.signal).then(() => kill.abort());
      await Promise.all(sending);
      done.abort();
    },
  };
}

/**
 * Sends what is due now, and returns: nothing is waited for that is to be tried again later.
 *
 * @returns how many deliveries were tried.
 * @throws what the store throws.
 */
export async function settleOutbox(
  runtime: Runtime,
  options: OutboxOptions,
  signal: AbortSignal,
): Promise<number> {
  assertNames(options.channels);
  const tried = options.channels.map((channel) => pass(runtime, newLine(channel, options), signal, signal));
  return (await Promise.all(tried)).reduce((sum, count) => sum + count, 0);
}

/** @throws `usage` for two channels of one name: they would share cursor and deliveries. */
export function assertNames(channels: readonly DeliveryChannel[]): void {
  const names = channels.map((channel) => channel.name);
  const wrong = names.find((name, index) => !/^[a-z][a-z0-9-]*$/.test(name) || names.indexOf(name) !== index);
  if (wrong === undefined) return;
  throw new HoldpointError("usage", `the channel name "${wrong}" is given twice, or is none`, {
    fix: "Give each channel a `name` of its own, of lower-case letters, digits and -.",
  });
}

/** One channel, and how it has been going. */
interface Line {
  readonly channel: DeliveryChannel;
  readonly options: OutboxOptions;
  failures: number;
  restsUntil: number;
}

function newLine(channel: DeliveryChannel, options: OutboxOptions): Line {
  return { channel, options, failures: 0, restsUntil: 0 };
}

async function sendUntil(runtime: Runtime, line: Line, stop: AbortSignal, kill: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    try {
      await pass(runtime, line, stop, kill);
    } catch (error) {
      if (!isHoldpointError(error)) throw error;
      runtime.observe({ kind: "problem", threadId: "", error });
    }
    await runtime.clock.sleep(pollMs, stop);
  }
}

/** Takes in what is new, then sends what is due. */
async function pass(runtime: Runtime, line: Line, stop: AbortSignal, kill: AbortSignal): Promise<number> {
  await catchUp(runtime, line, stop);
  let tried = 0;
  const send = async (): Promise<void> => {
    while (!stop.aborted && runtime.clock.now() >= line.restsUntil) {
      const claimed = await line.options.outbox.claim({
        channel: line.channel.name,
        owner: runtime.owner,
        leaseMs,
        now: runtime.clock.now(),
      });
      if (claimed === null) return;
      tried += 1;
      const outcome = await tryDelivery(runtime, line, claimed, kill);
      await line.options.outbox.settle(claimed, outcome, runtime.clock.now());
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, send));
  const failed = ends.find((end) => end.status === "rejected");
  if (failed) throw failed.reason;
  return tried;
}

async function catchUp(runtime: Runtime, { channel, options }: Line, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const batch = await options.outbox.unseen(channel.name);
    if (batch === null) return;
    const changes = await planChanges(runtime, channel, options.people, batch.facts);
    const { from, to } = batch;
    // when another process was first, its changes are the same, and the next batch is what it left
    await options.outbox.advance({ channel: channel.name, from, to, changes, now: runtime.clock.now() });
  }
}

async function tryDelivery(
  runtime: Runtime,
  line: Line,
  claimed: ClaimedDelivery,
  kill: AbortSignal,
): Promise<DeliveryOutcome> {
  const { requestId, kind } = claimed.delivery;
  const request = (await runtime.store.requests({ requestId })).rows[0];
  if (!request || (kind === "close" ? !claimed.mayBeOut : isOver(runtime, request)))
    return { kind: "dropped" };
  const notice = noticeOf(runtime, line, claimed, request);
  const ended = await withTimeout(runtime.clock, deliverMs, kill, async (signal) =>
    toJson((await line.channel.deliver(notice, { signal })) ?? null),
  );
  switch (ended.kind) {
    case "returned":
      line.failures = 0;
      return { kind: "sent", receipt: ended.value };
    case "threw":
      return failed(runtime, line, claimed, ended.error);
    case "timeout":
      return failed(runtime, line, claimed, new Error(`no answer within ${deliverMs} ms`));
    case "aborted":
      return { kind: "retry", at: runtime.clock.now(), error: "told to stop", arrived: "unknown" };
    default:
      return ended satisfies never;
  }
}

/** Nobody is asked what they can no longer answer. */
function isOver(runtime: Runtime, { status, opened: { expiresAt } }: RequestRow): boolean {
  return status !== "open" || (expiresAt !== null && Date.parse(expiresAt) <= runtime.clock.now());
}

function noticeOf(
  runtime: Runtime,
  { options }: Line,
  { delivery, copyReceipt }: ClaimedDelivery,
  request: RequestRow,
): Notice {
  const { deliveryId, kind, recipient, createdAt } = delivery;
  return {
    deliveryId,
    kind,
    request,
    recipient,
    person: options.people.find((person) => person.id === recipient) ?? null,
    receipt: copyReceipt,
    createdAt: Date.parse(createdAt),
    now: runtime.clock.now(),
  };
}

function failed(
  runtime: Runtime,
  line: Line,
  { delivery }: ClaimedDelivery,
  thrown: unknown,
): DeliveryOutcome {
  const error = runtime.redact.value(toErrorInfo(thrown, "channel_unavailable").message);
  const now = runtime.clock.now();
  if (isHoldpointError(thrown, "channel_refused")) return dead(runtime, line, delivery.threadId, error);
  const retryAfterMs = isHoldpointError(thrown) ? (thrown.retryAfterMs ?? 0) : 0;
  rest(runtime, line, retryAfterMs);
  const tooOld = now - Date.parse(delivery.createdAt) >= (line.options.maxAgeMs ?? threeDaysMs);
  if (tooOld) return dead(runtime, line, delivery.threadId, error);
  const waitMs = Math.max(delayMs(delivery.attempts, runtime.random()), bounded(retryAfterMs));
  const arrived = isHoldpointError(thrown) && thrown.details?.arrived === false ? false : "unknown";
  return { kind: "retry", at: now + waitMs, error, arrived };
}

function dead(runtime: Runtime, { channel }: Line, threadId: string, error: string): DeliveryOutcome {
  const message = `channel ${channel.name} gave up on a delivery: ${error}`;
  const fix = "See `holdpoint deliveries --failed`; `holdpoint deliveries retry <id>` sends it again.";
  const problem = new HoldpointError("channel_refused", message, { fix });
  runtime.observe({ kind: "problem", threadId, error: problem });
  return { kind: "dead", error };
}

/** Doubling from 2 s to 15 min, less up to a quarter of jitter. */
function delayMs(attempt: number, random: number): number {
  return Math.round(Math.min(maxBackoffMs, backoffMs * 2 ** Math.min(attempt - 1, 20)) * (1 - random / 4));
}

function bounded(retryAfterMs: number): number {
  return Math.min(Math.max(0, retryAfterMs), maxRetryAfterMs);
}

/** Ten thousand messages for a server that is down are not tried one by one; nor one that asked for a pause. */
function rest(runtime: Runtime, line: Line, retryAfterMs: number): void {
  line.failures += 1;
  const over = line.failures - failuresToRest;
  const ownMs = over < 0 ? 0 : Math.min(maxRestMs, 1_000 * 2 ** Math.min(over, 10));
  line.restsUntil = Math.max(line.restsUntil, runtime.clock.now() + Math.max(ownMs, bounded(retryAfterMs)));
}
