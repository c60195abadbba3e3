import { z } from "@hono/zod-openapi";
import type { Json } from "../core/json.ts";
import type { ArgumentCondition, StandingGrant } from "../core/standing.ts";
import { jsonValue } from "./schemas.ts";

const time = z.string().meta({ format: "date-time" });

interface ConditionBody {
  path: string;
  equals?: Json | undefined;
  min?: number | undefined;
  max?: number | undefined;
}

const condition: z.ZodType<ConditionBody> = z
  .strictObject({
    path: z.string().min(1).max(1_000).meta({ description: "To one argument, such as `$.cents`." }),
    equals: jsonValue.optional(),
    min: z.number().optional().meta({ description: "Inclusive." }),
    max: z.number().optional().meta({ description: "Inclusive." }),
  })
  .openapi("ArgumentCondition");

interface GrantBody {
  agent: string;
  tool: string;
  toolVersion?: string | undefined;
  where?: ConditionBody[] | undefined;
  uses: number;
  expiresAt: string;
  why: string;
}

export const grantStandingBody: z.ZodType<GrantBody> = z
  .strictObject({
    agent: z.string().min(1).max(64),
    tool: z.string().min(1).max(64),
    toolVersion: z.string().min(1).max(200).optional().meta({
      description: "Default: the one that the tool has now.",
    }),
    where: z.array(condition).max(20).optional().meta({
      description: "All must hold. Needed for tools whose risk is high or not declared.",
    }),
    uses: z.int().min(1).max(1_000).meta({ description: "For so many actions at most." }),
    expiresAt: z.iso.datetime({ offset: true }).meta({ description: "At most 90 days from now." }),
    why: z.string().min(1).max(1_000),
  })
  .openapi("GrantStanding");

/** As the runtime takes it: times in UTC, and nothing that was not given. */
export function grantFrom({ toolVersion, where = [], expiresAt, ...body }: GrantBody): StandingGrant {
  return {
    ...body,
    where: where.map(conditionFrom),
    expiresAt: new Date(expiresAt).toISOString(),
    ...(toolVersion !== undefined && { toolVersion }),
  };
}

function conditionFrom({ path, equals, min, max }: ConditionBody): ArgumentCondition {
  return {
    path,
    ...(equals !== undefined && { equals }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  };
}

const standing = z
  .object({
    standingId: z.string(),
    status: z.enum(["open", "used_up", "expired", "revoked"]),
    agent: z.string(),
    tool: z.string(),
    toolVersion: z.string().optional(),
    where: z.array(condition),
    uses: z.int(),
    expiresAt: time,
    why: z.string(),
    roles: z.array(z.string()).optional().meta({ description: "Of who granted it, as known then." }),
    by: z.string(),
    grantedAt: time,
    used: z.array(
      z.object({
        threadId: z.string(),
        key: z.string(),
        requestId: z.string(),
        digest: z.string(),
        at: time,
      }),
    ),
    revoked: z.object({ by: z.string(), why: z.string(), at: time }).optional(),
  })
  .openapi("Standing");

export const standingAnswer: z.ZodType = z.object({ standing }).openapi("StandingAnswer");
export const standingList: z.ZodType = z.object({ standing: z.array(standing) }).openapi("StandingList");
