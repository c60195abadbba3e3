// One schema for each body: what comes in is checked with it, and the OpenAPI document is made from it. Bodies that come
// in are strict; those that go out may gain members.
import { z } from "@hono/zod-openapi";
import type { Verdict } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { StatsGrouping } from "../core/numbers/stats.ts";
import type { RequestStatus, ThreadStatus } from "../ports/store.ts";

const time = z.string().meta({ format: "date-time" });

/** What came out of `JSON.parse` is JSON; that it is there at all is to be checked. */
export const jsonValue: z.ZodType<Json> = z
  .unknown()
  .refine((value) => value !== undefined, "is missing")
  .meta({ description: "Any JSON value." }) as z.ZodType as z.ZodType<Json>;
const tokens = z.int().min(0);

/** Ids as they stand in addresses: no character that a log, a header or a terminal would obey. */
export const idParam: z.ZodString = z.string().regex(/^[^\p{C}\p{Z}]{1,200}$/u);
export const seqParam: z.ZodString = z.string().regex(/^\d{1,15}$/);

export const pageQuery: {
  readonly limit: z.ZodOptional<z.ZodString>;
  readonly cursor: z.ZodOptional<z.ZodString>;
} = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/)
    .optional()
    .meta({ description: "Rows of a page, 1 to 1,000. Default 50." }),
  cursor: z.string().max(200).optional().meta({ description: "`nextCursor` of the page before." }),
};

const nextCursor = z.string().nullable().meta({ description: "`null` on the last page." });

export const threadStatus: z.ZodType<ThreadStatus> = z.enum([
  "running",
  "waiting",
  "completed",
  "failed",
  "cancelled",
]);
export const requestStatus: z.ZodType<RequestStatus> = z.enum(["open", "decided", "expired", "withdrawn"]);

const verdictKind = z.enum(["approve", "edit", "reject", "answer", "continue", "stop", "done", "not_done"]);
const why = z.string().min(1).max(10_000);

const verdict: z.ZodType<Verdict> = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("approve"), why: why.optional() }),
    z.strictObject({ kind: z.literal("edit"), args: jsonValue, why: why.optional() }),
    z.strictObject({ kind: z.literal("reject"), why }),
    z.strictObject({ kind: z.literal("answer"), value: jsonValue }),
    z.strictObject({ kind: z.literal("continue"), why: why.optional() }),
    z.strictObject({ kind: z.literal("stop"), why: why.optional() }),
    z.strictObject({ kind: z.literal("done"), value: jsonValue }),
    z.strictObject({ kind: z.literal("not_done"), why }),
  ])
  .openapi("Verdict") as z.ZodType as z.ZodType<Verdict>; // JSON has no `undefined`: what is optional is absent

export const problem: z.ZodType = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: "Stable; switch on it." }),
    detail: z.string(),
    fix: z.string().optional(),
    retryable: z.boolean(),
    requestId: z.string(),
  })
  .openapi("Problem");

const action = z.object({
  tool: z.string(),
  toolVersion: z.string(),
  args: jsonValue,
  digest: z.string().meta({ description: "SHA-256 of exactly what would run." }),
  risk: z.enum(["low", "medium", "high"]).optional(),
});

const source = z.object({
  path: z.string(),
  found: z.object({ seq: z.int(), from: z.string() }).nullable(),
  filledIn: z.boolean().optional(),
});
const times = z.array(time);
const vote = z.object({ by: z.string(), via: z.string(), as: z.string().optional() });

const request = z
  .object({
    requestId: z.string(),
    threadId: z.string(),
    agent: z.string(),
    status: requestStatus,
    kind: z.enum(["approval", "question", "escalation"]),
    key: z.string(),
    question: z.string(),
    why: z.string(),
    again: z.string().optional().meta({ description: "Why it is asked again." }),
    reason: z.string().optional(),
    choices: z.array(verdictKind),
    approvers: z.array(z.string()).meta({ description: "Who may decide by now; empty: anybody." }),
    quorum: z.int().optional().meta({ description: "Approvals that it takes. Default 1." }),
    votes: z.array(vote),
    requesters: z.array(z.string()).optional(),
    requesterMayDecide: z.boolean().optional(),
    soFar: z.array(z.string()).optional().meta({ description: "What the agent did before." }),
    evidence: z.string().optional(),
    action: action.optional(),
    preview: z
      .object({ text: z.string().optional(), failed: z.string().optional() })
      .optional()
      .meta({ description: "What the tool says the action would do." }),
    sources: z.array(source).optional().meta({ description: "Where arguments come from." }),
    byCode: z.boolean().optional(),
    lookAlikes: z.array(z.string()).optional(),
    answerSchema: jsonValue.optional(),
    openedAt: time,
    remindAt: times.optional(),
    escalateAt: z.array(z.object({ at: time, to: z.array(z.string()) })).optional(),
    expiresAt: time.nullable(),
    dueAt: time.nullable().meta({ description: "The next reminder, escalation or deadline." }),
    verdict: verdict.nullable(),
    by: z.string().nullable(),
    via: z.string().nullable(),
    decidedAt: time.nullable(),
  })
  .openapi("Request");

/** What a person is to be shown, in text with nothing invisible in it. */
const view = z.object({
  title: z.string(),
  question: z.string(),
  fields: z.array(z.object({ label: z.string(), text: z.string() })),
  choices: z.array(z.object({ kind: verdictKind, label: z.string() })),
});

export const shownRequest: z.ZodType = z.object({ request, view }).openapi("ShownRequest");
export const requestPage: z.ZodType = z
  .object({ requests: z.array(request), nextCursor })
  .openapi("RequestPage");

const threadRow = z
  .object({
    threadId: z.string(),
    agent: z.string(),
    agentVersion: z.string(),
    status: threadStatus,
    title: z.string(),
    parentId: z.string().nullable(),
    headSeq: z.int(),
    decisions: z.int(),
    inputTokens: tokens,
    outputTokens: tokens,
    openRequests: z.int(),
    waits: z.array(z.string()),
    createdAt: time,
    updatedAt: time,
    dueAt: time.nullable(),
  })
  .openapi("ThreadRow");

export const threadPage: z.ZodType = z
  .object({ threads: z.array(threadRow), nextCursor })
  .openapi("ThreadPage");

const error = z.object({
  code: z.string(),
  message: z.string(),
  fix: z.string().optional(),
  retryable: z.boolean().optional(),
});

const wait = z.object({
  threadId: z.string(),
  key: z.string(),
  kind: z.enum(["timer", "retry", "signal", "child"]),
  dueAt: time.nullable(),
  signal: z.string().optional(),
  childId: z.string().optional(),
});

export const thread: z.ZodType = threadRow
  .extend({
    output: jsonValue.optional().meta({ description: "Of a completed thread." }),
    error: error.optional(),
    requests: z
      .array(request)
      .meta({ description: "Open ones, of the thread and of the children it waits for." }),
    waits: z.array(wait),
  })
  .openapi("Thread");

export const startThread: z.ZodType<{ agent: string; input?: Json | undefined }> = z
  .strictObject({
    agent: z.string().min(1).max(64),
    input: jsonValue.optional().meta({ description: "As the agent's schema wants it." }),
  })
  .openapi("StartThread");

export const started: z.ZodType = z
  .object({
    threadId: z.string(),
    created: z.boolean().meta({ description: "False when this Idempotency-Key had started it before." }),
  })
  .openapi("Started");

const event = z.looseObject({ seq: z.int().min(1), at: time, type: z.string(), v: z.int() }).openapi("Event");

export const eventPage: z.ZodType = z.object({ events: z.array(event), nextCursor }).openapi("EventPage");

export const prompt: z.ZodType = z
  .object({
    threadId: z.string(),
    seq: z.int(),
    key: z.string(),
    attempt: z.int(),
    model: z.string(),
    usage: z.looseObject({ inputTokens: tokens, outputTokens: tokens }),
    window: z.looseObject({}),
    parts: z.array(z.looseObject({ kind: z.string() })),
    input: z.looseObject({ messages: z.array(z.looseObject({ role: z.string() })) }),
  })
  .openapi("Prompt");

export const sendSignal: z.ZodType<{ value?: Json | undefined; signalId?: string | undefined }> = z
  .strictObject({
    value: jsonValue.optional().meta({ description: "Default: null." }),
    signalId: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: "The same id twice, of the same principal, is one signal." }),
  })
  .openapi("SendSignal");

export const cancelThread: z.ZodType<{ why: string }> = z.strictObject({ why }).openapi("CancelThread");
export const revokeStanding: z.ZodType<{ why: string }> = z.strictObject({ why }).openapi("RevokeStanding");
export const flagAction: z.ZodType<{ why: string }> = z
  .strictObject({ why: why.meta({ description: "What was wrong with it." }) })
  .openapi("FlagAction");
export const flagged: z.ZodType = z
  .object({
    threadId: z.string(),
    key: z.string(),
    first: z.boolean().meta({ description: "False when the same principal had flagged it before." }),
  })
  .openapi("Flagged");
export const forkThread: z.ZodType<{ at: number }> = z
  .strictObject({ at: z.int().min(1).meta({ description: "The last event that the fork begins with." }) })
  .openapi("ForkThread");
export const forked: z.ZodType = z.object({ threadId: z.string() }).openapi("Forked");
export const done: z.ZodType = z.object({ threadId: z.string() }).openapi("Done");

export const decide: z.ZodType<{ verdict: Verdict; digest?: string | undefined }> = z
  .strictObject({
    verdict,
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .meta({
        description: "Of the action that was shown: when it is not what would run, nothing is decided.",
      }),
  })
  .openapi("Decide");

export const decided: z.ZodType = z
  .object({
    request,
    first: z.boolean().meta({ description: "False when the same verdict had been given before." }),
  })
  .openapi("Decided");

const tool = z.object({
  name: z.string(),
  description: z.string(),
  version: z.string(),
  risk: z.enum(["low", "medium", "high"]).nullable(),
  effect: z.enum(["read", "repeatable", "once"]),
});

export const agents: z.ZodType = z
  .object({
    agents: z.array(
      z.object({
        name: z.string(),
        version: z.string(),
        checkErrors: z.array(z.string()).meta({
          description:
            "Codes of the errors of its check. With any, it starts no new thread (`check_failed`).",
        }),
        tools: z.array(tool),
      }),
    ),
  })
  .openapi("Agents");

export const health: z.ZodType = z
  .object({
    status: z.enum(["ok", "stopping", "unavailable"]),
    agentsNotReady: z.int().optional().meta({
      description: "Agents that start no new thread, because their check failed; /v1/agents names them.",
    }),
  })
  .openapi("Health");

export const statsQuery: z.ZodType<{
  since?: string | undefined;
  until?: string | undefined;
  agent?: string | undefined;
  by?: StatsGrouping | undefined;
}> = z.strictObject({
  since: z
    .string()
    .max(40)
    .optional()
    .meta({ description: "An age such as `24h`, or an ISO 8601 date or time. Default `7d`." }),
  until: z.string().max(40).optional().meta({ description: "Before when, in the same ways. Default: now." }),
  agent: z.string().min(1).max(64).optional(),
  by: z
    .enum(["agent", "version", "day"])
    .optional()
    .meta({ description: "Also each by itself, in `groups`; days in UTC." }),
});

const count = z.int().min(0);
const share = z.object({
  rate: z
    .number()
    .nullable()
    .meta({ description: "`count` / `of`; `null` when there is nothing to divide by." }),
  count,
  of: count,
});
const spread = z
  .object({ mean: z.int(), p50: z.int(), p95: z.int() })
  .nullable()
  .meta({ description: "Milliseconds; `null` for no values." });

const stats = z
  .object({
    threads: z.object({
      ended: count,
      completed: count,
      failed: count,
      cancelled: count,
      notAccepted: count,
    }),
    success: share,
    time: z.object({ active: spread, wall: spread, waiting: spread }),
    overflow: z.object({ perDay: z.number(), reported: count, prevented: count }),
    misoperation: share.extend({ unapproved: count, allowedByGate: count, flags: count }),
    prevented: z.object({
      held: count,
      deniedByGate: count,
      deniedByValidation: count,
      rejected: count,
      deniedByDeadline: count,
      invalidOutputs: count,
      limits: count,
    }),
    withoutPerson: share,
    people: z.object({ answered: count, unanswered: count, answeredByStanding: count, answerTime: spread }),
    usage: z.object({
      modelCalls: count,
      inputTokens: tokens,
      outputTokens: tokens,
      usd: z.number(),
      unpricedCalls: count,
    }),
  })
  .openapi("Stats");

export const statsReport: z.ZodType = z
  .object({
    since: time,
    until: time,
    by: z.enum(["agent", "version", "day"]).nullable(),
    total: stats,
    groups: z.array(
      z.object({
        agent: z.string().optional(),
        agentVersion: z.string().optional(),
        day: z.string().optional(),
        stats,
      }),
    ),
  })
  .openapi("StatsReport");
