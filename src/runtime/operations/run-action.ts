import { type ErrorInfo, recordError, toErrorInfo } from "../../core/errors.ts";
import { type EventBody, event } from "../../core/events.ts";
import type { Json } from "../../core/json.ts";
import { copyByRef } from "../../core/thread-values.ts";
import type { RunContext, Tool } from "../../core/tool.ts";
import { type Facts, facts, noFacts, toStored } from "../stored.ts";
import { withTimeout } from "../with-timeout.ts";
import { elapsed, type PlanContext } from "./plan.ts";

export interface Run {
  readonly key: string;
  readonly args: Json;
  readonly attempt: number;
  readonly idempotencyKey: string;
}

/** Runs a tool and says in events how it ended. No events at all: it is open whether it happened (I4). */
export async function runAction(
  context: PlanContext,
  tool: Tool,
  run: Run,
  signal: AbortSignal,
): Promise<Facts> {
  const { runtime } = context;
  const startedAt = runtime.clock.now();
  const ended = await withTimeout(runtime.clock, tool.timeoutMs, signal, (inner) =>
    noting(context, run, () => tool.run(structuredClone(run.args), runContext(context, run, inner))),
  );
  switch (ended.kind) {
    case "returned":
      return completed(context, run, startedAt, ended.value);
    case "threw":
      return failed(context, run, startedAt, recordError(ended.error, "tool_failed"));
    case "timeout": {
      const message = `${tool.name} gave no answer within ${tool.timeoutMs} ms`;
      if (tool.effect !== "once") return failed(context, run, startedAt, { code: "tool_timeout", message });
      return inDoubt(run, message);
    }
    case "aborted":
      return tool.effect === "once" ? inDoubt(run, "it was stopped while it ran") : noFacts;
    default:
      return ended satisfies never;
  }
}

/** Keeps in mind that a run is going until it has come back, also after nobody waits for it any more. */
async function noting(context: PlanContext, run: Run, act: () => unknown): Promise<unknown> {
  context.abandoned.add(run.key);
  try {
    return await act();
  } finally {
    context.abandoned.delete(run.key);
  }
}

/** The doubt is recorded; the next plan has it verified, or asks a person. */
function inDoubt(run: Run, why: string): Facts {
  return facts(event("action_in_doubt", { key: run.key, attempt: run.attempt, why }));
}

function completed(
  context: PlanContext,
  run: Run,
  startedAt: number,
  value: unknown,
  settledBy?: string,
): Facts {
  const durationMs = elapsed(context.runtime, startedAt);
  try {
    const { stored, artifacts } = toStored(context.runtime, value);
    const by = settledBy === undefined ? {} : { settledBy };
    return {
      events: [
        event("action_completed", { key: run.key, attempt: run.attempt, durationMs, result: stored, ...by }),
      ],
      artifacts,
    };
  } catch (error) {
    return failed(context, run, startedAt, notKept(toErrorInfo(error, "result_not_json")));
  }
}

/** The tool ran to its end: whoever reads this must not run it again. */
function notKept(error: ErrorInfo): ErrorInfo {
  const code = error.code === "not_json" ? "result_not_json" : error.code;
  return { ...error, code, message: `the action happened, but its result cannot be kept: ${error.message}` };
}

function failed(context: PlanContext, run: Run, startedAt: number, error: ErrorInfo): Facts {
  return facts(
    event("action_failed", {
      key: run.key,
      attempt: run.attempt,
      durationMs: elapsed(context.runtime, startedAt),
      error,
    }),
  );
}

/** Asks the tool whether an action in doubt happened (I4). `doubt` makes the events for a person when it cannot say. */
export async function verifyAction(
  context: PlanContext,
  tool: Tool,
  run: Run,
  signal: AbortSignal,
  doubt: (why: string) => readonly EventBody[],
): Promise<Facts> {
  const startedAt = context.runtime.clock.now();
  const ended = await withTimeout(context.runtime.clock, tool.timeoutMs, signal, (inner) =>
    tool.verify?.(structuredClone(run.args), runContext(context, run, inner)),
  );
  if (ended.kind === "aborted") return noFacts;
  if (ended.kind === "returned" && ended.value?.happened === true)
    return completed(context, run, startedAt, ended.value.value, "verify");
  const mayStillRun = context.abandoned.has(run.key);
  if (ended.kind === "returned" && ended.value?.happened === false && !mayStillRun) {
    context.verifiedAbsent.add(run.key);
    return noFacts;
  }
  const why = mayStillRun
    ? "it gave no answer, and may still be going"
    : ended.kind === "threw"
      ? `verify failed: ${toErrorInfo(ended.error, "tool_failed").message}`
      : "verify could not tell";
  return facts(...doubt(why));
}

function runContext(context: PlanContext, run: Run, signal: AbortSignal): RunContext {
  const { state, artifacts, threadId } = context;
  return {
    threadId,
    attempt: run.attempt,
    idempotencyKey: run.idempotencyKey,
    signal,
    // The cast is the caller's word for what it asks for.
    artifact: async <T>(ref: string) => copyByRef(state, artifacts, ref) as T,
  };
}
