// Many trials at once, each once. A failure of what all of them need (the store, an agent's setup) stops the run; it goes on
// from there when it is started again.
import { sha256 } from "../core/digest.ts";
import { toErrorInfo } from "../core/errors.ts";
import { validate } from "../core/schema.ts";
import { jsonSchema } from "../json-schema.ts";
import type { Clock } from "../ports/clock.ts";
import { isOver, reportThread } from "../runtime/thread-report.ts";
import { withTimeout } from "../runtime/with-timeout.ts";
import type { TrialResult } from "./figures/eval-report.ts";
import type { TrialFinding } from "./finding.ts";
import { judgeTrial } from "./judge.ts";
import type { EvalCase, EvalSuite, EvaluatedThread, Expectations } from "./suite.ts";
import { runTrial, type TrialHost, type TrialPlan, trialLogs } from "./trial.ts";
import { trialNumbers } from "./trial-numbers.ts";

/** The thread of a trial: the same in every process, so that a trial is started once. */
export function trialThreadId(caseName: string, trial: number): string {
  return `th_${sha256(JSON.stringify(["eval", caseName, trial])).slice(0, 16)}`;
}

export interface EvalProgress {
  started(plan: TrialPlan): void;
  /** `isNew`: it was run now, and not before an interruption. */
  ended(result: TrialResult, isNew: boolean): void;
}

/** Runs the trials that have not ended, and judges all. @returns as far as they have ended: all, unless it was aborted. */
export async function runEval(
  host: TrialHost,
  plans: readonly TrialPlan[],
  options: { readonly parallel: number; readonly signal: AbortSignal; readonly progress: EvalProgress },
): Promise<readonly TrialResult[]> {
  const { parallel, progress } = options;
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const results: TrialResult[] = [];
  const queue = plans.values(); // shared: each takes the next
  const work = async (): Promise<void> => {
    for (const plan of queue) {
      if (signal.aborted) return;
      const known = await judgeEnded(host, plan, signal);
      if (!known) {
        progress.started(plan);
        await runTrial(host, plan, signal);
      }
      const result = known ?? (await judgeEnded(host, plan, signal));
      if (!result) return; // aborted
      results.push(result);
      progress.ended(result, known === null);
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: parallel }, () =>
      work().catch((error: unknown) => {
        if (options.signal.aborted && error === signal.reason) return;
        failed.abort(error);
        throw error;
      }),
    ),
  );
  const broken = ends.find((end) => end.status === "rejected");
  if (broken) throw failed.signal.reason; // the first; others may be of its abort
  return results;
}

/** `null` while the trial has not ended. */
async function judgeEnded(
  host: TrialHost,
  plan: TrialPlan,
  signal: AbortSignal,
): Promise<TrialResult | null> {
  const { suite, store, clock } = host;
  const { each, threadId, number, folder } = plan;
  const row = (await store.threads({ threadId })).rows[0];
  if (!row || !isOver(row.status)) return null;
  const logs = await trialLogs(store, threadId);
  const { output, error } = await reportThread(store, threadId);
  const numbers = trialNumbers(logs.map(({ events }) => events));
  const outcome = row.status as EvaluatedThread["outcome"]; // isOver
  const thread: EvaluatedThread = {
    case: each.name,
    trial: number,
    threadId,
    events: logs[0]?.events ?? [],
    outcome,
    output,
    error,
    numbers,
    folder,
  };
  const findings = [
    ...judgeTrial(suite, each, { logs, output, error }),
    ...(await judgeSchema(each.expect?.schema, output)),
    ...(await judgeCheck(each, thread, clock, signal)),
  ];
  return {
    case: each.name,
    trial: number,
    threadId,
    agent: row.agent,
    passed: findings.length === 0,
    outcome,
    findings,
    numbers,
  };
}

async function judgeSchema(
  schema: Expectations["schema"],
  output: EvaluatedThread["output"],
): Promise<readonly TrialFinding[]> {
  if (schema === undefined) return [];
  const own = typeof schema === "object" && schema !== null && "~standard" in schema;
  const validation = await validate(
    own ? (schema as Parameters<typeof validate>[0]) : jsonSchema(schema),
    output,
  );
  return validation.ok ? [] : [{ rule: "expect.schema", message: validation.why }];
}

/** A check that takes longer hangs. */
const checkTimeoutMs = 60_000;

async function judgeCheck(
  each: EvalCase,
  thread: EvaluatedThread,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly TrialFinding[]> {
  if (!each.check) return [];
  const ended = await withTimeout(clock, checkTimeoutMs, signal, () => each.check?.(thread));
  const finding = (message: string): readonly TrialFinding[] => [{ rule: "check", message }];
  switch (ended.kind) {
    case "returned":
      return textsOf(ended.value).flatMap(finding);
    case "threw":
      return finding(`it threw: ${toErrorInfo(ended.error, "internal").message}`);
    case "timeout":
      return finding(`it gave no answer within ${checkTimeoutMs} ms`);
    case "aborted":
      throw signal.reason;
    default:
      return ended satisfies never;
  }
}

/** Plain JavaScript has no types that would say what a check gives. */
function textsOf(given: unknown): readonly string[] {
  if (given === undefined || given === null) return [];
  return Array.isArray(given) ? given.map(String) : [`it gave ${typeof given}, and no list of findings`];
}

/** The suite, as far as its results depend on it: functions by their text, models by their names. */
export function suiteDigest({ trials: _, model, ...suite }: EvalSuite): string {
  const plain = (_key: string, value: unknown): unknown => {
    if (typeof value === "function") return String(value);
    return typeof value === "object" && value !== null && "~standard" in value ? "a schema" : value;
  };
  return sha256(JSON.stringify([modelName(model), suite], plain)).slice(0, 16);
}

/** A model object holds keys and sockets. */
export function modelName(model: unknown): string | null {
  if (typeof model !== "object" || model === null) return typeof model === "string" ? model : null;
  const { id, modelId }: { id?: unknown; modelId?: unknown } = model;
  return String(id ?? modelId ?? "a model object");
}
