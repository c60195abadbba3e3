// Standing approvals, as the command line has them. Each is a log of its own: `GET /v1/threads/{standingId}/events` is
// its audit.
import { z } from "@hono/zod-openapi";
import { grantStanding, listStanding, revokeStanding } from "../../runtime/standing.ts";
import { standingDocument } from "../../runtime/standing-document.ts";
import { json } from "../answer.ts";
import { type App, addRoute } from "../route.ts";
import * as schemas from "../schemas.ts";
import { principalOf, type Service } from "../service.ts";
import { grantFrom, grantStandingBody, standingAnswer, standingList } from "../standing-schemas.ts";

export function addStandingRoutes(app: App, service: Service): void {
  const { runtime } = service;

  addRoute(
    app,
    service,
    {
      id: "listStanding",
      method: "get",
      path: "/v1/standing",
      access: "read",
      summary: "Standing approvals that can still be used, newest first",
      query: z.strictObject({
        all: z
          .enum(["true", "false"])
          .optional()
          .meta({ description: "Also those that are over. Default false." }),
      }),
      responses: { 200: { description: "All of them.", schema: standingList } },
    },
    async ({ query: { all } }) => {
      const reports = await listStanding(runtime, { all: all === "true" });
      return json(200, { standing: reports.map(standingDocument) });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "grantStanding",
      method: "post",
      path: "/v1/standing",
      access: "decide",
      summary:
        "Let an agent use one tool, within bounds, so often and so long, without a person being asked each time",
      body: grantStandingBody,
      responses: { 201: { description: "It is granted.", schema: standingAnswer } },
    },
    async ({ body, caller }) => {
      const { by, roles } = principalOf(service, caller);
      const granted = await grantStanding(runtime, { ...grantFrom(body), roles }, { by });
      const location = `/v1/threads/${encodeURIComponent(granted.standingId)}`;
      return json(201, { standing: standingDocument(granted) }, { location });
    },
  );

  addRoute(
    app,
    service,
    {
      id: "revokeStanding",
      method: "post",
      path: "/v1/standing/{standingId}/revoke",
      access: "decide",
      summary: "End a standing approval; what had started by it goes on",
      params: z.object({ standingId: schemas.idParam }),
      body: schemas.revokeStanding,
      responses: { 200: { description: "It is revoked.", schema: standingAnswer } },
    },
    async ({ params: { standingId }, body: { why }, caller }) => {
      const revoked = await revokeStanding(runtime, standingId, { by: caller.principal, why });
      return json(200, { standing: standingDocument(revoked) });
    },
  );
}
