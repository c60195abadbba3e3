import { randomBytes } from "node:crypto";
import { sha256 } from "../core/digest.ts";
import { HoldpointError } from "../core/errors.ts";
import type { EventBody, ThreadEvent } from "../core/events.ts";
import { evolve } from "../core/evolve.ts";
import { standingAgent } from "../core/standing.ts";
import { initialState } from "../core/state.ts";
import type { WindowRecord } from "../core/window/window-record.ts";
import { allTextsOf } from "./artifacts.ts";
import { now, threadNotFound } from "./change-thread.ts";
import { requestersOf } from "./operations/request.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Starts a thread with the first `at` events of another. Approvals that were not used up by then are asked for again,
 * since one approval starts one action (I5).
 *
 * @throws `thread_not_found`; `usage` when the thread has no such event.
 */
export async function forkThread(
  runtime: Runtime,
  threadId: string,
  options: { readonly at: number; readonly by: string },
): Promise<string> {
  const events = await runtime.store.read(threadId);
  if (events.length === 0) throw threadNotFound(threadId);
  if (!Number.isInteger(options.at) || options.at < 1 || options.at > events.length) {
    throw new HoldpointError(
      "usage",
      `thread ${threadId} has events 1 to ${events.length}; ${options.at} is none of them`,
    );
  }
  if (events[0]?.type === "thread_started" && events[0].agent === standingAgent) {
    throw new HoldpointError(
      "usage",
      `${threadId} is a standing approval; a fork would have its uses again`,
      {
        fix: "Grant another: `holdpoint standing grant`.",
      },
    );
  }
  assertNothingStarted(events.slice(0, options.at), threadId);
  const forkId = `th_${randomBytes(8).toString("hex")}`;
  const texts = await allTextsOf(runtime.store, events.slice(0, options.at)); // the origin may be removed any time
  const bodies = forkedEvents(runtime, events.slice(0, options.at), { threadId, forkId, ...options });
  await runtime.store.append({
    threadId: forkId,
    expectedSeq: 0,
    events: bodies.map((body) => ({ body, at: now(runtime) })),
    artifacts: [...texts].map(([digest, text]) => ({ digest, text })),
  });
  await runtime.dispatcher.send(forkId, { id: "started" });
  return forkId;
}

/** I5. A fork in the middle of an action would run it a second time under the same approval. */
function assertNothingStarted(events: readonly ThreadEvent[], threadId: string): void {
  const state = events.reduce(evolve, initialState());
  for (const { key, start, settled } of state.operations.values()) {
    if (!start || settled) continue;
    throw new HoldpointError(
      "usage",
      `at event ${events.length} of thread ${threadId}, ${key} has started and not ended`,
      {
        fix: `Fork before event ${start.seq}, or after its end.`,
      },
    );
  }
}

function forkedEvents(
  runtime: Runtime,
  events: readonly ThreadEvent[],
  fork: { readonly threadId: string; readonly forkId: string; readonly at: number; readonly by: string },
): readonly EventBody[] {
  const state = events.reduce(evolve, initialState());
  const requestId = (old: string): string => `r_${sha256(`${fork.forkId} ${old}`).slice(0, 12)}`;
  const isUnused = (id: string): boolean => {
    const request = state.requests.get(id);
    const owner = state.operations.get(request?.opened.key ?? "");
    const isNewest = owner?.request === request && !owner?.settled; // else it was asked again, or needs no answer
    return request?.opened.kind === "approval" && request.status === "decided" && !request.used && isNewest;
  };
  const forked = (copied: ThreadEvent): readonly EventBody[] => {
    const { seq: _seq, at: _at, ...body } = copied;
    switch (body.type) {
      case "thread_started": {
        const { parent: _parent, requesters: _, ...rest } = body;
        const requesters = requestersOf(state); // who forks must not make others' requests their own to approve
        return [
          {
            ...rest,
            threadId: fork.forkId,
            by: fork.by,
            ...(requesters.length === 0 ? {} : { requesters }),
            forkedFrom: { threadId: fork.threadId, seq: fork.at },
          },
        ];
      }
      case "request_opened": {
        const isOpen = isUnused(body.requestId) || state.requests.get(body.requestId)?.status === "open";
        const times = isOpen ? renewedTimes(runtime, body, copied.at) : {};
        return [{ ...body, requestId: requestId(body.requestId), ...times }];
      }
      case "request_voted":
      case "request_reminded":
      case "request_escalated": {
        const startsAnew = isUnused(body.requestId) || state.requests.get(body.requestId)?.status === "open";
        return startsAnew ? [] : [{ ...body, requestId: requestId(body.requestId) }];
      }
      case "request_expired":
        return [{ ...body, requestId: requestId(body.requestId) }];
      case "request_decided": {
        return isUnused(body.requestId) ? [] : [{ ...body, requestId: requestId(body.requestId) }];
      }
      case "child_started":
        return state.operations.get(body.key)?.settled ? [body] : []; // the fork starts a child of its own
      case "action_started": {
        const { counts, ...rest } = body; // the day has them from the origin: nothing started a second time
        const ofThread = counts?.filter(({ per }) => per === "thread") ?? [];
        return [ofThread.length === 0 ? rest : { ...rest, counts: ofThread }];
      }
      case "thread_completed":
      case "thread_failed":
      case "thread_cancelled":
        return []; // the fork goes on from before the end
      default:
        return [body as EventBody]; // the destructuring loses which member of the union it is
    }
  };
  return counted(moved(events.map(forked)));
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
  runtime: Runtime,
  { expiresAt, remindAt, escalateAt }: Extract<EventBody, { type: "request_opened" }>,
  openedAt: string,
) {
  const renew = (at: string): string => renewed(runtime, at, openedAt) ?? at;
  return {
    expiresAt: renewed(runtime, expiresAt, openedAt),
    ...(remindAt && { remindAt: remindAt.map(renew) }),
    ...(escalateAt && { escalateAt: escalateAt.map(({ at, to }) => ({ at: renew(at), to })) }),
  };
}

/** A deadline as far from now as it was from when it was set. */
function renewed(runtime: Runtime, expiresAt: string | null, openedAt: string): string | null {
  if (expiresAt === null) return null;
  return new Date(runtime.clock.now() + Date.parse(expiresAt) - Date.parse(openedAt)).toISOString();
}
