// A Model may be anybody's object. What it returns is brought into the port's form before anything else looks at it,
// so that no later code fails on a member that is missing, or on a value that the log cannot hold.
import type { Usage } from "../../core/events.ts";
import { toJson } from "../../core/json.ts";
import type { ModelCall, ModelOutput } from "../../ports/model.ts";

export type SoundOutput =
  | { readonly ok: true; readonly output: ModelOutput }
  | { readonly ok: false; readonly why: string };

const finishes: readonly unknown[] = ["stop", "calls", "length", "refused", "other"];

/** `why` is one line. Counts that are none are left out, as if they had not been reported. */
export function soundOutput(given: unknown): SoundOutput {
  try {
    return { ok: true, output: outputFrom(membersOf(given, "the output")) };
  } catch (error) {
    return {
      ok: false,
      why: error instanceof Error ? error.message : "the output has no form that can be read",
    };
  }
}

type Members = Readonly<Record<string, unknown>>;

function outputFrom({
  text,
  calls,
  finish,
  reasoning,
  usage,
  warnings,
  wire,
  firstTokenMs,
  responseModel,
}: Members): ModelOutput {
  if (!finishes.includes(finish))
    throw new Error(`the output's finish is ${JSON.stringify(finish) ?? "missing"}`);
  const reported = usageFrom(usage);
  return {
    text: textOf(text, "the output's text"),
    calls: listOf(calls, "the output's calls").map(callFrom),
    finish: finish as ModelOutput["finish"], // one of the list
    ...(reasoning === undefined
      ? {}
      : { reasoning: listOf(reasoning, "the output's reasoning").map(reasoningFrom) }),
    ...(reported && { usage: reported }),
    ...(Array.isArray(warnings) && warnings.length > 0 ? { warnings: warnings.map(String) } : {}),
    ...(wire === undefined ? {} : { wire: wire as NonNullable<ModelOutput["wire"]> }), // of our own making
    ...(isCount(firstTokenMs) ? { firstTokenMs } : {}),
    ...(typeof responseModel === "string" ? { responseModel } : {}),
  };
}

function callFrom(given: unknown): ModelCall {
  const { callId, tool, args, providerData } = membersOf(given, "a call");
  return {
    callId: textOf(callId, "a call's id"),
    tool: textOf(tool, "a call's tool"),
    args: toJson(args ?? {}, "a call's arguments"),
    ...providerDataOf(providerData),
  };
}

function reasoningFrom(given: unknown) {
  const { text, providerData } = membersOf(given, "a piece of reasoning");
  return { text: textOf(text, "its text"), ...providerDataOf(providerData) };
}

function providerDataOf(given: unknown) {
  return given === undefined ? {} : { providerData: toJson(given, "the provider's data") };
}

function usageFrom(given: unknown): Usage | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const { inputTokens, outputTokens, ...rest } = given as Members;
  if (!isCount(inputTokens) || !isCount(outputTokens)) return undefined;
  const parts = ["cachedTokens", "cacheWriteTokens", "reasoningTokens"].filter((name) => isCount(rest[name]));
  return { inputTokens, outputTokens, ...Object.fromEntries(parts.map((name) => [name, rest[name]])) };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function membersOf(value: unknown, what: string): Members {
  if (typeof value === "object" && value !== null) return value as Members; // any object may be asked for members
  throw new Error(`${what} is no object`);
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`${what} are no list`);
}

function textOf(value: unknown, what: string): string {
  if (typeof value === "string") return value;
  throw new Error(`${what} is no text`);
}
