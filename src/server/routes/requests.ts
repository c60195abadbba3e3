import { z } from "@hono/zod-openapi";
import { HoldpointError } from "../../core/errors.ts";
import type { Verdict } from "../../core/events.ts";
import { viewRequest } from "../../core/request-view.ts";
import type { Page, RequestQuery, RequestRow } from "../../ports/store.ts";
import type { TokenRow } from "../../ports/token-store.ts";
import { decidableRequests } from "../../runtime/decidable.ts";
import { requestDocument, requestRow } from "../../runtime/thread-report.ts";
import { type Decided, decideRequest } from "../../runtime/verdicts.ts";
import { json } from "../answer.ts";
import { type App, addRoute } from "../route.ts";
import * as schemas from "../schemas.ts";
import { principalOf, type Service } from "../service.ts";
import { assertScope } from "../tokens.ts";
import { pageOf } from "./threads.ts";

const requestParams = z.object({ requestId: schemas.idParam });

export function addRequestRoutes(app: App, service: Service): void {
  const { store } = service.runtime;

  addRoute(
    app,
    service,
    {
      id: "listRequests",
      method: "get",
      path: "/v1/requests",
      access: "read",
      summary: "Requests to people, oldest first",
      query: z.strictObject({
        status: schemas.requestStatus.optional(),
        threadId: schemas.idParam.optional(),
        decidable: z.literal("true").optional().meta({
          description:
            "Open ones that this token may decide now. A page may hold fewer than there are: see `nextCursor`.",
        }),
        ...schemas.pageQuery,
      }),
      responses: { 200: { description: "A page.", schema: schemas.requestPage } },
    },
    async ({ query: { decidable, ...query }, caller }) => {
      const isDecidable = decidable !== undefined;
      const { rows, nextCursor } = isDecidable
        ? await decidableBy(service, caller, pageOf(query))
        : await store.requests(pageOf(query));
      return json(200, { requests: rows.map(requestDocument), nextCursor });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "getRequest",
      method: "get",
      path: "/v1/requests/{requestId}",
      access: "read",
      summary: "A request, and what to show of it to a person",
      params: requestParams,
      responses: { 200: { description: "The request.", schema: schemas.shownRequest } },
    },
    async ({ params: { requestId } }) => {
      const row = await requestRow(store, requestId);
      return json(200, { request: requestDocument(row), view: viewRequest(row) });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "decideRequest",
      method: "post",
      path: "/v1/requests/{requestId}/verdict",
      access: "decide",
      summary: "Decide a request; the same verdict again changes nothing, and another one is refused",
      params: requestParams,
      body: schemas.decide,
      responses: { 200: { description: "The verdict that stands.", schema: schemas.decided } },
    },
    async ({ params: { requestId }, body, caller, signal }) => {
      const { request, first } = await decide(service, requestId, { ...body, caller, via: "http", signal });
      return json(200, { request: requestDocument(request), first });
    },
  );
}

/**
 * What the bearer of a token may decide now.
 *
 * @throws `scope_missing` for a token that decides nothing; `usage` for requests that are not open.
 */
export async function decidableBy(
  service: Service,
  caller: TokenRow,
  { status = "open", ...query }: Omit<RequestQuery, "requestId">,
): Promise<Page<RequestRow>> {
  assertScope(caller, "decide");
  if (status !== "open")
    throw new HoldpointError("usage", `a request that is ${status} is not decidable`, {
      fix: "Leave `status` out.",
    });
  const { by: id, roles } = principalOf(service, caller);
  const { store, clock } = service.runtime;
  return decidableRequests(store, { principal: { id, roles }, now: clock.now(), ...query });
}

export interface GivenVerdict {
  readonly verdict: Verdict;
  /** Of the action that the person was shown. */
  readonly digest?: string | undefined;
  readonly caller: TokenRow;
  readonly via: string;
  readonly signal: AbortSignal;
}

/**
 * I5. Gives a verdict by whoever the token stands for, on what they were shown and nothing else.
 *
 * @throws `digest_mismatch`; what `decideRequest` throws.
 */
export async function decide(service: Service, requestId: string, given: GivenVerdict): Promise<Decided> {
  const { verdict, digest, caller, via, signal } = given;
  if (digest !== undefined) assertShown(await requestRow(service.runtime.store, requestId), digest);
  return decideRequest(service.runtime, requestId, { verdict, ...principalOf(service, caller), via, signal });
}

function assertShown({ requestId, opened }: RequestRow, digest: string): void {
  if (opened.action?.digest === digest) return;
  throw new HoldpointError("digest_mismatch", `what was shown is not what request ${requestId} is about`, {
    fix: "Load the request again, and decide on what it says now.",
  });
}
