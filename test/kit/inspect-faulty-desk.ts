// What must hold of threads whose model went wrong, found out from outside: from what the tools did, what the model that
// does not go wrong wanted, and the log; never from what the runtime thinks of it.

import { answerName } from "../../src/core/encodings/encoding.ts";
import type { EventOf } from "../../src/core/events.ts";
import { canonicalJson, toJson } from "../../src/core/json.ts";
import { validate } from "../../src/core/schema.ts";
import type { Agent, ModelCall } from "../../src/index.ts";
import { type FaultName, faultKinds } from "../../src/testing/index.ts";
import type { DeskCall, DeskRun, DeskThread, Effect } from "./faulty-desk.ts";

/** What is wrong, in words; empty when all is well. */
export type Findings = readonly string[];

/** Each decision in a log is one that the model which does not go wrong made, read from an output that may be used. */
export function findForeignDecisions(run: DeskRun): Findings {
  return run.threads.flatMap((thread) => {
    let next = 0; // calls and decisions of a thread come one after the other
    return eventsOf(thread, "decision_made").flatMap((made) => {
      const found = thread.calls.findIndex((call, index) => index >= next && mayBecome(run, call, made));
      if (found < 0)
        return [
          `mail ${thread.mail}: ${made.key} ${decisionText(made)} comes from no output that may be used`,
        ];
      next = found + 1;
      return [];
    });
  });
}

/** Faults that garble text: what code brings back from it, without doubt, is what was meant or nothing. */
const garbled: readonly (FaultName | null)[] = ["unparsable_arguments", "truncated_unnoticed"];

function mayBecome(run: DeskRun, { call, gold, output }: DeskCall, made: EventOf<"decision_made">): boolean {
  if (!output) return false;
  if (call.fault === "repeated_call") return decisionText(made) === callsText(output.calls);
  if (decisionText(made) !== callsText(gold.calls)) return false;
  if (call.fault === null || faultKinds[call.fault] === "usable") return true;
  if (faultKinds[call.fault] !== "repairable" && !garbled.includes(call.fault)) return false;
  const spoilt = output.calls.filter(({ args }, index) => args !== gold.calls[index]?.args);
  return (made.repairs?.length ?? 0) > 0 && spoilt.every(({ tool }) => !isRisky(run, tool));
}

function isRisky(run: DeskRun, tool: string): boolean {
  const risk = run.agent.tools.get(tool)?.risk;
  return tool !== answerName && risk !== "low" && risk !== "medium";
}

function decisionText({ decision }: EventOf<"decision_made">): string {
  return decision.kind === "calls"
    ? callsText(decision.calls)
    : callsText([{ tool: answerName, args: decision.value }]);
}

function callsText(calls: readonly Pick<ModelCall, "tool" | "args">[]): string {
  return calls.map(({ tool, args }) => `${tool} ${canonicalJson(toJson(args))}`).join("; ");
}

/** Each action that started had valid arguments, and a model call of its thread wanted exactly it. */
export async function findForeignActions(run: DeskRun): Promise<Findings> {
  const findings: string[] = [];
  for (const thread of run.threads) {
    const wanted = new Set(thread.calls.flatMap(({ gold }) => gold.calls.map(effectText)));
    const started = new Set(eventsOf(thread, "action_started").map(({ key }) => key));
    for (const proposed of eventsOf(thread, "action_proposed")) {
      if (!started.has(proposed.key)) continue;
      const tool = run.agent.tools.get(proposed.tool);
      const valid = tool && (await validate(tool.input, proposed.args));
      if (!valid?.ok) findings.push(`mail ${thread.mail}: ${proposed.key} started with invalid arguments`);
      if (!wanted.has(effectText(proposed)))
        findings.push(`mail ${thread.mail}: nobody wanted ${proposed.key}`);
    }
  }
  return findings;
}

/**
 * What the tools did, beside what they did when nothing went wrong: nothing else, and nothing more often than that, but
 * for calls that the model itself repeated.
 */
export function findForeignEffects(run: DeskRun, clean: DeskRun): Findings {
  const allowed = countEffects(clean.happened);
  for (const { mail, calls } of run.threads) {
    for (const { call, output } of calls) {
      if (call.fault !== "repeated_call") continue;
      for (const repeated of output?.calls ?? []) add(allowed, `${mail} ${effectText(repeated)}`);
    }
  }
  return [...countEffects(run.happened)].flatMap(([effect, times]) => {
    const most = allowed.get(effect) ?? 0;
    return times <= most ? [] : [`mail ${effect}: happened ${times} times, wanted ${most}`];
  });
}

function countEffects(effects: readonly Effect[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const effect of effects) add(counts, `${effect.mail} ${effectText(effect)}`);
  return counts;
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function effectText({ tool, args }: { readonly tool: string; readonly args: unknown }): string {
  return `${tool} ${canonicalJson(toJson(args))}`;
}

/** A thread has ended, or a person is asked; and the log is whole. */
export function findStuck({ threads, problems, verified }: DeskRun): Findings {
  const stuck = threads.flatMap(({ mail, row, openRequests }) =>
    ["completed", "failed", "cancelled"].includes(row.status) || openRequests.length > 0
      ? []
      : [`mail ${mail}: ${row.status}, and nobody is asked`],
  );
  return [...stuck, ...problems.map(String), ...verified.problems.map((problem) => JSON.stringify(problem))];
}

/** What a model made up for a refusal or instead of calls, and must not read again (I9). */
const tellTales = ["I'm sorry, I can't help", "Sure! I will take care", "<|im_end|>", "The customer {waits}"];

/** The one line that says what was wrong may name it, and stands only where the model is asked again. */
const correction = /^Your last output could not be used: .*$/;

export function findPoisonedWindows({ threads }: DeskRun): Findings {
  return threads.flatMap(({ mail, calls }) =>
    calls.flatMap(({ input }, index) => {
      const corrections = input.messages.filter(({ content }) => correction.test(content));
      const others = JSON.stringify(input.messages.filter((message) => !corrections.includes(message)));
      const findings = tellTales
        .filter((tale) => others.includes(tale))
        .map((tale) => `mail ${mail} was shown "${tale}"`);
      const asksAgain = index > 0 && calls[index - 1]?.call.fault !== null;
      if (corrections.length > (asksAgain ? 1 : 0)) findings.push(`mail ${mail} was corrected for nothing`);
      return findings;
    }),
  );
}

/**
 * More model calls than the limits grant: a decision is asked for once, and again `invalidOutputs` and `modelFailures`
 * times, and once in a smaller window; a person who says `continue` grants that once more. And decisions: `steps`,
 * likewise.
 */
export function findOverruns({ agent, threads }: DeskRun): Findings {
  const { steps } = agent.limits;
  return threads.flatMap((thread) => {
    const continues = eventsOf(thread, "request_decided").filter(
      ({ verdict }) => verdict.kind === "continue",
    );
    const keys = new Set(
      [...eventsOf(thread, "decision_made"), ...eventsOf(thread, "decision_rejected")].map(({ key }) => key),
    );
    const grants = keys.size + continues.filter(({ key }) => keys.has(key)).length;
    const most = grants * callsPerDecision(agent);
    const findings: string[] = [];
    if (thread.calls.length > most)
      findings.push(`mail ${thread.mail}: ${thread.calls.length} model calls, granted ${most}`);
    if (keys.size > steps * (1 + continues.length))
      findings.push(`mail ${thread.mail}: ${keys.size} decisions`);
    return findings;
  });
}

/** The most model calls for one decision, before a person is asked. */
export function callsPerDecision({ limits }: Agent): number {
  return 1 + limits.invalidOutputs + limits.modelFailures + 1;
}

export function eventsOf<Type extends DeskThread["events"][number]["type"]>(
  { events }: DeskThread,
  type: Type,
): readonly EventOf<Type>[] {
  return events.filter((event) => event.type === type) as unknown as readonly EventOf<Type>[]; // the filter tells
}

/** Mean, median, 95th percentile and largest, in words. */
export function spread(values: readonly number[]): string {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  return `mean ${mean.toFixed(2)}, p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`;
}
