// A standing approval lets an agent do one narrow thing, so often and so long, without a person being asked each time.
// It is a thread of its own, of the reserved agent `standing-approval`: its log is its state (I1, I2).
//
// T1. It is data: no code decides whether an action fits it.
// T2. Closed by default: what does not fit in every part, or is over, used up or revoked, asks a person.
import type { EventOf, Risk, ThreadEvent } from "./events.ts";
import { canonicalJson, type Json } from "./json.ts";
import { type PathStep, parsePath } from "./json-path.ts";

/** Threads of this agent are standing approvals. No agent can be defined by this name, and no worker runs them. */
export const standingAgent = "standing-approval";

/** What an argument must be: equal to a value, or a number within bounds. All that are given must hold. */
export interface ArgumentCondition {
  /** To one value, such as `$.cents` or `$.lines[0].sku`. An argument that is not there fits no condition. */
  readonly path: string;
  readonly equals?: Json;
  /** Inclusive. */
  readonly min?: number;
  /** Inclusive. */
  readonly max?: number;
}

/** What is allowed. All parts must fit. */
export interface StandingGrant {
  readonly agent: string;
  readonly tool: string;
  /** Default: the one that the tool has when it is granted; where that is not known, every version. */
  readonly toolVersion?: string;
  /** At least one, unless the tool declares a `low` or `medium` risk. Arguments that none names may be anything. */
  readonly where: readonly ArgumentCondition[];
  /** How many actions at most. 1 to 1,000. */
  readonly uses: number;
  /** ISO 8601, UTC; at most 90 days after it was granted. */
  readonly expiresAt: string;
  readonly why: string;
  /** Of who granted it, as known then, without `role:`. */
  readonly roles?: readonly string[];
}

/** `used_up`: no use is left. `revoked`: a person ended it. */
export type StandingStatus = "open" | "used_up" | "expired" | "revoked";

/** A standing approval as its log tells it. */
export interface StandingApproval {
  readonly standingId: string;
  readonly grant: StandingGrant;
  /** The principal who granted it. */
  readonly by: string;
  readonly grantedAt: string;
  readonly uses: readonly EventOf<"standing_used">[];
  readonly revoked: EventOf<"thread_cancelled"> | null;
  /** Last `seq` of its log. */
  readonly head: number;
  readonly isClosed: boolean;
}

/** @returns `null` for a log that is no standing approval, or whose grant could not have been given. */
export function readStanding(events: readonly ThreadEvent[]): StandingApproval | null {
  const [started] = events;
  if (started?.type !== "thread_started" || started.agent !== standingAgent) return null;
  if (started.parent || started.forkedFrom) return null; // a copy would spend the same uses again
  const grant = started.input.value as StandingGrant | undefined; // checked on the next line
  if (grant === undefined || whyNoGrant(grant, started.at) !== null) return null;
  const end = events.find(({ type }) => type.startsWith("thread_") && type !== "thread_started");
  return {
    standingId: started.threadId,
    grant,
    by: started.by,
    grantedAt: started.at,
    uses: events.filter((event): event is EventOf<"standing_used"> => event.type === "standing_used"),
    revoked: end?.type === "thread_cancelled" ? end : null,
    head: events.length,
    isClosed: end !== undefined,
  };
}

export function statusOf(
  { grant, uses, revoked, isClosed }: StandingApproval,
  nowMs: number,
): StandingStatus {
  if (revoked) return "revoked";
  if (isClosed || Date.parse(grant.expiresAt) <= nowMs) return "expired";
  return uses.length >= grant.uses ? "used_up" : "open";
}

/** An action that is held. */
export interface HeldAction {
  readonly agent: string;
  readonly tool: string;
  readonly toolVersion: string;
  readonly args: Json;
  readonly risk?: Risk | undefined;
}

/** Whether a grant is about this action. Uses and time are another matter. */
export function fitsGrant(grant: StandingGrant, action: HeldAction): boolean {
  const { agent, tool, toolVersion, where } = grant;
  if (agent !== action.agent || tool !== action.tool) return false;
  if (toolVersion !== undefined && toolVersion !== action.toolVersion) return false;
  if (where.length === 0 && !mayBeUnconditional(action.risk)) return false;
  return where.every((condition) => holds(condition, action.args));
}

/** A grant with no condition is as wide as its tool: never for one whose risk is high, or that declares none. */
export function mayBeUnconditional(risk: Risk | undefined): boolean {
  return risk === "low" || risk === "medium";
}

function holds(condition: ArgumentCondition, args: Json): boolean {
  const { path, equals, min, max } = condition;
  const value = valueAt(args, stepsOf(path) ?? []);
  if (value === undefined) return false;
  if (equals !== undefined && canonicalJson(value) !== canonicalJson(equals)) return false;
  if (min === undefined && max === undefined) return true;
  return typeof value === "number" && value >= (min ?? value) && value <= (max ?? value);
}

/** Strictly as it is: unlike a model's paths, these do not look into texts that are JSON. */
function valueAt(value: Json, steps: readonly PathStep[]): Json | undefined {
  let at: Json | undefined = value;
  for (const step of steps) {
    if (typeof at !== "object" || at === null) return undefined;
    const key = step.kind === "member" ? step.name : step.kind === "index" ? String(step.index) : "";
    const isIndex = step.kind === "index";
    if (Array.isArray(at) !== isIndex || !Object.hasOwn(at, key)) return undefined;
    at = (at as { readonly [key: string]: Json })[key]; // an array has its elements under their numbers, too
  }
  return at;
}

/** Steps to one value; `null` for a path that cannot be read, that leads to several, or to the whole. */
function stepsOf(path: string): readonly PathStep[] | null {
  const parsed = parsePath(path);
  if (!parsed.ok || parsed.steps.length === 0) return null;
  const isOne = parsed.steps.every(
    (step) => step.kind === "member" || (step.kind === "index" && step.index >= 0),
  );
  return isOne ? parsed.steps : null;
}

const mostUses = 1_000;
const mostDays = 90;
const mostConditions = 20;
const name = /^[a-zA-Z0-9._-]{1,64}$/;

/** Why something cannot be granted; `null` when it can. `at`: when it is, or was, granted. */
export function whyNoGrant(grant: StandingGrant, at: string): string | null {
  const { agent, tool, toolVersion, where, uses, expiresAt, why, roles = [] } = grant;
  if (typeof agent !== "string" || !name.test(agent)) return "it names no agent (a name, no pattern)";
  if (typeof tool !== "string" || !name.test(tool)) return "it names no tool (a name, no pattern)";
  if (toolVersion !== undefined && typeof toolVersion !== "string") return "its tool version is no text";
  if (!Number.isInteger(uses) || uses < 1 || uses > mostUses) return `it needs uses, from 1 to ${mostUses}`;
  const lastsMs = Date.parse(expiresAt) - Date.parse(at);
  if (!(lastsMs > 0 && lastsMs <= mostDays * 86_400_000))
    return `it needs an end, in the future and within ${mostDays} days`;
  if (typeof why !== "string" || why.trim() === "" || why.length > 1_000)
    return "it needs a reason, in at most 1,000 characters";
  if (!Array.isArray(roles) || roles.some((role) => typeof role !== "string"))
    return "its roles are no names";
  if (!Array.isArray(where) || where.length > mostConditions)
    return `its conditions are no list of at most ${mostConditions}`;
  return where.map(whyNoCondition).find((problem) => problem !== null) ?? null;
}

function whyNoCondition(condition: ArgumentCondition): string | null {
  if (typeof condition !== "object" || condition === null) return "a condition is no object";
  const { path, equals, min, max, ...stray } = condition;
  if (typeof path !== "string" || stepsOf(path) === null)
    return `${JSON.stringify(path) ?? "a condition"} is no path to one argument, such as $.cents`;
  const [member] = Object.keys(stray);
  if (member !== undefined) return `the condition on ${path} has an unknown member ${JSON.stringify(member)}`;
  if (equals === undefined && min === undefined && max === undefined)
    return `the condition on ${path} allows everything: give equals, min or max`;
  for (const bound of [min, max])
    if (bound !== undefined && !Number.isFinite(bound)) return `a bound of ${path} is no number`;
  return (min ?? 0) > (max ?? min ?? 0) ? `no number is within the bounds of ${path}` : null;
}
