// A fork is a new thread with the first events of another: these, as they stand in the fork. Pure.
import { sha256 } from "./digest.ts";
import type { EventBody, ThreadEvent, Unchecked } from "./events.ts";
import { evolve } from "./evolve.ts";
import { initialState, type ThreadState } from "./state.ts";
import type { WindowRecord } from "./window/window-record.ts";

export interface Fork {
  /** The thread it is made of. */
  readonly threadId: string;
  readonly forkId: string;
  /** The `seq` of the last event that is copied. */
  readonly at: number;
  readonly by: string;
  /** Who asked for the work so far: who forks must not make others' requests their own to approve. */
  readonly requesters: readonly string[];
  /** Why the fork starts although its agent's check fails: it is a start of its own, so the origin's reason is not copied. */
  readonly unchecked?: Unchecked | undefined;
  /** In milliseconds since the epoch: deadlines start anew. */
  readonly now: number;
}

/** The events of a fork. Approvals that were not used up are asked for again, since one approval starts one action (I5). */
export function forkedEvents(events: readonly ThreadEvent[], fork: Fork): readonly EventBody[] {
  const state = events.reduce(evolve, initialState());
  return counted(moved(events.map((event) => forkedEvent(state, event, fork))));
}

/** What becomes of one event: itself, changed, or nothing. */
function forkedEvent(state: ThreadState, copied: ThreadEvent, fork: Fork): readonly EventBody[] {
  const { seq: _seq, at: _at, ...body } = copied;
  switch (body.type) {
    case "thread_started":
      return [forkedStart(body, fork)];
    case "request_opened":
    case "request_voted":
    case "request_reminded":
    case "request_escalated":
    case "request_expired":
    case "request_decided":
      return forkedRequestEvent(state, body, copied.at, fork);
    case "child_started":
      return state.operations.get(body.key)?.settled ? [body] : []; // the fork starts a child of its own
    case "action_started":
      return [forkedActionStart(body)];
    case "thread_completed":
    case "thread_failed":
    case "thread_cancelled":
      return []; // the fork goes on from before the end
    default:
      return [body as EventBody]; // the destructuring loses which member of the union it is
  }
}

type BodyOf<Type extends EventBody["type"]> = Extract<EventBody, { type: Type }>;

function forkedStart(
  { parent: _parent, requesters: _, unchecked: _why, ...started }: BodyOf<"thread_started">,
  { threadId, forkId, at, by, requesters, unchecked }: Fork,
): EventBody {
  const asked = requesters.length === 0 ? {} : { requesters };
  const why = unchecked ? { unchecked } : {};
  return { ...started, threadId: forkId, by, ...asked, ...why, forkedFrom: { threadId, seq: at } };
}

/** The day has the counts from the origin: nothing started a second time. */
function forkedActionStart({ counts, ...started }: BodyOf<"action_started">): EventBody {
  const ofThread = counts?.filter(({ per }) => per === "thread") ?? [];
  return ofThread.length === 0 ? started : { ...started, counts: ofThread };
}

function forkedRequestEvent(
  state: ThreadState,
  body: BodyOf<
    | "request_opened"
    | "request_voted"
    | "request_reminded"
    | "request_escalated"
    | "request_expired"
    | "request_decided"
  >,
  at: string,
  { forkId, now }: Fork,
): readonly EventBody[] {
  const renamed = { ...body, requestId: `r_${sha256(`${forkId} ${body.requestId}`).slice(0, 12)}` };
  const isUnused = isUnusedApproval(state, body.requestId);
  const isOpen = isUnused || state.requests.get(body.requestId)?.status === "open";
  switch (renamed.type) {
    case "request_opened":
      return [isOpen ? { ...renamed, ...renewedTimes(now, renamed, at) } : renamed];
    case "request_expired":
      return [renamed];
    case "request_decided":
      return isUnused ? [] : [renamed];
    default:
      return isOpen ? [] : [renamed]; // votes, reminders and escalations start anew
  }
}

/** Decided, and nothing started by it yet. */
function isUnusedApproval(state: ThreadState, requestId: string): boolean {
  const request = state.requests.get(requestId);
  const owner = state.operations.get(request?.opened.key ?? "");
  const isNewest = owner?.request === request && !owner?.settled; // else it was asked again, or needs no answer
  return request?.opened.kind === "approval" && request.status === "decided" && !request.used && isNewest;
}

/** Copies happened in the origin: whoever counts must know how many there are. */
function counted([started, ...rest]: readonly EventBody[]): readonly EventBody[] {
  if (started?.type !== "thread_started" || !started.forkedFrom) return [];
  return [{ ...started, forkedFrom: { ...started.forkedFrom, events: rest.length + 1 } }, ...rest];
}

/** Where events were left out, those that name others by their `seq` name them by their new one. */
function moved(copies: readonly (readonly EventBody[])[]): readonly EventBody[] {
  const places: number[] = [0];
  for (const copy of copies) places.push((places.at(-1) ?? 0) + copy.length);
  const place = (seq: number): number => places[Math.min(seq, places.length - 1)] ?? seq;
  /** The first event that is kept, from `seq` on. */
  const from = (seq: number): number => (seq === 0 ? 0 : place(seq - 1) + 1);
  return copies.flat().map((body) => {
    if (body.type === "request_opened" && body.sources) {
      const sources = body.sources.map((source) =>
        source.found ? { ...source, found: { ...source.found, seq: place(source.found.seq) } } : source,
      );
      return { ...body, sources };
    }
    if (body.type === "window_compacted") return { ...body, toSeq: from(body.toSeq) };
    if ((body.type !== "decision_made" && body.type !== "decision_rejected") || !body.window) return body;
    return { ...body, window: movedWindow(body.window, place, from) };
  });
}

function movedWindow(
  record: WindowRecord,
  place: (seq: number) => number,
  from: (seq: number) => number,
): WindowRecord {
  const { view, parts } = record;
  return {
    ...record,
    fromSeq: from(record.fromSeq),
    ...(view && {
      view: {
        ...view,
        summarised: from(view.summarised),
        lined: from(view.lined),
        referenced: from(view.referenced),
      },
    }),
    ...(parts && {
      parts: {
        ...parts,
        from: place(parts.from),
        list: parts.list.map((part) =>
          "seqs" in part && part.seqs
            ? { ...part, seqs: [from(part.seqs[0]), place(part.seqs[1])] as const }
            : part,
        ),
      },
    }),
  };
}

/** All times of a request that is open in the fork: nobody was reminded of it yet. */
function renewedTimes(
  now: number,
  { expiresAt, remindAt, escalateAt }: Extract<EventBody, { type: "request_opened" }>,
  openedAt: string,
) {
  const renew = (at: string): string => renewed(now, at, openedAt) ?? at;
  return {
    expiresAt: renewed(now, expiresAt, openedAt),
    ...(remindAt && { remindAt: remindAt.map(renew) }),
    ...(escalateAt && { escalateAt: escalateAt.map(({ at, to }) => ({ at: renew(at), to })) }),
  };
}

/** A deadline as far from now as it was from when it was set. */
function renewed(now: number, expiresAt: string | null, openedAt: string): string | null {
  if (expiresAt === null) return null;
  return new Date(now + Date.parse(expiresAt) - Date.parse(openedAt)).toISOString();
}
