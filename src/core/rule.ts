// I5. Rules are the owner's code and closed by default: one that throws, or says neither yes nor no, holds.
import { HoldpointError } from "./errors.ts";
import type { GateOutcome, ShadowOutcome } from "./events.ts";
import type { GatedAction } from "./gate.ts";
import { globPattern } from "./glob-pattern.ts";
import type { Json } from "./json.ts";
import type { TypedTool } from "./tool.ts";

/** Which tools something is about: a tool, or names of tools, `*` matching any run of characters. */
export type ToolPattern<Args = Json> = TypedTool<Args> | string | readonly string[];

/** One sentence of a gate: for these actions, this outcome. Its members are alternatives to nothing: all must fit. */
export interface Rule<Args = Json> {
  /** Names it in what people see. Default: `rule 1` and so on, by its place in the list. */
  readonly name?: string;
  /** Default: every tool. */
  readonly tool?: ToolPattern<Args>;
  /** Names of agents, `*` matching any run of characters. Default: every agent that has this gate. */
  readonly agent?: string | readonly string[];
  readonly outcome: GateOutcome["kind"];
  /** Why, for the people who are asked and for the model that is refused. Default: the rule's name. */
  readonly reason?: string;
  /** True: it changes nothing; what it would have done is recorded with the action. Default false. */
  readonly shadow?: boolean;
  /** Default: always. Pure, and not `async`. A method, so that it may name the arguments that its tool takes. */
  when?(action: GatedAction<Args>): boolean;
}

/** A rule whose `when` knows the arguments of its tool: `rule({ tool: issueRefund, when: ({ args }) => … })`. */
export function rule<Args = Json>(definition: Rule<Args>): Rule {
  return definition as unknown as Rule; // a tool's rule is asked about this tool only, whose input validated the arguments
}

/** The rules of a gate, ready to be asked. */
export interface Rules {
  /** Of the first rule that fits and is not in shadow mode; `undefined` when none does. */
  readonly judge: (action: GatedAction) => GateOutcome | undefined;
  /** What the rules in shadow mode would have done, as far as `judge` would have come to them. */
  readonly shadow: (action: GatedAction) => readonly ShadowOutcome[];
}

/** @throws `agent_invalid` for a rule that could never mean what its author meant. */
export function readRules(definitions: readonly Rule[], noun = "rule"): Rules {
  if (!Array.isArray(definitions)) throw invalidRule(`${noun}s`, "are no list");
  const rules = definitions.map((definition, index) => readRule(definition, `${noun} ${index + 1}`));
  return {
    judge: (action) => {
      for (const { isShadow, ask } of rules) {
        const said = isShadow ? null : ask(action);
        if (said) return outcomeOf(said);
      }
      return undefined;
    },
    shadow: (action) => {
      const found: ShadowOutcome[] = [];
      for (const { isShadow, ask } of rules) {
        const said = ask(action);
        if (said && !isShadow) break;
        if (said) found.push({ outcome: said.outcome, reason: said.reason, rule: said.rule });
      }
      return found;
    },
  };
}

function outcomeOf({ outcome, reason, isBroken }: Said): GateOutcome {
  if (outcome === "allow") return { kind: "allow" };
  return isBroken ? { kind: "hold", reason, isBroken } : { kind: outcome, reason };
}

/** What a rule says of an action that it fits. */
interface Said extends ShadowOutcome {
  readonly isBroken?: true;
}

interface ReadRule {
  readonly isShadow: boolean;
  /** `null`: the rule does not fit. */
  readonly ask: (action: GatedAction) => Said | null;
}

function readRule(definition: Rule, place: string): ReadRule {
  const name = checkRule(definition, place);
  const { outcome, reason = `the rule "${name}" says so`, shadow = false } = definition;
  const isItsTool = toolMatcher(definition.tool);
  const isItsAgent = nameMatcher(definition.agent);
  const ask = (action: GatedAction): Said | null => {
    if (!isItsTool(action.tool) || !isItsAgent(action.agent)) return null;
    const fits = definition.when === undefined ? true : fitsOrFailure(definition, action);
    if (typeof fits === "string")
      return { outcome: "hold", reason: `the rule "${name}" ${fits}`, rule: name, isBroken: true };
    return fits ? { outcome, reason, rule: name } : null;
  };
  return { isShadow: shadow, ask };
}

/** Whether a rule's `when` fits; as text, how it failed. */
function fitsOrFailure(definition: Rule, action: GatedAction): boolean | string {
  try {
    const fits: unknown = definition.when?.(action);
    if (typeof fits === "boolean") return fits;
    return fits instanceof Promise ? promised(fits) : "said neither true nor false";
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Nobody waits for it; where it rejects, that must not end the process. */
function promised(promise: Promise<unknown>): string {
  promise.catch(() => {});
  return "gave a promise: a gate does not wait";
}

/** Tells whether a tool's name is meant by a pattern. */
export function toolMatcher(pattern: ToolPattern | undefined): (tool: string) => boolean {
  if (typeof pattern !== "object" || !("name" in pattern)) return nameMatcher(pattern);
  return (tool) => tool === pattern.name;
}

function nameMatcher(globs: string | readonly string[] | undefined): (name: string) => boolean {
  if (globs === undefined) return () => true;
  const patterns = (typeof globs === "string" ? [globs] : globs).map(globPattern);
  return (name) => patterns.some((pattern) => pattern.test(name));
}

const members = new Set(["name", "tool", "agent", "outcome", "reason", "shadow", "when"]);
const outcomes: readonly string[] = ["allow", "hold", "deny"];

/** Plain JavaScript has no types that would say so; a member that is mistyped (`tools`) would widen its rule. */
function checkRule(definition: Rule, place: string): string {
  if (typeof definition !== "object" || definition === null) throw invalidRule(place, "is no object");
  const { name = place, outcome, when } = definition;
  const stray = Object.keys(definition).find((member) => !members.has(member));
  if (stray !== undefined) throw invalidRule(name, `has an unknown member ${JSON.stringify(stray)}`);
  if (!outcomes.includes(outcome)) throw invalidRule(name, `has no outcome ${outcomes.join(", ")}`);
  for (const member of ["reason", "name"] as const)
    if (definition[member] !== undefined && typeof definition[member] !== "string")
      throw invalidRule(place, `has a ${member} that is no text`);
  if (when !== undefined && typeof when !== "function")
    throw invalidRule(name, "has a when that is no function");
  if (![undefined, true, false].includes(definition.shadow))
    throw invalidRule(name, "has a shadow that is neither true nor false");
  checkNames(name, "tool", definition.tool);
  checkNames(name, "agent", definition.agent);
  return name;
}

/** Of a rule or a limit. @throws `agent_invalid` */
export function checkNames(owner: string, member: string, names: unknown): void {
  const isTool =
    member === "tool" && typeof (names as { name?: unknown } | null | undefined)?.name === "string";
  const isList = Array.isArray(names) && names.every((name) => typeof name === "string");
  if (names === undefined || typeof names === "string" || isTool || isList) return;
  throw invalidRule(
    owner,
    `has ${member === "tool" ? "a tool that is neither a tool nor names" : "an agent that is no name"}`,
  );
}

export function invalidRule(name: string, what: string): HoldpointError {
  return new HoldpointError("agent_invalid", `gate: ${name} ${what}`, {
    fix: 'A rule is { tool: "issue_*", when: ({ args }) => …, outcome: "hold", reason: "…" }.',
  });
}
