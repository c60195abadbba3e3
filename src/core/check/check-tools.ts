import { answerName } from "../encodings/encoding.ts";
import type { Tool } from "../tool.ts";
import { checkToolSchema } from "./check-tool-schema.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { CheckContext, Finding } from "./finding.ts";
import { rulesOf } from "./gate-reach.ts";
import { limitsOfProvider } from "./provider-limits.ts";

/** Names, descriptions, risk and effect, timeouts, schemas, and what the provider takes. */
export function checkTools(context: CheckContext): readonly Finding[] {
  const tools = [...context.agent.tools.values()];
  return [
    ...checkCount(context, tools.length),
    ...tools.flatMap((tool, index) => [
      ...checkName(context, tool),
      ...checkAlike(tool, tools.slice(0, index)),
      ...checkDescription(context, tool),
      ...checkRisk(context, tool),
      ...checkEffect(tool),
      ...checkTimeout(tool),
      ...checkToolSchema(context, tool),
    ]),
  ];
}

function found(code: CheckCode, { name }: Tool, message: string): Finding {
  return finding(code, { kind: "tool", name }, message);
}

/** Where a decision offers fewer at a time, that is the flow's matter: what all together would be is told. */
function checkCount({ agent, models }: CheckContext, count: number): readonly Finding[] {
  const about = { kind: "agent" } as const;
  for (const { id, provider } of agent.encoding === "tools" ? models : []) {
    const most = limitsOfProvider(provider)?.mostTools;
    if (most && count > most.value)
      return [
        finding(
          "tools_too_many",
          about,
          `${count} tools for ${id}, more than ${most.value} (${most.source})`,
        ),
      ];
  }
  return count > 25 ? [finding("tools_many", about, `it has ${count} tools`)] : [];
}

function checkName({ agent, models }: CheckContext, tool: Tool): readonly Finding[] {
  const { name } = tool;
  if (name === answerName || name in Object.prototype)
    return [found("tool_name_reserved", tool, `a tool is called ${JSON.stringify(name)}`)];
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    return [found("tool_name_invalid", tool, `a tool is called ${JSON.stringify(name)}`)];
  for (const { id, provider } of agent.encoding === "tools" ? models : []) {
    const allowed = limitsOfProvider(provider)?.toolName;
    if (allowed?.value.test(name) === false)
      return [found("tool_name_provider", tool, `${id} may take no tool called ${name} (${allowed.source})`)];
  }
  return [];
}

function checkAlike(tool: Tool, others: readonly Tool[]): readonly Finding[] {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, "");
  const alike = others.find(({ name }) => plain(name) === plain(tool.name));
  const equal = others.find(
    ({ description }) => description.trim() !== "" && description.trim() === tool.description.trim(),
  );
  return [
    ...(alike ? [found("tool_names_alike", tool, `${tool.name} and ${alike.name} are alike`)] : []),
    ...(equal
      ? [found("tool_descriptions_equal", tool, `${tool.name} is described as ${equal.name} is`)]
      : []),
  ];
}

function checkDescription({ models }: CheckContext, tool: Tool): readonly Finding[] {
  const { name, description } = tool;
  if (typeof description !== "string" || description.trim() === "")
    return [found("tool_description_missing", tool, `${name} has no description`)];
  for (const { id, provider } of models) {
    const most = limitsOfProvider(provider)?.longestDescription;
    if (!most || description.length <= most.value) continue;
    const what = `${name} is described in ${description.length} characters, for ${id}`;
    return [found("tool_description_long", tool, `${what} (${most.source})`)];
  }
  return [];
}

/** What is left open on purpose has a rule, or a name that is known for its risk. */
function checkRisk({ agent }: CheckContext, tool: Tool): readonly Finding[] {
  if (tool.risk !== undefined || agent.gate.isHighRiskName(tool.name)) return [];
  if (rulesOf(agent).some(({ rule, tools }) => rule.tool !== undefined && tools.includes(tool))) return [];
  if (agent.gate.policy?.decide) return [];
  return [found("tool_risk_undeclared", tool, `${tool.name} declares no risk`)];
}

const reads = /^(?:get|find|list|read|search|look_?up|lookup|fetch|show|query|count)(?:[_A-Z-]|$)/;
const changes =
  /^(?:create|add|send|pay|charge|refund|issue|delete|remove|update|set|write|post|cancel|book|order|deploy|transfer|publish)(?:[_A-Z-]|$)/;

function checkEffect(tool: Tool): readonly Finding[] {
  const { name, effect, verify } = tool;
  if (effect === "read" && changes.test(name))
    return [found("tool_effect_doubtful", tool, `${name} is declared to read only`)];
  if (effect !== "once") return [];
  if (reads.test(name)) return [found("tool_reads_once", tool, `${name} has the effect once`)];
  return verify ? [] : [found("tool_once_unverified", tool, `${name} runs once, and has no verify`)];
}

const longest = 30 * 60_000;
const shortest = 100;

function checkTimeout(tool: Tool): readonly Finding[] {
  const { name, timeoutMs } = tool;
  if (timeoutMs > longest)
    return [found("tool_timeout_long", tool, `${name} may take ${Math.round(timeoutMs / 60_000)} minutes`)];
  return timeoutMs < shortest ? [found("tool_timeout_short", tool, `${name} has ${timeoutMs} ms`)] : [];
}
