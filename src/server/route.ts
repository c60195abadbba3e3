// What a route is: its place, who may use it, the schemas of what comes and goes, and what it does.
import { type OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context as HonoContext } from "hono";
import { HoldpointError } from "../core/errors.ts";
import type { TokenRow, TokenScope } from "../ports/token-store.ts";
import { readJson } from "./read-body.ts";
import { problem } from "./schemas.ts";
import type { Service } from "./service.ts";
import { assertScope, unauthenticated } from "./tokens.ts";

/** What is known of a request before its route is asked. */
export interface RequestFacts {
  readonly requestId: string;
  readonly remote: string | null;
  /** Aborts when the client is gone or the service stops. */
  readonly signal: AbortSignal;
  /** Who sent it, by its bearer token; `null` without one. */
  readonly caller: TokenRow | null;
  /** The pattern of its route, once that is known; `none` before. */
  route: string;
}

export interface Env {
  Bindings: { facts: RequestFacts };
}

const text = z.string();

export type App = OpenAPIHono<Env>;

type Shape = z.ZodType | undefined;
type OutputOf<Schema extends Shape> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** Who may use a route: anybody, or bearers of a token with this scope. */
type Access = TokenScope | "public";

interface RouteDefinition<Params extends Shape, Query extends Shape, Body extends Shape> {
  /** Its `operationId`: the name that generated clients give it. */
  readonly id: string;
  readonly method: "get" | "post";
  /** As OpenAPI writes it: `/v1/threads/{threadId}`. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly headers?: z.ZodObject;
  readonly body?: Body;
  readonly responses: { readonly [status: number]: RouteResponse };
}

interface RouteResponse {
  readonly description: string;
  /** Of its JSON; absent for other content. */
  readonly schema?: z.ZodType;
  /** Other content by its type. */
  readonly types?: readonly string[];
}

/** What a route's function is given. */
export interface RouteRequest<Params, Query, Body> extends Omit<RequestFacts, "caller"> {
  readonly caller: TokenRow;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly headers: Headers;
}

/** Adds a route to the service and to its document. */
export function addRoute<
  Params extends Shape = undefined,
  Query extends Shape = undefined,
  Body extends Shape = undefined,
>(
  app: App,
  service: Service,
  route: RouteDefinition<Params, Query, Body>,
  answer: (request: RouteRequest<OutputOf<Params>, OutputOf<Query>, OutputOf<Body>>) => Promise<Response>,
): void {
  document(app, route);
  app.on(route.method, honoPath(route.path), async (context) => {
    const { facts } = context.env;
    facts.route = route.path;
    const caller = callerOf(facts, route.access);
    const request = context.req.raw;
    return answer({
      ...facts,
      caller,
      params: parsed(route.params, context.req.param(), "the address"),
      query: parsed(route.query, queryOf(context), "the query"),
      body: route.body && parsed(route.body, await readJson(request, service.bodyLimits), "the body"),
      headers: request.headers,
    } as RouteRequest<OutputOf<Params>, OutputOf<Query>, OutputOf<Body>>); // `parsed` gives what the schemas make
  });
}

/** `anonymous` is nobody in particular: what is open to all asks no further. */
const anonymous: TokenRow = {
  tokenId: "",
  principal: "anonymous",
  scopes: [],
  roles: [],
  createdAt: "",
  createdBy: "",
  expiresAt: null,
  revokedAt: null,
  usedAt: null,
};

function callerOf({ caller }: RequestFacts, access: Access): TokenRow {
  if (access === "public") return caller ?? anonymous;
  if (!caller) throw unauthenticated("this needs a token");
  assertScope(caller, access);
  return caller;
}

function honoPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

/** Each name once: which of two values counts is nothing to guess at. */
function queryOf(context: HonoContext): Readonly<Record<string, string>> {
  const entries = Object.entries(context.req.queries()).map(([name, values]) => {
    if (values.length === 1) return [name, values[0] ?? ""];
    throw new HoldpointError("usage", `${JSON.stringify(name)} is given twice in the query`);
  });
  return Object.fromEntries(entries);
}

function parsed(schema: Shape, value: unknown, what: string): unknown {
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const why = result.error.issues
    .map((issue) => `${issue.path.join(".")} ${issue.message}`.trim())
    .join("; ");
  throw new HoldpointError("usage", `${what} is not valid: ${why.slice(0, 2_000)}`, {
    fix: "See /openapi.json.",
  });
}

function document<Params extends Shape, Query extends Shape, Body extends Shape>(
  app: App,
  route: RouteDefinition<Params, Query, Body>,
): void {
  const { id, method, path, access, summary, params, query, headers, body, responses } = route;
  app.openAPIRegistry.registerPath({
    method,
    path,
    operationId: id,
    summary,
    security: access === "public" ? [] : [{ bearer: [access] }],
    request: {
      ...(params && { params: params as unknown as z.ZodObject }), // they are objects: parameters have names
      ...(query && { query: query as unknown as z.ZodObject }),
      ...(headers && { headers }),
      ...(body && { body: { required: true, content: { "application/json": { schema: body } } } }),
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(([status, response]) => [status, content(response)]),
      ),
      default: {
        description: "A refusal: see `code`.",
        content: { "application/problem+json": { schema: problem } },
      },
    },
  });
}

function content({ description, schema, types = [] }: RouteResponse): {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: z.ZodType }>>;
} {
  const all = [
    ...(schema ? [["application/json", { schema }] as const] : []),
    ...types.map((type) => [type, { schema: text }] as const),
  ];
  return { description, ...(all.length > 0 && { content: Object.fromEntries(all) }) };
}
