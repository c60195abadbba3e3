import type { Agent } from "../agent.ts";
import { highRiskNames } from "../gate.ts";
import { globPattern } from "../glob-pattern.ts";
import type { Tool } from "../tool.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { CheckContext, Finding } from "./finding.ts";
import { allowedBy, isForAgent, type ReadRule, rulesOf, toolsMatching, unmatched } from "./gate-reach.ts";

/** Risky tools are held; rules and limits are about tools that there are, and are asked. */
export function checkGate({ agent }: CheckContext): readonly Finding[] {
  const rules = rulesOf(agent);
  return [
    ...checkRisks(agent, rules),
    ...checkHighRisk(agent),
    ...rules.flatMap((rule, index) => checkRule(agent, rule, rules.slice(0, index))),
    ...checkDecide(agent, rules),
    ...checkCumulative(agent, rules),
  ];
}

function found(code: CheckCode, message: string, text?: string): Finding {
  return finding(code, { kind: "gate", ...(text !== undefined && { text }) }, message);
}

function isRisky({ risk }: Tool): boolean {
  return risk !== "low" && risk !== "medium";
}

function checkRisks(agent: Agent, rules: readonly ReadRule[]): readonly Finding[] {
  const all = rules.find(({ rule, isSure }) => isSure && rule.outcome === "allow" && rule.tool === undefined);
  const risky = [...agent.tools.values()].filter(isRisky);
  const isOpen = all && risky.length > 0 && risky.every((tool) => allowedBy(agent, rules, tool) === "always");
  const { cumulative = [] } = agent.gate.policy ?? {};
  const isLimited = (tool: Tool): boolean =>
    cumulative.some((limit) => toolsMatching(agent, limit.tool).includes(tool));
  const allowed = isOpen
    ? [found("gate_allows_everything", `${all.name} allows every tool`, all.rule.name)]
    : risky
        .filter((tool) => allowedBy(agent, rules, tool) === "always" && !isLimited(tool))
        .map(({ name }) =>
          finding(
            "risky_tool_allowed",
            { kind: "tool", name },
            `a rule allows ${name} whatever its arguments`,
          ),
        );
  return [...allowed, ...[...agent.tools.values()].flatMap((tool) => checkRiskName(agent, rules, tool))];
}

function checkRiskName(agent: Agent, rules: readonly ReadRule[], tool: Tool): readonly Finding[] {
  const { name, risk } = tool;
  const isNamed = highRiskNames.some((pattern) => globPattern(pattern).test(name));
  if (!isNamed || isRisky(tool) || allowedBy(agent, rules, tool) !== "always") return [];
  return [finding("risk_low_by_name", { kind: "tool", name }, `${name} declares the risk ${risk}`)];
}

function checkHighRisk(agent: Agent): readonly Finding[] {
  const { highRisk = [] } = agent.gate.policy ?? {};
  return highRisk.flatMap((pattern) => {
    const tools = toolsMatching(agent, pattern);
    if (tools.some(isRisky)) return [];
    const what =
      tools.length === 0
        ? "fits no tool"
        : `fits ${tools.map(({ name, risk }) => `${name}, which is ${risk}`).join("; ")}`;
    return [found("high_risk_unmatched", `highRisk: ${JSON.stringify(pattern)} ${what}`, pattern)];
  });
}

function checkRule(agent: Agent, read: ReadRule, earlier: readonly ReadRule[]): readonly Finding[] {
  const { rule, name, tools } = read;
  if (!isForAgent(rule, agent.name))
    return [found("rule_pattern_unmatched", `${name} is for other agents than ${agent.name}`, rule.name)];
  const { names, globs } = unmatched(agent, rule.tool);
  const unknown = [
    ...names.map((tool) =>
      found("rule_tool_unknown", `${name} names ${tool}, and there is no such tool`, tool),
    ),
    ...globs.map((glob) => found("rule_pattern_unmatched", `${name}: ${glob} fits none of the tools`, glob)),
  ];
  const isCovered = tools.length > 0 && tools.every((tool) => decidesBefore(earlier, tool) !== undefined);
  const by = isCovered && tools[0] ? decidesBefore(earlier, tools[0]) : undefined;
  return [
    ...unknown,
    ...(by ? [found("rule_shadowed", `${name} is never asked: ${by.name} comes before it`, rule.name)] : []),
  ];
}

/** The rule that settles every action of the tool. */
function decidesBefore(rules: readonly ReadRule[], tool: Tool): ReadRule | undefined {
  return rules.find(({ tools, isSure }) => isSure && tools.includes(tool));
}

function checkDecide(agent: Agent, rules: readonly ReadRule[]): readonly Finding[] {
  const tools = [...agent.tools.values()];
  const isAsked = tools.length === 0 || tools.some((tool) => decidesBefore(rules, tool) === undefined);
  if (!agent.gate.policy?.decide || isAsked) return [];
  return [found("decide_shadowed", "decide is never asked: rules come before it for every tool", "decide")];
}

function checkCumulative(agent: Agent, rules: readonly ReadRule[]): readonly Finding[] {
  const { cumulative = [] } = agent.gate.policy ?? {};
  return cumulative.flatMap(({ name, tool }) => {
    const tools = toolsMatching(agent, tool);
    const { names, globs } = unmatched(agent, tool);
    const [unknown] = [...names, ...globs];
    if (tools.length === 0 && unknown !== undefined)
      return [
        found(
          "cumulative_tool_unknown",
          `limit "${name}" is about ${unknown}, and there is no such tool`,
          name,
        ),
      ];
    if (tools.some((each) => allowedBy(agent, rules, each) !== "never")) return [];
    return [
      found(
        "cumulative_never_asked",
        `limit "${name}" is about actions that are always held or denied`,
        name,
      ),
    ];
  });
}
