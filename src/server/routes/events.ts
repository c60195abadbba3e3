import { z } from "@hono/zod-openapi";
import { HoldpointError } from "../../core/errors.ts";
import type { ThreadRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { isOver, threadRow } from "../../runtime/thread-report.ts";
import { json } from "../answer.ts";
import type { Follower } from "../live.ts";
import { type App, addRoute } from "../route.ts";
import * as schemas from "../schemas.ts";
import type { Service } from "../service.ts";
import { eventStream } from "../sse.ts";
import { isUsable } from "../tokens.ts";

const eventsQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,4}$/)
    .optional()
    .meta({ description: "Events of a page, 1 to 1,000. Default 100." }),
  cursor: schemas.seqParam.optional().meta({ description: "The `seq` of the last event that is known." }),
});

const streamHeaders = z.object({
  accept: z
    .string()
    .optional()
    .meta({ description: "`text/event-stream` for a stream that goes on with the thread." }),
  "last-event-id": schemas.seqParam.optional().meta({ description: "Of a stream: where it broke off." }),
});

const defaultLimit = 100;
const maxLimit = 1_000;

export function addEventRoutes(app: App, service: Service): void {
  addRoute(
    app,
    service,
    {
      id: "listEvents",
      method: "get",
      path: "/v1/threads/{threadId}/events",
      access: "read",
      summary: "A thread's events: a page, or a stream that ends with the thread",
      params: z.object({ threadId: schemas.idParam }),
      query: eventsQuery,
      headers: streamHeaders,
      responses: {
        200: { description: "Events.", schema: schemas.eventPage, types: ["text/event-stream"] },
        204: { description: "Of a stream: the thread has ended, and there is nothing more." },
      },
    },
    async ({ params: { threadId }, query, headers, caller }) => {
      const row = await threadRow(service.runtime.store, threadId);
      const cursor = Number(query.cursor ?? 0);
      if (!wantsStream(headers)) return page(service, row, cursor, query.limit);
      return stream(service, row, lastEventId(headers) ?? cursor, caller);
    },
  );
}

function wantsStream(headers: Headers): boolean {
  return (headers.get("accept") ?? "").toLowerCase().includes("text/event-stream");
}

function lastEventId(headers: Headers): number | null {
  const id = headers.get("last-event-id");
  if (id === null || id === "") return null;
  if (/^\d{1,15}$/.test(id)) return Number(id);
  throw new HoldpointError(
    "usage",
    `Last-Event-ID is the seq of an event, not ${JSON.stringify(id.slice(0, 40))}`,
  );
}

async function page(
  service: Service,
  row: ThreadRow,
  cursor: number,
  asked: string | undefined,
): Promise<Response> {
  const limit = Number(asked ?? defaultLimit);
  if (limit < 1 || limit > maxLimit)
    throw new HoldpointError("usage", `a page has 1 to ${maxLimit} events, not ${limit}`);
  const rest = await service.runtime.store.read(row.threadId, { afterSeq: cursor, limit: limit + 1 });
  const events = rest.slice(0, limit);
  const last = events.at(-1);
  return json(200, { events, nextCursor: rest.length > limit && last ? String(last.seq) : null });
}

async function stream(
  service: Service,
  row: ThreadRow,
  afterSeq: number,
  { tokenId }: TokenRow,
): Promise<Response> {
  const { live, maxStreams, runtime } = service;
  if (afterSeq > row.headSeq)
    throw new HoldpointError(
      "usage",
      `thread ${row.threadId} has ${row.headSeq} events; none follows ${afterSeq} yet`,
    );
  if (service.isStopping() || live.followers >= maxStreams) throw busy(live.followers);
  if (isOver(row.status) && afterSeq === row.headSeq) return new Response(null, { status: 204 }); // an EventSource then stops
  const follower = await followWithin(service, row.threadId, tokenId);
  return eventStream({
    follower,
    afterSeq,
    isOver: isOver(row.status),
    random: runtime.random,
    mayGoOn: lookingAfter(service, tokenId),
  });
}

async function followWithin(
  { live, streamShares }: Service,
  threadId: string,
  tokenId: string,
): Promise<Follower> {
  const giveBack = streamShares.take(tokenId);
  try {
    const follower = await live.follow(threadId);
    return {
      ...follower,
      leave() {
        giveBack();
        follower.leave();
      },
    };
  } catch (error) {
    giveBack();
    throw error;
  }
}

/** How long a look at a token counts, in milliseconds: a busy stream asks for every event. */
const lookCountsMs = 2_000;

/** Whether a token opens anything, as of a moment ago. */
function lookingAfter({ tokens, runtime: { clock } }: Service, tokenId: string): () => Promise<boolean> {
  let lookedAt = clock.now();
  return async () => {
    const now = clock.now();
    if (Math.abs(now - lookedAt) < lookCountsMs) return true;
    lookedAt = now;
    const token = await tokens.get(tokenId);
    return token !== null && isUsable(token, now);
  };
}

function busy(streams: number): HoldpointError {
  return new HoldpointError("service_busy", `the service holds ${streams} streams and takes no more now`, {
    retryable: true,
    retryAfterMs: 5_000,
  });
}
