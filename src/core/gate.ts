// I5. The gate is pure and closed by default: what nobody declared harmless waits for a person.
import { isSamePrincipal, soundApprovers } from "./approvers.ts";
import { type Counted, type CumulativeLimit, readLimits } from "./cumulative.ts";
import { type Duration, durationMs } from "./duration.ts";
import { HoldpointError } from "./errors.ts";
import type { Effect, GateOutcome, Risk, ShadowOutcome } from "./events.ts";
import { globPattern } from "./glob-pattern.ts";
import type { Json } from "./json.ts";
import { type Rule, readRules } from "./rule.ts";

/** What the gate judges. */
export interface GatedAction<Args = Json> {
  readonly agent: string;
  readonly tool: string;
  readonly args: Args;
  readonly risk: Risk | undefined;
  readonly effect: Effect;
  /** When it is judged, ISO 8601 in UTC: core has no clock. */
  readonly at: string;
}

export interface GatePolicy {
  /**
   * Who may decide: principals, and roles as `role:support-lead`. Default: anyone with access to the store.
   * A function is a rule: asked once for each action that is held, when its request is opened. It must be pure and name
   * somebody: an action for which it throws, or names nobody, is denied. Requests about no action are then anyone's.
   */
  readonly approvers?: readonly string[] | ((action: GatedAction) => readonly string[]);
  /** Approvals that an action takes, each by another principal. Above 1 its arguments cannot be edited. Default 1. */
  readonly quorum?: number;
  /** Whether who started the thread may decide its requests. Default: where nobody is named as approver. */
  readonly requesterMayDecide?: boolean;
  /** When approvers are reminded, from the opening of the request. Default: never. */
  readonly remindAfter?: readonly Duration[];
  /** Who else may decide when nobody has by then. Default: nobody. */
  readonly escalate?: readonly { readonly after: Duration; readonly to: readonly string[] }[];
  /** How long a request stays open; no answer by then is a rejection. Default 24 h. */
  readonly expiresIn?: Duration;
  /** Tool names, `*` matching any run of characters, that are high risk unless their tool declares a risk. Added to the built-in list. */
  readonly highRisk?: readonly string[];
  /** Asked first, in their order: the first that fits decides, also to let a high risk run. Those that fit no rule go on. */
  readonly rules?: readonly Rule[];
  /** Rules on trial: they change nothing; what each would have done is recorded with the action. */
  readonly shadow?: readonly Rule[];
  /** Limits on sums over actions. They are asked about what the rest of the gate allows, and count whatever starts. */
  readonly cumulative?: readonly CumulativeLimit[];
  /** Asked when no rule fits. What it returns stands; `undefined` leaves the action to the default policy. It must be pure. */
  readonly decide?: (action: GatedAction) => GateOutcome | undefined;
}

export interface Gate {
  /** Those named for every request; nobody where a rule names them. */
  readonly approvers: readonly string[];
  /** `null` where there is no rule. What it throws, or names, is for the caller to judge. */
  readonly approverRule: ((action: GatedAction) => readonly string[]) | null;
  readonly quorum: number;
  readonly requesterMayDecide: boolean | undefined;
  /** In order, each from the opening of the request. */
  readonly remindAfterMs: readonly number[];
  readonly escalate: readonly { readonly afterMs: number; readonly to: readonly string[] }[];
  readonly expiresInMs: number;
  readonly judge: (action: GatedAction) => GateOutcome;
  /** What rules in shadow mode would have done. */
  readonly shadow: (action: GatedAction) => readonly ShadowOutcome[];
  /** What an action would add to the cumulative limits that it is of. */
  readonly count: (action: GatedAction) => readonly Counted[];
  /** True when the name is on the list of high risks, whatever its tool declares. */
  readonly isHighRiskName: (tool: string) => boolean;
  /** What it was made of, for those who look at it beforehand (`checkAgent`); nothing is judged by it. */
  readonly policy?: GatePolicy;
}

/** High risk by name, as 12-factor-agents lists them, unless a tool declares its risk. */
export const highRiskNames: readonly string[] = ["delete*", "deploy*", "charge*", "send_email"];

/**
 * Builds a gate. With no policy at all: `low` and `medium` risk run, `high` and undeclared risk are held.
 *
 * @throws `agent_invalid` for approvers that are none, a quorum that they cannot reach, and a rule or a limit that could
 *   never mean what its author meant.
 */
export function gate(policy: GatePolicy = {}): Gate {
  const patterns = [...highRiskNames, ...(policy.highRisk ?? [])].map(globPattern);
  const rules = readRules(policy.rules ?? []);
  const trials = readRules(onTrial(policy.shadow ?? []), "shadow rule");
  return {
    ...approvalPolicy(policy),
    expiresInMs: durationMs(policy.expiresIn ?? "24h"),
    judge: (action) =>
      rules.judge(action) ?? checkedOutcome(policy.decide?.(action)) ?? judgeByRisk(action, patterns),
    shadow: (action) => [...trials.shadow(action), ...rules.shadow(action)],
    count: readLimits(policy.cumulative ?? []),
    isHighRiskName: (tool) => patterns.some((pattern) => pattern.test(tool)),
    policy,
  };
}

/** Most reminders, and most steps of escalation, of one request: they are kept with it. */
const mostTimes = 10;
const mostQuorum = 20;

function approvalPolicy(
  policy: GatePolicy,
): Pick<Gate, "approvers" | "approverRule" | "quorum" | "requesterMayDecide" | "remindAfterMs" | "escalate"> {
  const { approvers = [], quorum = 1, requesterMayDecide, remindAfter = [], escalate = [] } = policy;
  const rule = typeof approvers === "function" ? approvers : null;
  const named = typeof approvers === "function" ? [] : soundApprovers(approvers, "the gate");
  const steps = escalate.map(({ after, to }) => ({
    afterMs: durationMs(after),
    to: soundApprovers(to, "the gate's escalation"),
  }));
  if (!Number.isInteger(quorum) || quorum < 1 || quorum > mostQuorum)
    throw invalid(`the quorum cannot be ${quorum}`, `Give a whole number from 1 to ${mostQuorum}.`);
  const people = [...named, ...steps.flatMap(({ to }) => to)];
  const isReachable = people.length === 0 || people.some((entry) => entry.startsWith("role:"));
  if (rule === null && !isReachable && countPrincipals(people) < quorum)
    throw invalid(`${quorum} approvals are needed, and fewer may approve`, "Name more, or a role.");
  if (remindAfter.length > mostTimes || steps.length > mostTimes)
    throw invalid(`there are more than ${mostTimes} reminders or escalations`, "Give fewer.");
  return {
    approvers: named,
    approverRule: rule,
    quorum,
    requesterMayDecide,
    remindAfterMs: remindAfter.map(durationMs).sort((one, other) => one - other),
    escalate: steps.sort((one, other) => one.afterMs - other.afterMs),
  };
}

/** Several spellings of one principal have one vote. */
function countPrincipals(people: readonly string[]): number {
  return people.filter((id, index) => people.findIndex((other) => isSamePrincipal(other, id)) === index)
    .length;
}

function invalid(why: string, fix: string): HoldpointError {
  return new HoldpointError("agent_invalid", `the gate: ${why}`, { fix });
}

function onTrial(rules: readonly Rule[]): readonly Rule[] {
  return Array.isArray(rules) ? rules.map((trial) => ({ ...trial, shadow: true })) : rules;
}

/** A policy is the user's code: what is no outcome (a promise, say) must hold, not run. */
function checkedOutcome(outcome: GateOutcome | undefined): GateOutcome | undefined {
  if (outcome === undefined || outcome === null) return undefined;
  switch (outcome.kind) {
    case "allow":
    case "hold":
    case "deny":
      return outcome;
    default:
      if ((outcome as unknown) instanceof Promise) (outcome as Promise<unknown>).catch(() => {}); // nobody waits for it
      return { kind: "hold", reason: "the gate's policy returned no outcome", isBroken: true };
  }
}

function judgeByRisk(action: GatedAction, patterns: readonly RegExp[]): GateOutcome {
  if (action.risk === "high") return { kind: "hold", reason: "its risk is high" };
  if (action.risk === "low" || action.risk === "medium") return { kind: "allow" }; // a word it does not know declares nothing
  const named = patterns.some((pattern) => pattern.test(action.tool));
  return {
    kind: "hold",
    reason: named ? "its name is on the list of high risks" : "its risk is not declared",
  };
}
