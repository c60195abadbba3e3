import type { NumbersStore } from "../../ports/numbers-store.ts";
import { readStats } from "../../runtime/read-stats.ts";
import { json } from "../answer.ts";
import { type App, addRoute } from "../route.ts";
import * as schemas from "../schemas.ts";
import type { Service } from "../service.ts";

export function addStatsRoute(app: App, service: Service, numbers: NumbersStore): void {
  addRoute(
    app,
    service,
    {
      id: "getStats",
      method: "get",
      path: "/v1/stats",
      access: "read",
      summary: "Success, time, overflows and misoperation of threads in a period, counted from their logs",
      query: schemas.statsQuery,
      responses: { 200: { description: "The statistics.", schema: schemas.statsReport } },
    },
    async ({ query }) => json(200, await readStats(numbers, query, service.runtime.clock.now())),
  );
}
