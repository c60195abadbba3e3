// What a gate's policy does with a tool whatever its arguments, as far as that can be told without asking it.

import type { Agent } from "../agent.ts";
import { readerName } from "../artifact-ref.ts";
import { globPattern } from "../glob-pattern.ts";
import { type Rule, type ToolPattern, toolMatcher } from "../rule.ts";
import type { Tool } from "../tool.ts";

/** Rules that count, in their order, each with the tools of the agent that it is about. */
export interface ReadRule {
  readonly rule: Rule;
  /** What it is called in messages. */
  readonly name: string;
  readonly tools: readonly Tool[];
  /** It fits all actions of its tools. */
  readonly isSure: boolean;
}

export function rulesOf(agent: Agent): readonly ReadRule[] {
  const { rules = [] } = agent.gate.policy ?? {};
  return rules.map((rule, index) => ({
    rule,
    name: rule.name ?? `rule ${index + 1}`,
    tools: isForAgent(rule, agent.name) ? toolsMatching(agent, rule.tool) : [],
    isSure: rule.when === undefined && rule.shadow !== true,
  }));
}

export function isForAgent({ agent }: Rule, name: string): boolean {
  if (agent === undefined) return true;
  return [agent].flat().some((pattern) => globPattern(pattern).test(name));
}

export function toolsMatching(agent: Agent, pattern: ToolPattern | undefined): readonly Tool[] {
  const matches = toolMatcher(pattern);
  return [...agent.tools.values()].filter(({ name }) => matches(name));
}

/** Names in a pattern that are no tool of the agent; of patterns with `*`, those that fit none. */
export function unmatched(
  agent: Agent,
  pattern: ToolPattern | undefined,
): { readonly names: readonly string[]; readonly globs: readonly string[] } {
  const all = patternsOf(pattern).filter(
    (each) => toolsMatching(agent, each).length === 0 && !globPattern(each).test(readerName),
  );
  return {
    names: all.filter((each) => !each.includes("*")),
    globs: all.filter((each) => each.includes("*")),
  };
}

function patternsOf(pattern: ToolPattern | undefined): readonly string[] {
  if (pattern === undefined) return [];
  if (typeof pattern === "string") return [pattern];
  return "name" in pattern ? [pattern.name] : pattern;
}

/** `unknown`: it depends on the arguments, or on code. */
export type Reach = "always" | "never" | "unknown";

/** Whether the gate allows a tool, limits on sums left aside. */
export function allowedBy(agent: Agent, rules: readonly ReadRule[], tool: Tool): Reach {
  let mayBe = false;
  let isSplit = false;
  for (const { rule, tools, isSure } of rules) {
    if (rule.shadow === true || !tools.includes(tool)) continue;
    if (isSure) {
      if (rule.outcome === "allow") return isSplit ? "unknown" : "always";
      return mayBe ? "unknown" : "never";
    }
    if (rule.outcome === "allow") mayBe = true;
    isSplit = true;
  }
  const { decide } = agent.gate.policy ?? {};
  if (decide) return "unknown";
  if (tool.risk === "low" || tool.risk === "medium") return isSplit ? "unknown" : "always";
  return mayBe ? "unknown" : "never";
}

/** Whether some action of the agent may wait for a person. */
export function mayHold(agent: Agent): boolean {
  const rules = rulesOf(agent);
  return [...agent.tools.values()].some(
    (tool) => allowedBy(agent, rules, tool) !== "always" && !isDenied(rules, tool),
  );
}

/** Whatever its arguments. A rule with a `when` that comes before could fail, and then it holds. */
function isDenied(rules: readonly ReadRule[], tool: Tool): boolean {
  const first = rules.find(({ rule, tools }) => rule.shadow !== true && tools.includes(tool));
  return first?.isSure === true && first.rule.outcome === "deny";
}
