import { z } from "@hono/zod-openapi";
import { sha256 } from "../../core/digest.ts";
import { HoldpointError } from "../../core/errors.ts";
import { standingAgent } from "../../core/standing.ts";
import { exactInput } from "../../core/window/exact-input.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { threadNotFound } from "../../runtime/change-thread.ts";
import {
  cancelThread,
  type Started,
  sendSignal,
  startThread,
  wasStartedWith,
} from "../../runtime/commands.ts";
import { flagAction } from "../../runtime/flag-action.ts";
import { forkThread } from "../../runtime/fork.ts";
import { promptDocument } from "../../runtime/prompt-document.ts";
import { reportThread, threadDocument } from "../../runtime/thread-report.ts";
import { json } from "../answer.ts";
import { type App, addRoute, type RouteRequest } from "../route.ts";
import * as schemas from "../schemas.ts";
import type { Service } from "../service.ts";

const threadParams = z.object({ threadId: schemas.idParam });

const threadsQuery = z.strictObject({
  agent: z.string().max(64).optional(),
  status: schemas.threadStatus.optional(),
  parentId: schemas.idParam.optional(),
  ...schemas.pageQuery,
});

const startHeaders = z.object({
  "idempotency-key": z
    .string()
    .optional()
    .meta({ description: "1 to 200 visible characters. The same key of the same principal starts once." }),
});

export function addThreadRoutes(app: App, service: Service): void {
  const { runtime } = service;

  addRoute(
    app,
    service,
    {
      id: "listThreads",
      method: "get",
      path: "/v1/threads",
      access: "read",
      summary: "Threads, newest first; standing approvals only when `agent` names theirs",
      query: threadsQuery,
      responses: { 200: { description: "A page.", schema: schemas.threadPage } },
    },
    async ({ query }) => {
      const ofAgent = query.agent === undefined ? { exceptAgent: standingAgent } : {};
      const { rows, nextCursor } = await runtime.store.threads({ ...pageOf(query), ...ofAgent });
      return json(200, { threads: rows, nextCursor });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "startThread",
      method: "post",
      path: "/v1/threads",
      access: "run",
      summary: "Start a thread",
      headers: startHeaders,
      body: schemas.startThread,
      responses: {
        201: { description: "Started.", schema: schemas.started },
        200: { description: "Started before, with this key and this body.", schema: schemas.started },
      },
    },
    async (request) => {
      const { threadId, created } = await start(service, request);
      const location = `/v1/threads/${encodeURIComponent(threadId)}`;
      return json(created ? 201 : 200, { threadId, created }, { location });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "getThread",
      method: "get",
      path: "/v1/threads/{threadId}",
      access: "read",
      summary: "How a thread stands, what it gave and what it waits for",
      params: threadParams,
      responses: { 200: { description: "The thread.", schema: schemas.thread } },
    },
    async ({ params }) => json(200, threadDocument(await reportThread(runtime.store, params.threadId))),
  );

  addRoute(
    app,
    service,
    {
      id: "getPrompt",
      method: "get",
      path: "/v1/threads/{threadId}/prompt/{seq}",
      access: "read",
      summary: "The exact input of a model call, by the event that ended it",
      params: z.object({ threadId: schemas.idParam, seq: schemas.seqParam }),
      responses: { 200: { description: "The input, byte for byte.", schema: schemas.prompt } },
    },
    async ({ params: { threadId, seq } }) => {
      const events = await runtime.store.read(threadId);
      if (events.length === 0) throw threadNotFound(threadId);
      const shown = await exactInput(events, Number(seq), (digest) => runtime.store.artifact(digest));
      return json(200, promptDocument(threadId, shown));
    },
  );

  addRoute(
    app,
    service,
    {
      id: "sendSignal",
      method: "post",
      path: "/v1/threads/{threadId}/signals/{name}",
      access: "run",
      summary: "Send a signal, for `t.wait(name)`",
      params: z.object({ threadId: schemas.idParam, name: schemas.idParam }),
      body: schemas.sendSignal,
      responses: { 200: { description: "It is in the log.", schema: schemas.done } },
    },
    async ({ params: { threadId, name }, body: { value = null, signalId }, caller }) => {
      await sendSignal(runtime, threadId, {
        signal: name,
        value,
        by: caller.principal,
        ...(signalId !== undefined && { signalId }),
      });
      return json(200, { threadId });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "cancelThread",
      method: "post",
      path: "/v1/threads/{threadId}/cancel",
      access: "run",
      summary: "Cancel a thread and the children it waits for",
      params: threadParams,
      body: schemas.cancelThread,
      responses: { 200: { description: "It is cancelled.", schema: schemas.done } },
    },
    async ({ params: { threadId }, body: { why }, caller }) => {
      await cancelThread(runtime, threadId, { by: caller.principal, why });
      return json(200, { threadId });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "forkThread",
      method: "post",
      path: "/v1/threads/{threadId}/fork",
      access: "run",
      summary: "Start a thread with the first events of another",
      params: threadParams,
      body: schemas.forkThread,
      responses: { 201: { description: "The new thread.", schema: schemas.forked } },
    },
    async ({ params, body: { at }, caller }) => {
      const threadId = await forkThread(runtime, params.threadId, { at, by: caller.principal });
      return json(201, { threadId }, { location: `/v1/threads/${encodeURIComponent(threadId)}` });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "flagAction",
      method: "post",
      path: "/v1/threads/{threadId}/actions/{key}/flag",
      access: "decide",
      summary: "Say that an action which ran was wrong; the statistics count it",
      params: z.object({
        threadId: schemas.idParam,
        key: schemas.idParam.meta({
          description: "Of the action, such as `act:issue_refund#1`, percent-encoded.",
        }),
      }),
      body: schemas.flagAction,
      responses: { 200: { description: "It is flagged.", schema: schemas.flagged } },
    },
    async ({ params: { threadId, key }, body: { why }, caller }) => {
      const first = await flagAction(runtime, threadId, key, { by: caller.principal, why });
      return json(200, { threadId, key, first });
    },
  );
}

type StartRequest = RouteRequest<undefined, undefined, z.output<typeof schemas.startThread>>;

/** Starting twice with one key starts once; with another body it is refused, whichever process is asked. */
async function start({ runtime }: Service, request: StartRequest): Promise<Started> {
  const { body, caller, headers, signal } = request;
  const key = keyOf(headers);
  const started = await startThread(runtime, body.agent, body.input, {
    by: caller.principal,
    signal,
    ...(key !== null && { threadId: threadIdOf(caller, key) }),
  });
  if (
    started.created ||
    (await wasStartedWith(runtime, started.threadId, { ...body, input: body.input, signal }))
  )
    return started;
  throw new HoldpointError(
    "key_conflict",
    `this Idempotency-Key started thread ${started.threadId} with another body`,
    { fix: "Give each start a key of its own." },
  );
}

function keyOf(headers: Headers): string | null {
  const key = headers.get("idempotency-key");
  if (key === null || /^[\x21-\x7e]([\x20-\x7e]{0,198}[\x21-\x7e])?$/.test(key)) return key;
  throw new HoldpointError("usage", "an Idempotency-Key has 1 to 200 visible ASCII characters", {
    fix: "A UUID, or the id of what started it.",
  });
}

/** Keys are the principal's own: what somebody else chose as a key changes nothing. */
function threadIdOf({ principal }: TokenRow, key: string): string {
  return `th_${sha256(JSON.stringify(["http", principal, key])).slice(0, 32)}`;
}

type Present<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

/** A query as the store takes it. @throws `usage` for a limit that is none, and a cursor of another list. */
export function pageOf<Query extends { readonly limit?: string | undefined }>(
  query: Query,
): Partial<Present<Omit<Query, "limit">>> & { readonly limit?: number } {
  const { limit, ...rest } = query;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  const others = Object.fromEntries(given) as Partial<Present<Omit<Query, "limit">>>; // without what was not given
  return { ...others, ...(limit !== undefined && { limit: Number(limit) }) };
}
