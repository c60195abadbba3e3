// The input of a model call as a person reads it: its text, what changed in it, or where its tokens went.

import { visible } from "../core/visible.ts";
import type { ExactInput, ExactPart } from "../core/window/exact-input.ts";
import type { ModelMessage } from "../core/window/model-input.ts";
import type { PartTreatment } from "../core/window/window-record.ts";
import { formatCount, line, plural } from "./format.ts";
import type { Paint, Style } from "./screen.ts";

export function describeCall(threadId: string, { event, record }: ExactInput, paint: Paint): string {
  const tries = event.attempt > 1 ? `, try ${event.attempt}` : "";
  const failed = event.type === "decision_rejected" ? paint("red", " failed") : "";
  const size = `${formatCount(record.tokens)} of ${formatCount(record.budget)} tokens`;
  const reported = event.usage.inputTokens > 0 ? ` (reported: ${formatCount(event.usage.inputTokens)})` : "";
  return `${paint("bold", event.key)}${tries}${failed}  ${line(threadId, 80)}, event ${event.seq}, ${line(event.model, 80)}, ${size}${reported}`;
}

/** Every message as it went out, and what went beside them. */
export function describeInput({ input }: ExactInput, paint: Paint): readonly string[] {
  const { tools, output, maxOutputTokens, messages } = input;
  return [
    ...messages.flatMap((message) => [...describeMessage(message, paint), ""]),
    paint("dim", `at most ${formatCount(maxOutputTokens)} tokens out`),
    ...tools.flatMap(({ name, description, inputSchema }) => [
      `${paint("cyan", `tool ${line(name, 80)}`)}  ${line(description, 400)}`,
      `  ${visible(JSON.stringify(inputSchema))}`,
    ]),
    ...(output ? [`${paint("cyan", "output")} ${visible(JSON.stringify(output.schema))}`] : []),
  ];
}

function describeMessage(message: ModelMessage, paint: Paint): readonly string[] {
  const title = message.role === "tool" ? `tool ${message.tool} (${message.callId})` : message.role;
  return [paint("cyan", `── ${line(title, 160)} ──`), ...linesOf(message)];
}

function linesOf(message: ModelMessage): readonly string[] {
  const text = message.content === "" ? [] : visible(message.content).split("\n");
  if (message.role !== "assistant") return text;
  const thought = (message.reasoning ?? []).map((each) => `(thought) ${visible(each.text)}`);
  const calls = message.calls.map(
    ({ callId, tool, args }) => `→ ${tool} ${visible(JSON.stringify(args) ?? "")} (${callId})`,
  );
  return [...thought, ...text, ...calls];
}

/** Parts that are the same in both are only counted; of the others all lines are shown. */
export function describeDifference(
  before: ExactInput | null,
  now: ExactInput,
  paint: Paint,
): readonly string[] {
  if (!before)
    return ["There is no model call before this one: everything is new.", "", ...describeInput(now, paint)];
  const old = before.parts;
  const { parts } = now;
  const shared = sharedStart(old, parts);
  const atEnd = sharedStart(old.slice(shared).toReversed(), parts.slice(shared).toReversed());
  const gone = old.slice(shared, old.length - atEnd);
  const come = parts.slice(shared, parts.length - atEnd);
  return [
    `compared with ${before.event.key}, event ${before.event.seq}`,
    ...same(parts.slice(0, shared), paint),
    ...gone.flatMap((part) => changed("-", "red", part, paint)),
    ...come.flatMap((part) => changed("+", "green", part, paint)),
    ...same(parts.slice(parts.length - atEnd), paint),
  ];
}

function sharedStart(left: readonly ExactPart[], right: readonly ExactPart[]): number {
  let shared = 0;
  while (shared < left.length && left[shared]?.digest === right[shared]?.digest) shared += 1;
  return shared;
}

function same(parts: readonly ExactPart[], paint: Paint): readonly string[] {
  if (parts.length === 0) return [];
  return [paint("dim", `= ${plural(parts.length, "part")} as before, ${plural(tokensOf(parts), "token")}`)];
}

function changed(sign: string, style: Style, part: ExactPart, paint: Paint): readonly string[] {
  const title = `${sign} ${nameOf(part)}, ${plural(part.tokens, "token")}, ${part.treatment}`;
  return [
    paint(style, title),
    ...part.messages.flatMap((message) =>
      linesOf(message).map((each) => paint(style, `${sign}   ${message.role}: ${each}`)),
    ),
  ];
}

function tokensOf(parts: readonly ExactPart[]): number {
  return parts.reduce((total, { tokens }) => total + tokens, 0);
}

/** `turn decide#3, events 4–9`. */
function nameOf({ kind, name, seqs }: ExactPart): string {
  const what = kind === "request" ? "tools and limits" : name === undefined ? kind : `${kind} ${name}`;
  if (!seqs) return what;
  return seqs[0] === seqs[1] ? `${what}, event ${seqs[0]}` : `${what}, events ${seqs[0]}–${seqs[1]}`;
}

const treatments: { readonly [Treatment in PartTreatment]: Style } = {
  kept: "green",
  referenced: "cyan",
  truncated: "yellow",
  summarised: "yellow",
  dropped: "dim",
};

const widestBar = 40;

/** A row for each part, with a bar of its tokens; runs of turns are drawn as they are, so that growth can be seen. */
export function describeManifest(
  { parts, record }: ExactInput,
  paint: Paint,
  columns: number | null,
): readonly string[] {
  const names = parts.map((part) => line(nameOf(part), 48));
  const nameWidth = Math.max(4, ...names.map(({ length }) => length));
  const most = Math.max(1, ...parts.map(({ tokens }) => tokens));
  const barWidth = Math.max(8, Math.min(widestBar, (columns ?? 100) - nameWidth - 24));
  const rows = parts.map((part, index) => {
    const bar = "█".repeat(Math.round((part.tokens / most) * barWidth));
    const shown = `${(names[index] ?? "").padEnd(nameWidth)}  ${formatCount(part.tokens).padStart(7)}  ${part.treatment.padEnd(10)}`;
    return `${shown}  ${paint(treatments[part.treatment], bar)}`.trimEnd();
  });
  const counted = tokensOf(parts);
  const { calibration } = record;
  const corrected = calibration
    ? `; the provider counts more: × ${calibration.factor.toFixed(2)} + ${formatCount(calibration.offset)} = ${formatCount(record.tokens)}`
    : "";
  const hasDropped = parts.some(({ treatment }) => treatment === "dropped");
  const left = record.dropped === 0 ? "nothing" : plural(record.dropped, "earlier part");
  return [
    paint("bold", `${"part".padEnd(nameWidth)}  ${"tokens".padStart(7)}  shown`),
    ...rows,
    "",
    `${formatCount(counted)} tokens counted${corrected}; budget ${formatCount(record.budget)}`,
    `told in short, or left out: ${left}${hasDropped ? ", besides what is marked dropped" : ""}`,
  ];
}
