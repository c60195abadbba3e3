// What the events of a thread say to a model, at three levels of detail. A part rendered once never reads differently
// later, unless it moves to another level; so prompts keep their prefix.
import { readerName, refOf, renderReference } from "../artifact-ref.ts";
import { HoldpointError } from "../errors.ts";
import type { Call, EventOf, Stored } from "../events.ts";
import { deepFreeze, type Json } from "../json.ts";
import { shownResult } from "../shown-result.ts";
import type { Note, Operation, ThreadState } from "../state.ts";
import type { Tool } from "../tool.ts";
import { failureText } from "./failures.ts";
import type { ModelMessage } from "./model-input.ts";
import { cut, salientText } from "./salient.ts";

/** `kept`: whole, unless a result is too large for any window. `referenced`: large results by reference. `lined`: a line each. */
export type Level = "kept" | "referenced" | "lined";

export interface RenderContext {
  readonly state: ThreadState;
  readonly tools: ReadonlyMap<string, Tool>;
  /** Text of a large value, by its digest. */
  readonly artifact: (digest: string) => string | undefined;
  /** Cleans what an agent's own code says of secrets (I11). */
  readonly redact: (text: string) => string;
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
  /** Some result is shown by reference. */
  readonly hasReference: boolean;
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
  if (decision.kind === "answer") return noTurn(turn.seq);
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
    hasReference: results.some(({ isReference }) => isReference),
    lastSeq: operations.reduce((last, operation) => Math.max(last, operation?.settled?.seq ?? 0), turn.seq),
  };
}

function noTurn(seq: number): RenderedTurn {
  return { messages: [], settled: true, isWhole: true, hasReference: false, lastSeq: seq };
}

export function operationsOf(state: ThreadState, calls: readonly Call[]): readonly (Operation | undefined)[] {
  return calls.map(({ callId }) => state.operations.get(state.actionByCall.get(callId) ?? ""));
}

/** Who approved an action; nobody who refused it, or who only said how it ended. */
export function approverOf(operation: Operation | undefined): string | undefined {
  const { verdict, decided } = operation?.request ?? {};
  return verdict?.kind === "approve" || verdict?.kind === "edit" ? decided?.by : undefined;
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
  /** It names where the rest can be read. */
  readonly isReference?: boolean;
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
      return renderValue(context, event.result, level, {
        tool: call.tool,
        args: operation?.proposal?.args ?? call.args,
      });
    case "action_failed":
      return { text: context.redact(failureText(call, event.error, tool, attempts)), isWhole: false };
    case "action_denied":
      return { text: deniedText(event), isWhole: true };
    default:
      return event satisfies never;
  }
}

/** What a call shows that has not run, or not yet. */
const notRun = JSON.stringify({ status: "not run" });

function deniedText(event: EventOf<"action_denied">): string {
  return JSON.stringify({ status: "denied", by: event.deniedBy, why: event.why });
}

/** A value as JSON, or what its tool wants shown of it; by reference where that is too long. */
function renderValue(
  context: RenderContext,
  stored: Stored,
  level: Level,
  call: { readonly tool: string; readonly args: Json },
): RenderedResult {
  const limit = context.longest[level];
  const tool = context.tools.get(call.tool);
  const isTooLarge = stored.artifact !== undefined && tool?.show === undefined;
  const value = isTooLarge ? undefined : valueAtHand(context, stored);
  const shown = value === undefined ? null : shownResult(tool, value, call.args);
  const isTooLong = shown === null || shown.text.length > limit;
  const isReader = call.tool === readerName && tool === undefined; // an agent's own of that name is like any tool
  if (isTooLong && isReader) return readAgain(call.args, level === "kept" ? (shown?.text ?? "") : "", limit);
  if (isTooLong) return byReference(stored, limit);
  if (!shown.byTool) return { text: shown.text, isWhole: true };
  const ref = refOf(stored); // what the tool left out can be read
  const text = context.redact(shown.text);
  return ref === null
    ? { text, isWhole: false }
    : { text: `${text}\n(whole: ${ref})`, isWhole: false, isReference: true };
}

function byReference(stored: Stored, limit: number): RenderedResult {
  return { text: renderReference(stored, limit), isWhole: false, isReference: true };
}

/** What was read of a value is not shown by a reference of its own: the value has one. At first its start is shown. */
function readAgain(args: Json, text: string, limit: number): RenderedResult {
  const read = JSON.stringify({ read: shortened(args, 100) });
  const start = cut(text, limit - read.length - tooMuch.length);
  return { text: start === "" ? read : `${read}${tooMuch}${start}…`, isWhole: false };
}

const tooMuch = "\nIts start; read less at once:\n";

/** `undefined` when its text is not at hand. */
function valueAtHand({ artifact }: RenderContext, stored: Stored): Json | undefined {
  if (!stored.artifact) return stored.value ?? null;
  const text = artifact(stored.artifact.digest);
  return text === undefined ? undefined : (JSON.parse(text) as Json); // an artifact's text is JSON
}

/**
 * One text for what happened besides the model's own calls; `null` when its decision already shows it. What people say
 * stays word for word until it is summed up: of all that a window shows it is the densest.
 */
export function renderNote(
  context: RenderContext,
  note: Note,
): { readonly text: string; readonly isWhole: boolean; readonly isPinned: boolean } | null {
  const shown = shownNote(context, note);
  if (shown === null) return null;
  const text = context.noteText ? ownNote(context, context.noteText, shown) : plainNote(shown);
  if (text === null || text === "") return null;
  const isPinned = shown.kind === "note" && shown.pinned;
  const limit = isPinned ? Number.POSITIVE_INFINITY : context.longest.kept;
  if (text.length <= limit) return { text, isWhole: true, isPinned };
  return { text: `${salientText(text, limit)}${wholeOf(shown)}`, isWhole: false, isPinned };
}

/** @throws `window_failed` when the window's own words cannot be had. */
function ownNote(
  { redact }: RenderContext,
  noteText: NonNullable<RenderContext["noteText"]>,
  note: ShownNote,
): string | null {
  try {
    const text: unknown = noteText(deepFreeze(note));
    if (text === null || typeof text === "string") return text && redact(text);
    throw new Error(`it gives ${typeof text}, neither text nor null`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HoldpointError("window_failed", `the window's \`note\` failed on a ${note.kind}: ${why}`, {
      cause,
    });
  }
}

/** Where the whole of what a person or a signal said can be read. */
function wholeOf(note: ShownNote): string {
  const value =
    note.kind === "signal"
      ? note.value
      : note.kind === "ask" && note.outcome.kind === "answered"
        ? note.outcome.value
        : null;
  const ref = refOf({ value });
  return ref === null ? "" : ` (whole: ${ref})`;
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
      if (!operation?.proposal) return null;
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
