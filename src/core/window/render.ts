// What the events of a thread say to a model, at three levels of detail. A part rendered once never reads differently
// later, unless it moves to another level; so prompts keep their prefix.
import { sha256 } from "../digest.ts";
import type { Call, EventOf, Stored } from "../events.ts";
import type { Json } from "../json.ts";
import type { Note, Operation, ThreadState } from "../state.ts";
import type { Tool } from "../tool.ts";
import { failureText } from "./failures.ts";
import type { ModelMessage } from "./model-input.ts";
import { referenceTo } from "./reference.ts";
import { cut, salientText } from "./salient.ts";

/** `kept`: whole, unless a result is too large for any window. `referenced`: large results by reference. `lined`: a line each. */
export type Level = "kept" | "referenced" | "lined";

export interface RenderContext {
  readonly state: ThreadState;
  readonly tools: ReadonlyMap<string, Tool>;
  /** Text of a large value, by its digest. */
  readonly artifact: (digest: string) => string | undefined;
  /** Longest result that is shown whole, in characters, by level. */
  readonly longest: { readonly [L in Level]: number };
  /** What a note says, when the window has words of its own for it. */
  readonly noteText?: ((note: ShownNote) => string | null) | undefined;
}

/** What happened besides a model's own calls. */
export type ShownNote =
  | { readonly kind: "signal"; readonly signal: string; readonly value: Json; readonly by: string }
  | { readonly kind: "ask"; readonly question: string; readonly outcome: AskOutcome }
  | { readonly kind: "action"; readonly tool: string; readonly args: Json; readonly result: string }
  | { readonly kind: "note"; readonly text: string; readonly pinned: boolean };

export type AskOutcome =
  | { readonly kind: "answered"; readonly value: Json; readonly by: string }
  | { readonly kind: "rejected"; readonly why: string; readonly by: string }
  | { readonly kind: "expired" };

export interface RenderedTurn {
  readonly messages: readonly ModelMessage[];
  /** Its results will never read differently. */
  readonly settled: boolean;
  readonly isWhole: boolean;
  /** The last event that it shows. */
  readonly lastSeq: number;
}

/** A decision's calls and what became of each; no messages for an answer. `attempts`: failures that it stands for. */
export function renderTurn(
  context: RenderContext,
  turn: EventOf<"decision_made">,
  level: Level,
  attempts = 1,
): RenderedTurn {
  const { decision } = turn;
  if (decision.kind === "answer") return { messages: [], settled: true, isWhole: true, lastSeq: turn.seq };
  const operations = operationsOf(context.state, decision.calls);
  const results = decision.calls.map((call, index) =>
    renderResult(context, call, operations[index], level, attempts),
  );
  const calls = level === "lined" ? decision.calls.map(shortCall) : decision.calls;
  const { text = "", reasoning } = decision;
  const said = level === "lined" ? salientText(text, context.longest.lined) : text;
  const thought = level === "lined" ? undefined : reasoning;
  return {
    messages: [
      { role: "assistant", content: said, calls, ...(thought && { reasoning: thought }) },
      ...decision.calls.map(
        ({ callId, tool }, index): ModelMessage => ({
          role: "tool",
          callId,
          tool,
          content: results[index]?.text ?? "",
        }),
      ),
    ],
    settled: operations.every((operation) => operation?.settled != null),
    isWhole:
      said === text &&
      thought === reasoning &&
      results.every(({ isWhole }) => isWhole) &&
      calls.every((call, index) => call === decision.calls[index]),
    lastSeq: operations.reduce((last, operation) => Math.max(last, operation?.settled?.seq ?? 0), turn.seq),
  };
}

export function operationsOf(state: ThreadState, calls: readonly Call[]): readonly (Operation | undefined)[] {
  return calls.map(({ callId }) => state.operations.get(state.actionByCall.get(callId) ?? ""));
}

/** Old arguments with their long texts cut; those that a provider signed stay as they are. */
function shortCall(call: Call): Call {
  if (call.providerData !== undefined) return call;
  const args = shortened(call.args, 160);
  return args === call.args ? call : { ...call, args };
}

/** The same value when nothing in it is long. */
export function shortened(value: Json, maxCharacters: number): Json {
  if (typeof value === "string")
    return value.length <= maxCharacters ? value : `${cut(value, maxCharacters - 1)}…`;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map((item: Json) => shortened(item, maxCharacters));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  const entries = Object.entries(value);
  const short = entries.map(([key, member]) => [key, shortened(member, maxCharacters)] as const);
  return short.every(([, member], index) => member === entries[index]?.[1])
    ? value
    : Object.fromEntries(short);
}

interface RenderedResult {
  readonly text: string;
  readonly isWhole: boolean;
}

function renderResult(
  context: RenderContext,
  call: Call,
  operation: Operation | undefined,
  level: Level,
  attempts: number,
): RenderedResult {
  const outcome = operation?.settled?.outcome;
  if (outcome?.kind !== "action") return { text: notRun, isWhole: true };
  const { event } = outcome;
  const tool = context.tools.get(call.tool);
  switch (event.type) {
    case "action_completed":
      return renderValue(
        context,
        event.result,
        level,
        tool?.show && { show: tool.show, args: operation?.proposal?.args ?? call.args },
      );
    case "action_failed":
      return { text: failureText(call, event.error, tool, attempts), isWhole: false };
    case "action_denied":
      return { text: deniedText(event), isWhole: true };
    default:
      return event satisfies never;
  }
}

/** What a call shows that has not run, or not yet. */
export const notRun: string = JSON.stringify({ status: "not run" });

export function deniedText(event: EventOf<"action_denied">): string {
  return JSON.stringify({ status: "denied", by: event.deniedBy, why: event.why });
}

/** A value as JSON, or what its tool wants shown of it; by reference where that is too long. */
function renderValue(
  context: RenderContext,
  stored: Stored,
  level: Level,
  shownBy: { readonly show: NonNullable<Tool["show"]>; readonly args: Json } | undefined,
): RenderedResult {
  const limit = context.longest[level];
  const whole = textOf(context, stored);
  const own = shownBy && whole.text !== undefined ? ownWords(shownBy, whole.text) : null;
  const text = own ?? whole.text;
  if (text !== undefined && text.length <= limit && own === null) return { text, isWhole: true };
  const { digest, bytes, preview } = whole;
  if (own !== null && own.length <= limit) return { text: withReference(own, digest), isWhole: false };
  return {
    text: referenceTo({ digest: digest(), bytes, text, preview }, limit),
    isWhole: false,
  };
}

function textOf({ artifact }: RenderContext, stored: Stored) {
  if (stored.artifact) {
    const { digest, bytes, preview } = stored.artifact;
    return { text: artifact(digest), digest: () => digest, bytes, preview };
  }
  const text = JSON.stringify(stored.value) ?? "null";
  return { text, digest: () => sha256(text), bytes: text.length, preview: text };
}

/** A `show` that throws, or gives what is no text and no JSON, says nothing. */
function ownWords(
  { show, args }: { readonly show: NonNullable<Tool["show"]>; readonly args: Json },
  text: string,
): string | null {
  try {
    const shown = show(JSON.parse(text), args);
    if (shown === undefined) return null;
    return typeof shown === "string" ? shown : (JSON.stringify(shown) ?? null);
  } catch {
    return null;
  }
}

function withReference(text: string, _digest: () => string): string {
  return text;
}

/** One text for what happened besides the model's own calls; `null` when its decision already shows it. */
export function renderNote(
  context: RenderContext,
  note: Note,
  level: Level,
): { readonly text: string; readonly isWhole: boolean; readonly isPinned: boolean } | null {
  const shown = shownNote(context, note);
  if (shown === null) return null;
  const text = context.noteText ? context.noteText(shown) : plainNote(shown);
  if (text === null || text === "") return null;
  const isPinned = shown.kind === "note" && shown.pinned;
  const limit = isPinned ? Number.POSITIVE_INFINITY : context.longest[level];
  return text.length <= limit
    ? { text, isWhole: true, isPinned }
    : { text: salientText(text, limit), isWhole: false, isPinned };
}

export function shownNote(context: RenderContext, note: Note): ShownNote | null {
  const { state } = context;
  switch (note.kind) {
    case "signal": {
      const signal = state.signals.get(note.key)?.find((candidate) => candidate.seq === note.seq);
      return signal ? { kind: "signal", signal: signal.signal, value: signal.value, by: signal.by } : null;
    }
    case "ask":
      return askNote(state.operations.get(note.key));
    case "note": {
      const added = state.notesByKey.get(note.key);
      return added ? { kind: "note", text: added.text, pinned: added.pinned } : null;
    }
    case "action": {
      const operation = state.operations.get(note.key);
      const madeByCode = operation?.proposal?.callId === note.key;
      if (!madeByCode || !operation.proposal) return null;
      const { tool, args, callId } = operation.proposal;
      const result = renderResult(context, { callId, tool, args }, operation, "referenced", 1).text;
      return { kind: "action", tool, args, result };
    }
    default:
      return note.kind satisfies never;
  }
}

function askNote(operation: Operation | undefined): ShownNote | null {
  const outcome = operation?.settled?.outcome;
  if (!operation || outcome?.kind !== "ask") return null;
  return { kind: "ask", question: operation.request?.opened.question ?? "", outcome: outcome.result };
}

/** The words for a note, unless the window has others. */
export function plainNote(note: ShownNote): string {
  switch (note.kind) {
    case "signal":
      return `Signal ${JSON.stringify(note.signal)}: ${JSON.stringify(note.value)}`;
    case "ask":
      return `Asked a person: ${JSON.stringify(note.question)} ${askedText(note.outcome)}`;
    case "action":
      return `Done by code: ${note.tool} ${JSON.stringify(note.args)} → ${note.result}`;
    case "note":
      return note.text;
    default:
      return note satisfies never;
  }
}

function askedText(outcome: AskOutcome): string {
  switch (outcome.kind) {
    case "answered":
      return `Answer: ${JSON.stringify(outcome.value)}`;
    case "expired":
      return "Nobody answered in time.";
    case "rejected":
      return `Refused: ${JSON.stringify(outcome.why)}`;
    default:
      return outcome satisfies never;
  }
}
