import { type Attributes, type Context, type Span, SpanKind, type Tracer } from "@opentelemetry/api";
import type { EffectEnd, EffectFacts } from "../ports/telemetry.ts";
import { type Content, contentAttribute } from "./content.ts";
import { toldEnd } from "./effect-end.ts";
import { fail } from "./fail.ts";
import { inputMessagesOf, outputMessagesOf, systemOf } from "./messages.ts";
import { genAi, holdpoint, splitModel } from "./names.ts";

interface Begin {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

/** `common` is on every span of the turn. */
export function startEffectSpan(
  tracer: Tracer,
  parent: Context,
  effect: EffectFacts,
  { common, content }: { readonly common: Attributes; readonly content: Content },
): Span {
  const { name, kind, attributes } = beginOf(effect, content);
  const own = { [holdpoint.operationKey]: effect.key, [holdpoint.attempt]: effect.attempt };
  return tracer.startSpan(name, { kind, attributes: { ...common, ...own, ...attributes } }, parent);
}

function beginOf(effect: EffectFacts, content: Content): Begin {
  switch (effect.kind) {
    case "model":
      return modelBegin(effect, content);
    case "tool":
    case "verify":
      return toolBegin(effect, content);
    case "step":
      return { name: `step ${nameOfKey(effect.key)}`, kind: SpanKind.INTERNAL, attributes: {} };
    default:
      return effect satisfies never;
  }
}

function modelBegin({ model: id, input }: Extract<EffectFacts, { kind: "model" }>, content: Content): Begin {
  const named = id === null ? null : splitModel(id);
  return {
    name: named ? `chat ${named.model}` : "chat",
    kind: SpanKind.CLIENT,
    attributes: {
      [genAi.operationName]: "chat",
      ...(named && { [genAi.providerName]: named.provider, [genAi.requestModel]: named.model }),
      [genAi.requestMaxTokens]: input.maxOutputTokens,
      ...(input.output && { [genAi.outputType]: "json" }),
      ...contentAttribute(content, genAi.systemInstructions, () => systemOf(input)),
      ...contentAttribute(content, genAi.inputMessages, () => inputMessagesOf(input)),
    },
  };
}

function toolBegin(
  { kind, tool, callId, args }: Extract<EffectFacts, { kind: "tool" | "verify" }>,
  content: Content,
): Begin {
  return {
    name: `execute_tool ${tool.name}`,
    kind: SpanKind.INTERNAL,
    attributes: {
      [genAi.operationName]: "execute_tool",
      [genAi.toolName]: tool.name,
      [genAi.toolType]: "function",
      [genAi.toolCallId]: callId,
      [holdpoint.toolVersion]: tool.version,
      [holdpoint.toolRisk]: tool.risk ?? "undeclared",
      [holdpoint.toolEffect]: tool.effect,
      ...(kind === "verify" && { [holdpoint.isVerify]: true }),
      ...contentAttribute(content, genAi.toolArguments, () => args),
    },
  };
}

/** `step:load order#2` is `load order`. */
function nameOfKey(key: string): string {
  return key.replace(/^[a-z]+:?/, "").replace(/#\d+$/, "") || "unnamed";
}

export function endEffectSpan(span: Span, how: EffectEnd, content: Content): void {
  const { attributes, error } = toldEnd(how);
  span.setAttributes(attributes);
  if (!("thrown" in how)) {
    nameModel(span, how);
    span.setAttributes(contentOf(how, content));
  }
  if (error !== null) fail(span, error);
  span.end();
}

/** Of a summary the model is known at its end only. */
function nameModel(span: Span, { events }: Extract<EffectEnd, { events: unknown }>): void {
  const summary = events.find(({ type }) => type === "window_compacted");
  if (summary?.type !== "window_compacted") return;
  const { provider, model } = splitModel(summary.model);
  span.updateName(`chat ${model}`);
  span.setAttributes({ [genAi.providerName]: provider, [genAi.requestModel]: model });
}

function contentOf(
  { events, output }: Extract<EffectEnd, { events: unknown }>,
  content: Content,
): Attributes {
  const completed = events.find(({ type }) => type === "action_completed");
  const result = completed?.type === "action_completed" ? completed.result : undefined;
  return {
    ...(output && contentAttribute(content, genAi.outputMessages, () => outputMessagesOf(output))),
    ...(result &&
      contentAttribute(content, genAi.toolResult, () => result.artifact?.preview ?? result.value ?? null)),
  };
}
