// What events put into columns of projections. Columns hold less than events, which are JSON and lose nothing: SQLite
// keeps text as UTF-8, where a lone surrogate has no place, and Node 22 reads a text no further than a NUL.
import type { EventBody, EventOf, ThreadEvent } from "../../core/events.ts";
import { type Delta, projectionDelta, titleOf } from "../../core/projection.ts";

/** Text as a column can hold it. */
export function columnText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}

/** The columns of a thread's row that its first event sets for good. */
export interface ThreadColumns {
  readonly agent: string;
  readonly agentVersion: string;
  readonly title: string;
  readonly parentId: string | null;
  readonly createdAt: string;
}

export function threadColumns(started: EventOf<"thread_started">): ThreadColumns {
  return {
    agent: columnText(started.agent),
    agentVersion: columnText(started.agentVersion),
    title: columnText(titleOf(started)),
    parentId: started.parent ? columnText(started.parent.threadId) : null,
    createdAt: started.at,
  };
}

/** What an event changes in the projections, in column text; `null` for the many that change nothing. */
export function columnDelta(event: EventBody | ThreadEvent): Delta | null {
  const delta = projectionDelta(event);
  if (isEmpty(delta)) return null;
  const { waitOpened, waitClosed, signalled, counted, requestOpened, requestChanged, requestClosed } = delta;
  return {
    ...delta,
    ...(waitOpened && { waitOpened: withColumnText(waitOpened) }),
    ...(waitClosed !== undefined && { waitClosed: columnText(waitClosed) }),
    ...(signalled !== undefined && { signalled: columnText(signalled) }),
    ...(counted && { counted: counted.map((count) => ({ ...count, name: columnText(count.name) })) }),
    ...(requestOpened && { requestOpened: withRequestId(requestOpened) }),
    ...(requestChanged && { requestChanged: withRequestId(requestChanged) }),
    ...(requestClosed && { requestClosed: withRequestId(requestClosed) }),
  };
}

function withColumnText(wait: NonNullable<Delta["waitOpened"]>): NonNullable<Delta["waitOpened"]> {
  return {
    ...wait,
    key: columnText(wait.key),
    signal: wait.signal === null ? null : columnText(wait.signal),
  };
}

function withRequestId<Request extends { readonly requestId: string }>(request: Request): Request {
  return { ...request, requestId: columnText(request.requestId) };
}

function isEmpty(delta: Delta): boolean {
  for (const _ in delta) return false;
  return true;
}
