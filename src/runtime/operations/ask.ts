import { durationMs } from "../../core/duration.ts";
import type { PendingOperation } from "../../core/flow.ts";
import { jsonSchemaOf } from "../../core/schema.ts";
import type { Operation } from "../../core/state.ts";
import { append, expireOrWait, openRequest, type Plan, type PlanContext } from "./plan.ts";

type Ask = Extract<PendingOperation, { kind: "ask" }>;

export function planAsk(context: PlanContext, ask: Ask, known: Operation | undefined): Plan {
  if (known?.request) return expireOrWait(context, known.request); // decided requests settle in the fold
  const { question, options } = ask;
  return append(
    openRequest(context, ask.key, {
      kind: "question",
      question,
      why: "the flow asks",
      choices: ["answer", "reject"],
      ...(options.answer ? { answerSchema: jsonSchemaOf(options.answer, `the answer to ${ask.key}`) } : {}),
      ...(options.approvers ? { approvers: options.approvers } : {}),
      ...(options.expiresIn === undefined ? {} : { expiresInMs: durationMs(options.expiresIn) }),
    }),
  );
}
