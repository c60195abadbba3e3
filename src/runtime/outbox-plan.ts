// What the events of the log do to a channel's copies. Everything follows from the list of events and the requests as
// they are now, so a process that dies here has changed nothing, and the next one finds the same.
import { whyNotApprover } from "../core/approvers.ts";
import { isHoldpointError } from "../core/errors.ts";
import { type Person, peopleFor } from "../core/person.ts";
import { unawaited } from "../core/unawaited.ts";
import type { DeliveryChannel } from "../ports/channel.ts";
import type { OutboxChange, OutboxFact } from "../ports/outbox.ts";
import type { RequestRow } from "../ports/store.ts";
import type { Runtime } from "./runtime.ts";

export async function planChanges(
  runtime: Runtime,
  channel: DeliveryChannel,
  people: readonly Person[],
  facts: readonly OutboxFact[],
): Promise<readonly OutboxChange[]> {
  const changes: OutboxChange[] = [];
  for (const fact of facts) changes.push(...(await changesOf(runtime, channel, people, fact)));
  return changes;
}

/** Types that this version does not write yet, or never will, are told by their names alone. */
async function changesOf(
  runtime: Runtime,
  channel: DeliveryChannel,
  people: readonly Person[],
  fact: OutboxFact,
): Promise<readonly OutboxChange[]> {
  const { eventId, type, threadId, requestId } = fact;
  if (requestId === null)
    return /^thread_(completed|failed|cancelled)$/.test(type) ? [{ kind: "end", eventId, threadId }] : [];
  switch (type) {
    case "request_opened":
      return ask(runtime, channel, people, fact, requestId);
    case "request_decided":
    case "request_expired":
      return [{ kind: "close", eventId, requestId }];
    case "request_reminded":
      return [{ kind: "remind", eventId, requestId }];
    case "request_voted":
      return [{ kind: "update", eventId, requestId }];
    case "request_escalated":
      return [
        { kind: "update", eventId, requestId },
        ...(fact.approvers?.length ? await ask(runtime, channel, people, fact, requestId) : []),
      ];
    default:
      return [];
  }
}

/** Nobody is asked what is settled already: a channel that was away for days has no old news to tell. */
async function ask(
  runtime: Runtime,
  channel: DeliveryChannel,
  people: readonly Person[],
  fact: OutboxFact,
  requestId: string,
): Promise<readonly OutboxChange[]> {
  const row = await findSound(runtime, fact.threadId, requestId);
  if (row?.status !== "open") return [];
  const named = fact.approvers ?? row.opened.approvers;
  const approvers = peopleFor(named, people).filter(
    ({ id, roles = [] }) => whyNotApprover(row.opened, named, { id, roles }) === null, // who started it, say
  );
  const recipients = recipientsOf(runtime, channel, row, approvers);
  return recipients.length === 0 ? [] : [{ kind: "ask", eventId: fact.eventId, requestId, recipients }];
}

/** What is damaged is told, and holds up nobody else; `verify` says more. A newer event is left to newer processes. */
async function findSound(
  runtime: Runtime,
  threadId: string,
  requestId: string,
): Promise<RequestRow | undefined> {
  try {
    return (await runtime.store.requests({ requestId })).rows[0];
  } catch (error) {
    if (!isHoldpointError(error, "store_corrupt")) throw error;
    runtime.observe({ kind: "problem", threadId, error });
    return undefined;
  }
}

/** The channel's code may be the user's: one request that it fails at must not hold up all others. */
function recipientsOf(
  runtime: Runtime,
  channel: DeliveryChannel,
  row: RequestRow,
  approvers: readonly Person[],
): readonly string[] {
  try {
    return [...unawaited(channel.recipients(row, approvers))]; // what is no list fails here
  } catch (error) {
    runtime.observe({ kind: "problem", threadId: row.threadId, error });
    return [];
  }
}
