// What past model calls would have been with another prompt: nothing is called, and nothing is written.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { diffLines } from "diff";
import { intentInstructions } from "../core/encodings/intents.ts";
import { HoldpointError } from "../core/errors.ts";
import type { ThreadEvent } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import { renderPrompt } from "../core/prompt/prompt.ts";
import { visible } from "../core/visible.ts";
import { calibrated, uncalibrated } from "../core/window/calibration.ts";
import type { ExactInput } from "../core/window/exact-input.ts";
import { tokenEstimator } from "../models/token-estimator.ts";
import type { Store } from "../ports/store.ts";
import { parsePrompt } from "../prompts/parse-prompt.ts";
import { decodeText } from "./decode-text.ts";
import { formatCount, line } from "./format.ts";
import type { Paint } from "./screen.ts";

interface TriedPrompt {
  readonly name: string;
  readonly version: string;
  /** The system prompt as it went out, and as it would. */
  readonly before: string;
  readonly after: string;
  readonly calls: readonly TriedCall[];
}

/** Tokens by the estimate, corrected as the call's own window was. */
interface TriedCall {
  readonly key: string;
  readonly seq: number;
  readonly tokens: number;
  readonly triedTokens: number;
  /** It would no longer fit as it is: the history would be shrunk further. */
  readonly isOverBudget: boolean;
}

/** @throws `usage` when there is no such file, or it is not UTF-8; `prompt_invalid` */
export async function tryPrompt(
  store: Store,
  events: readonly ThreadEvent[],
  calls: readonly ExactInput[],
  path: string,
): Promise<TriedPrompt> {
  const template = parsePrompt(await textOf(path), basename(path));
  const input = await inputOf(store, events);
  const { text, version } = renderPrompt(template, { input });
  const before = systemOf(calls.at(-1));
  return {
    name: template.name,
    version,
    before,
    after: withInstructions(text, before),
    calls: calls.map((call) => triedCall(call, text)),
  };
}

async function textOf(path: string): Promise<string> {
  return decodeText(await bytesOf(path), `the prompt ${path}`);
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new HoldpointError("usage", `the prompt ${path} cannot be read`, {
      fix: "Name a file of yours that is there.",
      cause,
    });
  }
}

async function inputOf(store: Store, events: readonly ThreadEvent[]): Promise<Json | undefined> {
  const [first] = events;
  if (first?.type !== "thread_started") return undefined;
  const { artifact, value } = first.input;
  return artifact ? (JSON.parse(await store.artifact(artifact.digest)) as Json) : value;
}

function systemOf(call: ExactInput | undefined): string {
  const message = call?.parts.find(({ kind }) => kind === "prompt")?.messages[0];
  return message?.content ?? "";
}

/** Some encodings say at the prompt's end how to put out a decision: that stays. */
function withInstructions(prompt: string, before: string): string {
  const at = before.lastIndexOf(intentInstructions);
  return [prompt, at < 0 ? "" : before.slice(at)].filter((text) => text !== "").join("\n\n");
}

function triedCall(call: ExactInput, prompt: string): TriedCall {
  const { record, event } = call;
  const before = systemOf(call);
  const { count } = tokenEstimator;
  const more = count(withInstructions(prompt, before)) - count(before);
  const calibration = { ...(record.calibration ?? uncalibrated), offset: 0 };
  const triedTokens = record.tokens + Math.sign(more) * calibrated(Math.abs(more), calibration);
  return {
    key: event.key,
    seq: event.seq,
    tokens: record.tokens,
    triedTokens,
    isOverBudget: triedTokens > record.budget,
  };
}

export function describeTried(tried: TriedPrompt, paint: Paint): readonly string[] {
  const { name, version, before, after, calls } = tried;
  const changes = diffLines(before, after).flatMap(({ added, removed, value }) => {
    const sign = added ? "+" : removed ? "-" : " ";
    const lines = visible(value.replace(/\n$/, "")).split("\n");
    return lines.map((each) => paint(added ? "green" : removed ? "red" : "dim", `${sign} ${each}`));
  });
  const width = Math.max(...calls.map(({ key }) => key.length), 4);
  return [
    `with ${line(name, 80)} (version ${version}) the system prompt would be:`,
    "",
    ...changes,
    "",
    paint("bold", `${"call".padEnd(width)}   tokens     with it   more`),
    ...calls.map(({ key, tokens, triedTokens, isOverBudget }) => {
      const more = triedTokens - tokens;
      const over = isOverBudget
        ? paint("yellow", "  over its budget: the history would be shrunk further")
        : "";
      return `${line(key, 60).padEnd(width)}  ${formatCount(tokens).padStart(7)}  ${formatCount(triedTokens).padStart(10)}  ${(more > 0 ? "+" : "") + formatCount(more)}${over}`;
    }),
  ];
}
