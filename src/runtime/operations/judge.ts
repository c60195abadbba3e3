// I5. What the gate says of an action, with all that it is told: the time, and what was counted before.
import { type CumulativeLimit, countsOf, dayOf, judgeCounted } from "../../core/cumulative.ts";
import { toErrorInfo } from "../../core/errors.ts";
import type { Count, GateOutcome, ShadowOutcome } from "../../core/events.ts";
import type { Gate, GatedAction } from "../../core/gate.ts";
import { deepFreeze, type Json } from "../../core/json.ts";
import type { Tool } from "../../core/tool.ts";
import type { TallyLimit } from "../../ports/store.ts";
import type { PlanContext } from "./plan.ts";

export interface Judgement {
  readonly gate: GateOutcome;
  /** What rules in shadow mode would have done. */
  readonly shadow: readonly ShadowOutcome[];
  /** What the action adds when it starts. */
  readonly counts: readonly Count[];
  /** What the sums of the day may be with it: checked where the start is appended, unless a person approved it. */
  readonly limits: readonly TallyLimit[];
  /** It would bring a sum over its limit, as far as that is known by now. */
  readonly isOverLimit: boolean;
}

/** A gate that fails holds; what is on trial never changes the outcome. */
export function judge(context: PlanContext, key: string, tool: Tool, args: Json): Judgement {
  const policy = context.agent.gate;
  const action = gatedAction(context, tool, args);
  try {
    const outcome = policy.judge(action);
    const shadow = policy.shadow(action);
    const counted = policy.count(action);
    const byLimits = judgeCounted(counted, (limit) => totalOf(context, key, limit, dayOf(action.at)));
    return {
      gate: outcome.kind === "allow" ? byLimits : outcome, // C2: who is asked may go beyond a limit
      shadow,
      counts: countsOf(counted),
      limits: counted.flatMap(({ limit: { name, per, max }, amount }) =>
        per === "day" && amount ? [{ name, max }] : [],
      ),
      isOverLimit: byLimits.kind !== "allow",
    };
  } catch (error) {
    return { gate: brokenGate(error), shadow: [], counts: [], limits: [], isOverLimit: true };
  }
}

/** What the gate says by now of an action that has started: its sums hold it already. */
export function judgeAgain(context: PlanContext, tool: Tool, args: Json): GateOutcome {
  return outcomeOf(context.agent.gate, gatedAction(context, tool, args));
}

/** What a gate says of an action, whatever was counted before. A gate that fails holds. */
export function outcomeOf(gate: Gate, action: GatedAction): GateOutcome {
  try {
    return gate.judge(action);
  } catch (error) {
    return brokenGate(error);
  }
}

function brokenGate(error: unknown): GateOutcome {
  const reason = `the gate failed: ${toErrorInfo(error, "internal").message}`;
  return { kind: "hold", reason, isBroken: true };
}

/** C2. What an action adds that a person approved; nothing where the gate cannot say. */
export function countsOfApproved(context: PlanContext, tool: Tool, args: Json): readonly Count[] {
  try {
    return countsOf(context.agent.gate.count(gatedAction(context, tool, args)));
  } catch {
    return [];
  }
}

function gatedAction(context: PlanContext, { name, risk, effect }: Tool, args: Json): GatedAction {
  return {
    agent: context.agent.name,
    tool: name,
    args: deepFreeze(structuredClone(args)), // a rule that changes what runs would undo the digest
    risk,
    effect,
    at: new Date(context.runtime.clock.now()).toISOString(),
  };
}

/** A thread knows its own sums. Those of a day it learns when its start was refused. */
function totalOf(context: PlanContext, key: string, { name, per }: CumulativeLimit, day: string): number {
  if (per === "thread") return context.state.counted.get(name) ?? 0;
  const over = context.overLimit.get(key);
  return over?.name === name && over.day === day ? over.total : 0;
}
