// What belongs to running the service: is it there, does it work, what is it doing, what can it do.
import { isHoldpointError } from "../../core/errors.ts";
import type { AgentTotals } from "../../core/numbers/totals.ts";
import type { Clock } from "../../ports/clock.ts";
import type { NumbersStore } from "../../ports/numbers-store.ts";
import { json } from "../answer.ts";
import { type App, addRoute } from "../route.ts";
import * as schemas from "../schemas.ts";
import type { Service } from "../service.ts";

/** Without `numbers` the metrics tell nothing of what agents did. */
export function addOperationRoutes(app: App, service: Service, numbers: NumbersStore | undefined): void {
  const { runtime, feed, metrics, live, isMetricsOpen, version } = service;
  const totals = createTotals(numbers, runtime.clock);

  addRoute(
    app,
    service,
    {
      id: "listAgents",
      method: "get",
      path: "/v1/agents",
      access: "read",
      summary: "The agents of this service; those with `checkErrors` start no new thread",
      responses: { 200: { description: "All of them.", schema: schemas.agents } },
    },
    async () => json(200, { agents: agentsOf(service) }),
  );

  addRoute(
    app,
    service,
    {
      id: "livez",
      method: "get",
      path: "/livez",
      access: "public",
      summary: "The process answers",
      responses: { 200: { description: "It does.", schema: schemas.health } },
    },
    async () => json(200, { status: "ok" }),
  );

  addRoute(
    app,
    service,
    {
      id: "readyz",
      method: "get",
      path: "/readyz",
      access: "public",
      summary: "The service can work: its store can be read, and it is not stopping",
      responses: {
        200: { description: "It can.", schema: schemas.health },
        503: { description: "It cannot.", schema: schemas.health },
      },
    },
    async () => {
      if (service.isStopping()) return json(503, { status: "stopping" });
      const canRead = await isReadable(service);
      const agentsNotReady = runtime.unready.size;
      return json(canRead ? 200 : 503, { status: canRead ? "ok" : "unavailable", agentsNotReady });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "metrics",
      method: "get",
      path: "/metrics",
      access: isMetricsOpen ? "public" : "read",
      summary: "Metrics in Prometheus' text format",
      responses: { 200: { description: "Metrics.", types: ["text/plain"] } },
    },
    async () => {
      const counts = await feed.counts();
      const text = metrics.text({
        counts,
        totals: await totals(counts.events),
        agents: [...runtime.agents.keys()],
        followers: live.followers,
        at: runtime.clock.now(),
      });
      return new Response(text, { headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" } });
    },
  );

  app.get("/openapi.json", () => json(200, describeService(app, version)));
}

/** How long sums count, in milliseconds: they take 0.1 s with 10,000 threads, and many may scrape a store that is busy. */
const totalsCountMs = 1_000;

/** Summed again when something was appended since, and some time has passed. */
function createTotals(
  numbers: NumbersStore | undefined,
  clock: Clock,
): (head: number) => Promise<readonly AgentTotals[] | null> {
  let last: {
    readonly head: number;
    readonly at: number;
    readonly totals: Promise<readonly AgentTotals[]>;
  } | null = null;
  return async (head) => {
    if (!numbers) return null;
    const at = clock.now();
    const counts = last !== null && (last.head === head || Math.abs(at - last.at) < totalsCountMs);
    last = last && counts ? last : { head, at, totals: numbers.totals() };
    try {
      return await last.totals;
    } catch (error) {
      last = null;
      throw error;
    }
  };
}

async function isReadable({ feed }: Service): Promise<boolean> {
  try {
    await feed.head();
    return true;
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return false;
  }
}

function agentsOf({ runtime }: Service): readonly unknown[] {
  return [...runtime.agents.values()].map(({ name, version, tools }) => ({
    name,
    version,
    checkErrors: runtime.unready.get(name) ?? [],
    tools: [...tools.values()].map((tool) => ({
      name: tool.name,
      description: tool.description,
      version: tool.version,
      risk: tool.risk ?? null,
      effect: tool.effect,
    })),
  }));
}

function describeService(app: App, version: string): unknown {
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Holdpoint",
      version,
      description: "LLM agents in production, with the control points in your hands.",
      license: { name: "MIT" },
    },
    servers: [{ url: "/" }],
  });
}
