// The texts, calls and results that a request holds, against those of the window: all of them, in order, and no others.
// A role may have another name, neighbours may be one text with blank space between them, and blank texts say nothing.
import type { ModelInput, ModelMessage } from "../../ports/model.ts";
import { isObject, sameJson } from "./same-json.ts";
import { quoted, type WireDifference, type WireDifferenceKind } from "./wire-difference.ts";
import type { WireItem } from "./wire-request.ts";

type Spoken = Extract<WireItem, { readonly kind: "system" | "user" | "assistant" | "call" | "result" }>;
type Text = Extract<Spoken, { readonly kind: "system" | "user" | "assistant" }>;

/** How a conversation that was sent differs from the one asked for. */
export function conversationDifferences(
  input: ModelInput,
  sent: readonly WireItem[],
): readonly WireDifference[] {
  const spoken: Spoken[] = [];
  const unasked: WireDifference[] = [];
  const kept = lazily(() => keptOf(input.messages));
  for (const item of sent) {
    switch (item.kind) {
      case "foreign":
        unasked.push({ kind: "context_added", what: `${item.at} ${item.what}` });
        break;
      case "reasoning":
        if (item.text !== "" && !kept().thoughts.has(item.text))
          unasked.push({
            kind: "text_added",
            what: `${item.at} is a thought that no model had: ${quoted(item.text)}`,
          });
        break;
      case "reference":
        if (!kept().providerData.includes(JSON.stringify(item.id)))
          unasked.push({
            kind: "context_added",
            what: `${item.at} refers to ${quoted(item.id)}, kept by the provider`,
          });
        break;
      default:
        if (!isBlank(item)) spoken.push(item);
    }
  }
  return [...spokenDifferences(askedItems(input.messages), spoken), ...unasked];
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** What goes back to a provider because it wants it back. */
function keptOf(messages: readonly ModelMessage[]) {
  const thoughts = new Set<string>();
  const data: unknown[] = [];
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    const { reasoning = [], calls } = message;
    for (const { text } of reasoning) thoughts.add(text);
    thoughts.add(reasoning.map(({ text }) => text).join(""));
    data.push(...[...reasoning, ...calls].map(({ providerData }) => providerData));
  }
  return { thoughts, providerData: JSON.stringify(data) };
}

function askedItems(messages: readonly ModelMessage[]): Spoken[] {
  const items: Spoken[] = [];
  for (const [index, message] of messages.entries()) {
    const at = `message ${index + 1}`;
    if (message.role === "tool")
      items.push({ kind: "result", callId: message.callId, text: message.content, at });
    else if (message.content.trim() !== "") items.push({ kind: message.role, text: message.content, at });
    if (message.role !== "assistant") continue;
    for (const { callId, tool, args } of message.calls)
      items.push({ kind: "call", callId, tool, args: args ?? {}, at });
  }
  return items;
}

function isBlank(item: Spoken): boolean {
  return item.kind !== "call" && item.kind !== "result" && item.text.trim() === "";
}

function spokenDifferences(asked: readonly Spoken[], sent: readonly Spoken[]): readonly WireDifference[] {
  let [from, at] = [0, 0];
  for (; at < sent.length; at++) {
    const [want, got] = [asked[from], sent[at]];
    if (!want || !got) break;
    const length = isSame(want, got) ? 1 : joinedLength(asked, from, got);
    if (length === 0) break;
    from += length;
  }
  if (from === asked.length && at === sent.length) return [];
  return restDifferences(asked.slice(from), sent.slice(at));
}

function isSame(want: Spoken, got: Spoken): boolean {
  if (want.kind === "call") return got.kind === "call" && isSameCall(want, got);
  if (want.kind === "result")
    return got.kind === "result" && isSameId(want.callId, got.callId) && want.text === got.text;
  return isRoleOf(want, got) && want.text === got.text;
}

/** Some models have no system prompt, and are told by the user. */
function isRoleOf(want: Text, got: Spoken): got is Text {
  return got.kind === want.kind || (want.kind === "system" && got.kind === "user");
}

/** Some providers know a call by its place. */
function isSameId(want: string | undefined, got: string | undefined): boolean {
  return got === undefined || want === got;
}

function isSameCall(
  want: Extract<Spoken, { kind: "call" }>,
  got: Extract<Spoken, { kind: "call" }>,
): boolean {
  return isSameId(want.callId, got.callId) && want.tool === got.tool && isSameArgs(want.args, got.args);
}

function isSameArgs(want: unknown, got: unknown): boolean {
  if (typeof got !== "string" || typeof want === "string") return sameJson(want, got);
  try {
    return sameJson(want, JSON.parse(got));
  } catch {
    return false;
  }
}

/** How many texts, from the one at `from` on, `got` holds with nothing but blank space between and after them. */
function joinedLength(asked: readonly Spoken[], from: number, got: Spoken): number {
  if (got.kind === "call" || got.kind === "result") return 0;
  let length = 0;
  let end = 0;
  for (;;) {
    const want = asked[from + length];
    if (!want || want.kind === "call" || want.kind === "result" || !isRoleOf(want, got)) break;
    const text = want.text.trim();
    const start = afterBlanks(got.text, end);
    if (!got.text.startsWith(text, start)) break;
    end = start + text.length;
    length += 1;
  }
  return afterBlanks(got.text, end) === got.text.length ? length : 0;
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text.charAt(at))) at += 1;
  return at;
}

/** Two conversations from where they first differ. */
function restDifferences(asked: readonly Spoken[], sent: readonly Spoken[]): readonly WireDifference[] {
  let same = 0;
  while (same < Math.min(asked.length, sent.length)) {
    const [want, got] = [asked.at(-1 - same), sent.at(-1 - same)];
    if (!want || !got || !isSame(want, got)) break;
    same += 1;
  }
  const { missing, added } = unmatched(
    asked.slice(0, asked.length - same),
    sent.slice(0, sent.length - same),
  );
  return pairedDifferences(missing, added);
}

/** More than so many comparisons would take longer than anybody waits for a better message. */
const maxComparisons = 250_000;

interface Unmatched {
  readonly missing: readonly Spoken[];
  readonly added: readonly Spoken[];
}

/** What no longest common subsequence of the two holds. */
function unmatched(asked: readonly Spoken[], sent: readonly Spoken[]): Unmatched {
  if (asked.length * sent.length > maxComparisons) return { missing: asked, added: sent };
  const width = sent.length + 1;
  const lengths = new Uint32Array((asked.length + 1) * width);
  const length = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = asked.length - 1; row >= 0; row--)
    for (let column = sent.length - 1; column >= 0; column--) {
      const [want, got] = [asked[row], sent[column]];
      lengths[row * width + column] =
        want && got && isSame(want, got)
          ? length(row + 1, column + 1) + 1
          : Math.max(length(row + 1, column), length(row, column + 1));
    }
  const missing: Spoken[] = [];
  const added: Spoken[] = [];
  let [row, column] = [0, 0];
  while (row < asked.length || column < sent.length) {
    const [want, got] = [asked[row], sent[column]];
    if (want && got && isSame(want, got)) [row, column] = [row + 1, column + 1];
    else if (want && (!got || length(row + 1, column) >= length(row, column + 1))) {
      missing.push(want);
      row += 1;
    } else if (got) {
      added.push(got);
      column += 1;
    }
  }
  return { missing, added };
}

/** What is missing and what is there instead make one difference, since one mistake made them. */
function pairedDifferences(missing: readonly Spoken[], added: readonly Spoken[]): readonly WireDifference[] {
  const left = [...added];
  const take = (matches: (item: Spoken) => boolean): Spoken | undefined => {
    const index = left.findIndex(matches);
    return index < 0 ? undefined : left.splice(index, 1)[0];
  };
  const differences = missing.map((want) => {
    const moved = take((got) => isSame(want, got));
    if (moved) return moveOf(want, moved);
    const changed = take((got) => isCounterpart(want, got));
    return changed ? changeOf(want, changed) : differenceOf(want, "missing");
  });
  return [...differences, ...left.map((got) => differenceOf(got, "added"))];
}

function isCounterpart(want: Spoken, got: Spoken): boolean {
  if (want.kind === "call")
    return got.kind === "call" && (isSameId(want.callId, got.callId) || want.tool === got.tool);
  if (want.kind === "result") return got.kind === "result" && isSameId(want.callId, got.callId);
  return got.kind === want.kind || (got.kind !== "call" && got.kind !== "result" && got.text === want.text);
}

function moveOf(want: Spoken, got: Spoken): WireDifference {
  return { kind: "moved", what: `${named(want)} of ${want.at} was moved to ${got.at}` };
}

function differenceOf(item: Spoken, how: "added" | "missing"): WireDifference {
  const what =
    how === "added"
      ? `${item.at} is ${named(item)}, for which the window did not ask`
      : `${named(item)} of ${item.at} is left out`;
  return { kind: kindOf(item, how), what };
}

function changeOf(want: Spoken, got: Spoken): WireDifference {
  const kind = kindOf(want, "changed");
  const where = `${got.at} is not ${named(want)} of ${want.at}`;
  if (want.kind === "call" && got.kind === "call") return { kind, what: `${where}: it is ${named(got)}` };
  const [before, after] = [textOf(want), textOf(got)];
  if (before === after) return { kind, what: `${where}: it is sent as ${got.kind}` };
  return { kind, what: `${where}: ${changeBetween(before, after)}` };
}

function kindOf(item: Spoken, how: "added" | "missing" | "changed"): WireDifferenceKind {
  const what = item.kind === "call" || item.kind === "result" ? item.kind : "text";
  return `${what}_${how}`;
}

function named(item: Spoken): string {
  if (item.kind === "call") return `the call ${item.callId ?? ""} of ${item.tool}`.replace("  ", " ");
  if (item.kind === "result") return `the result of ${item.callId ?? "a call"} (${quoted(item.text)})`;
  return `the ${item.kind} text ${quoted(item.text)}`;
}

function textOf(item: Spoken): string {
  if (item.kind === "call") return isObject(item.args) ? JSON.stringify(item.args) : String(item.args);
  return item.text;
}

/** The part in which two texts differ. */
function changeBetween(before: string, after: string): string {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const [gone, come] = [before.slice(start, before.length - end), after.slice(start, after.length - end)];
  if (gone === "") return `${quoted(come)} was added at character ${start}`;
  if (come === "") return `${quoted(gone)} was left out at character ${start}`;
  return `${quoted(come)} stands for ${quoted(gone)} at character ${start}`;
}
