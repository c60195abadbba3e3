import { durationMs } from "../../core/duration.ts";
import { type EventBody, event } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import { jsonSchemaOf } from "../../core/schema.ts";
import type { Operation } from "../../core/state.ts";
import { validateWithin } from "../validate-within.ts";
import { append, expireOrWait, type Plan, type PlanContext, wait } from "./plan.ts";
import { openRequest } from "./request.ts";

type Ask = Extract<PendingOperation, { kind: "ask" }>;

export async function planAsk(context: PlanContext, ask: Ask, known: Operation | undefined): Promise<Plan> {
  const request = known?.request;
  if (!request) return append(question(context, ask));
  if (request.status === "open") return expireOrWait(context, request);
  const { verdict, decided } = request;
  if (verdict?.kind !== "answer" || !decided) return wait; // settled in the fold
  const { requestId } = request.opened;
  const schema = ask.options.answer;
  const validate = validateWithin(context.runtime.clock, context.signal);
  const taken = schema ? await validate(schema, verdict.value) : { ok: true as const, value: verdict.value };
  if (!taken.ok)
    return append(question(context, ask, `the answer by ${decided.by} was not valid: ${taken.why}`));
  return append(event("answer_accepted", { key: ask.key, requestId, value: taken.value, by: decided.by }));
}

function question(context: PlanContext, ask: Ask, again?: string): EventBody {
  const { options } = ask;
  return openRequest(context, ask.key, {
    kind: "question",
    question: ask.question,
    why: "the flow asks",
    ...(again === undefined ? {} : { again }),
    choices: ["answer", "reject"],
    ...(options.answer ? { answerSchema: jsonSchemaOf(options.answer, `the answer to ${ask.key}`) } : {}),
    ...(options.approvers ? { approvers: options.approvers } : {}),
    requesterMayDecide: options.requesterMayDecide,
    ...(options.expiresIn === undefined ? {} : { expiresInMs: durationMs(options.expiresIn) }),
  });
}
