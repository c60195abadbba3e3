import { encodings } from "../encodings/encodings.ts";
import { type Count, messageOverhead } from "../window/parts.ts";
import { mayDecide } from "./check-prompt.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { CheckContext, CheckedModel, Finding } from "./finding.ts";
import { promptText } from "./prompt-text.ts";

/** The budget against the model's limits and the parts that always stay; shrinkers; results; sections. */
export function checkWindow(context: CheckContext): readonly Finding[] {
  if (!mayDecide(context.agent)) return [];
  return [
    ...context.models.flatMap((model) => checkModel(context, model)),
    ...checkOutput(context),
    ...checkFixedParts(context),
    ...checkShrinking(context),
    ...checkSections(context),
    ...checkSummary(context),
  ];
}

function found(code: CheckCode, message: string, text?: string): Finding {
  return finding(code, { kind: "window", ...(text !== undefined && { text }) }, message);
}

function checkModel({ agent }: CheckContext, model: CheckedModel): readonly Finding[] {
  const { id, contextTokens, maxOutputTokens = Number.POSITIVE_INFINITY } = model;
  if (contextTokens === undefined)
    return [finding("model_unknown", { kind: "model" }, `nothing is known of ${id}`)];
  const { budget } = agent.window;
  const answer = Math.min(agent.maxOutputTokens, maxOutputTokens);
  return [
    ...(budget + answer > contextTokens
      ? [
          found(
            "window_over_model",
            `a budget of ${budget} and ${answer} for the answer are more than ${contextTokens} of ${id}`,
            "budget",
          ),
        ]
      : []),
    ...(agent.maxOutputTokens > maxOutputTokens
      ? [
          found(
            "output_over_model",
            `maxOutputTokens is ${agent.maxOutputTokens}, and ${id} puts out ${maxOutputTokens}`,
            "maxOutputTokens",
          ),
        ]
      : []),
  ];
}

const leastOutput = 256;

function checkOutput({ agent: { maxOutputTokens } }: CheckContext): readonly Finding[] {
  if (maxOutputTokens >= leastOutput) return [];
  return [found("output_room_small", `maxOutputTokens is ${maxOutputTokens}`, "maxOutputTokens")];
}

/** What every window holds: the prompt, and the tools as the encoding puts them. */
function checkFixedParts(context: CheckContext): readonly Finding[] {
  const { agent, count } = context;
  const { budget } = agent.window;
  const prompt = count(promptText(agent.prompt) ?? "");
  const tools = toolTokens(context, count);
  const sum = `prompt (about ${prompt}) and tools (about ${tools}) of ${budget} tokens`;
  if (prompt + tools > budget) return [found("window_fixed_over", sum, "budget")];
  return prompt + tools > budget * 0.6 ? [found("window_fixed_large", sum, "budget")] : [];
}

function toolTokens({ agent }: CheckContext, count: Count): number {
  const tools = [...agent.tools.values()].map(({ name, description, inputSchema }) => ({
    name,
    description,
    inputSchema,
  }));
  const offer = { tools, answer: agent.outputSchema ?? null };
  const encoding = encodings[agent.encoding];
  const { tools: sent, output } = encoding.request(offer);
  const text = [...sent, ...(output ? [output] : [])].map((part) => JSON.stringify(part)).join("");
  return count(text) + count(encoding.instructions(offer)) + messageOverhead * sent.length;
}

function checkShrinking({ agent }: CheckContext): readonly Finding[] {
  const { shrink, keepLast, shrinkTo } = agent.window;
  const { steps } = agent.limits;
  const isBounded = [...agent.tools.values()].every(({ show }) => show !== undefined);
  const shrinking: readonly Finding[] =
    shrink.length === 0
      ? [found("window_no_shrink", "shrink is empty", "shrink")]
      : [
          ...(shrink.includes("reference") || isBounded
            ? []
            : [found("results_not_aside", `shrink is ${shrink.join(", ")}`, "shrink")]),
          ...(shrink.includes("summarise") || steps <= 20
            ? []
            : [
                found(
                  "window_no_summary",
                  `shrink is ${shrink.join(", ")}, for up to ${steps} steps`,
                  "shrink",
                ),
              ]),
        ];
  return [
    ...shrinking,
    ...(keepLast >= steps && keepLast > 2
      ? [found("window_keeps_all", `keepLast is ${keepLast}, and there are ${steps} steps`, "keepLast")]
      : []),
    ...(shrinkTo > 0.95 ? [found("window_shrinks_always", `shrinkTo is ${shrinkTo}`, "shrinkTo")] : []),
  ];
}

function checkSections({ agent: { window } }: CheckContext): readonly Finding[] {
  const { budget, sections } = window;
  const most = sections.reduce((sum, { maxTokens = Math.floor(budget / 4) }) => sum + maxTokens, 0);
  return [
    ...(most > budget / 2
      ? [found("section_over_budget", `its sections may take ${most} of ${budget} tokens`, "sections")]
      : []),
    ...sections
      .filter(({ pin }) => pin)
      .map(({ name }) => found("section_pinned", `section "${name}" is pinned`, name)),
  ];
}

function checkSummary({ agent: { window }, summaryModel }: CheckContext): readonly Finding[] {
  const { summary, budget } = window;
  if (!summary) return [];
  const most = summaryModel?.contextTokens ?? Number.POSITIVE_INFINITY;
  return [
    ...(summary.maxInputTokens + summary.maxOutputTokens > most
      ? [
          found(
            "summary_over_model",
            `the summary's model is given up to ${summary.maxInputTokens} tokens`,
            "summary",
          ),
        ]
      : []),
    ...(summary.maxOutputTokens > budget * 0.45
      ? [
          found(
            "summary_large",
            `a summary may take ${summary.maxOutputTokens} of ${budget} tokens`,
            "summary",
          ),
        ]
      : []),
  ];
}
