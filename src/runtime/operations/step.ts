import { durationMs } from "../../core/duration.ts";
import { type ErrorInfo, HoldpointError, recordError, toErrorInfo } from "../../core/errors.ts";
import { event } from "../../core/events.ts";
import type { PendingOperation } from "../../core/flow.ts";
import { limitAgainstStep } from "../../core/limits.ts";
import type { Operation } from "../../core/state.ts";
import { type Facts, facts, noFacts, toStored } from "../stored.ts";
import { withTimeout } from "../with-timeout.ts";
import { limitReached } from "./limit.ts";
import {
  afterEscalation,
  append,
  elapsed,
  isDue,
  type Plan,
  type PlanContext,
  retryTime,
  wait,
} from "./plan.ts";

type Step = Extract<PendingOperation, { kind: "step" }>;

/** A step's code may run again after a crash, so it needs no intent: its result, or its failure, is its only event. */
export function planStep(context: PlanContext, step: Step, known: Operation | undefined): Plan {
  const escalation = known?.request ? afterEscalation(context, known.request) : null;
  if (escalation) return escalation;
  if (known?.retryAt && !isDue(context.runtime, known.retryAt)) return wait;
  const hit = limitAgainstStep(context.state, context.agent.limits);
  if (hit) return limitReached(context, step.key, hit);
  const attempt = (known?.attempt ?? 0) + 1;
  const { timeout = "60s", backoff = "1s", attempts = 3 } = step.options;
  const rules = { timeoutMs: durationMs(timeout), backoffMs: durationMs(backoff), attempts };
  return {
    kind: "perform",
    intent: [],
    intentFirst: false,
    exclusive: false,
    about: { kind: "step", key: step.key, attempt },
    effect: (signal) => runStep(context, step, rules, attempt, signal),
  };
}

interface StepRules {
  readonly timeoutMs: number;
  readonly backoffMs: number;
  readonly attempts: number;
}

async function runStep(
  context: PlanContext,
  step: Step,
  rules: StepRules,
  attempt: number,
  signal: AbortSignal,
): Promise<Facts> {
  const { runtime } = context;
  const startedAt = runtime.clock.now();
  const { timeoutMs } = rules;
  const ended = await withTimeout(runtime.clock, timeoutMs, signal, (inner) =>
    step.run({ attempt, signal: inner }),
  );
  if (ended.kind === "aborted") return noFacts; // it runs again
  if (ended.kind === "timeout")
    return failed(context, step, rules, attempt, startedAt, timeoutError(timeoutMs), true);
  if (ended.kind === "threw")
    return failed(context, step, rules, attempt, startedAt, recordError(ended.error, "step_failed"), true);
  try {
    const { stored, artifacts } = toStored(runtime, ended.value);
    return {
      events: [
        event("step_completed", {
          key: step.key,
          attempt,
          durationMs: elapsed(runtime, startedAt),
          result: stored,
        }),
      ],
      artifacts,
    };
  } catch (error) {
    return failed(context, step, rules, attempt, startedAt, toErrorInfo(error, "result_not_json"), false); // it would return the same again
  }
}

function failed(
  context: PlanContext,
  step: Step,
  rules: StepRules,
  attempt: number,
  startedAt: number,
  error: ErrorInfo,
  mayRetry: boolean,
): Facts {
  const { runtime } = context;
  const retryAt = mayRetry && attempt < rules.attempts ? retryTime(runtime, attempt, rules.backoffMs) : null;
  return facts(
    event("step_failed", { key: step.key, attempt, durationMs: elapsed(runtime, startedAt), error, retryAt }),
  );
}

function timeoutError(timeoutMs: number): ErrorInfo {
  return toErrorInfo(
    new HoldpointError("step_failed", `it did not end within ${timeoutMs} ms`),
    "step_failed",
  );
}

/** Values that come from outside the flow and are recorded once. */
export function planRecorded(
  context: PlanContext,
  operation: Extract<PendingOperation, { kind: "now" | "random" | "uuid" }>,
): Plan {
  const { runtime } = context;
  const value =
    operation.kind === "now"
      ? new Date(runtime.clock.now()).toISOString()
      : operation.kind === "random"
        ? runtime.random()
        : runtime.uuid();
  return append(
    event("step_completed", { key: operation.key, attempt: 1, durationMs: 0, result: { value } }),
  );
}
