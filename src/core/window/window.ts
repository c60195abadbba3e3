// I7. No model input over its budget leaves here, whatever the log holds.
// I8. Leaving out is a view. A call and its result stay or go together, and what went is counted in the record.
import { sha256 } from "../digest.ts";
import type { Encoding, Offer, Shown } from "../encodings/encoding.ts";
import { HoldpointError } from "../errors.ts";
import type { EventOf, WindowRecord } from "../events.ts";
import type { Note, ThreadState } from "../state.ts";
import type { ModelInput, ModelMessage } from "./model-input.ts";
import { renderNote, renderTurn } from "./render.ts";

export interface WindowOptions {
  /** Most tokens that one model call may be given, tools included. Default 16,000. */
  readonly budget?: number;
}

export interface WindowSettings {
  readonly budget: number;
}

/** Settles the options of an agent's window. */
export function window(options: WindowOptions = {}): WindowSettings {
  const budget = options.budget ?? 16_000;
  if (Number.isInteger(budget) && budget > 0) return { budget };
  throw new HoldpointError(
    "agent_invalid",
    `a window's budget of ${budget} tokens is no positive whole number`,
  );
}

export interface WindowRequest {
  readonly state: ThreadState;
  readonly system: string;
  /** The thread's input, as the model is shown it. */
  readonly input: string;
  /** What the model may do. One object for one offer, so that it is counted once. */
  readonly offer: Offer;
  readonly encoding: Encoding;
  /** JSON of what code wants seen at this decision. */
  readonly see: string | null;
  /** What was wrong with the last output, when the model is asked again. */
  readonly correction: string | null;
  readonly budget: number;
  readonly maxOutputTokens: number;
  readonly count: (text: string) => number;
}

export interface Window {
  readonly input: ModelInput;
  readonly record: WindowRecord;
}

/** One piece of the window: messages that stay or go together. */
interface Part {
  readonly seq: number;
  readonly messages: readonly ModelMessage[];
  readonly tokens: number;
  readonly digest: string;
}

/** When parts must go, they go down to this share of the budget, so that the prefix then stays stable for a while. */
const shrinkTo = 0.7;
/** A single result takes at most this share of the budget. */
const largestResult = 0.25;
/** Tokens that providers add around a message: OpenAI's cookbook counts 3 to 4. */
const messageOverhead = 4;

/** What a model put out decides how long a correction is, so one that does not fit gives way: the thread must not. */
const shortCorrection = "Your last output could not be used.";

/**
 * What the model is given next: system prompt and input, then the thread's decisions, results and notes from
 * `record.fromSeq` on, then what code wants seen. The oldest go first when it gets too large.
 *
 * @throws `window_over_budget` when the parts that always stay do not fit, naming them and their sizes.
 */
export function buildWindow(request: WindowRequest): Window {
  const { encoding, offer } = request;
  const first = measure(request.count, 0, openingMessages(request));
  const last = measure(request.count, 0, closingMessages(request));
  const room = request.budget - first.tokens - last.tokens - requestTokens(request);
  if (room < 0 && request.correction !== null)
    return buildWindow({
      ...request,
      correction: request.correction === shortCorrection ? null : shortCorrection,
    });
  if (room < 0) throw overBudget(request, first, last);

  const chosen = chooseParts(request, room);
  const note = chosen.isNoted ? droppedNote(encoding, chosen.dropped) : [];
  const parts = [first, ...chosen.parts, last];
  const tokens = request.budget - room + chosen.tokens;
  const messages = [
    ...first.messages,
    ...note,
    ...chosen.parts.flatMap((part) => part.messages),
    ...last.messages,
  ];
  return {
    input: {
      messages: encoding.joinsUserMessages ? joinUserMessages(messages) : messages,
      ...encoded(encoding, offer).request,
      maxOutputTokens: request.maxOutputTokens,
    },
    record: {
      digest: sha256(parts.map((part) => part.digest).join("")),
      tokens,
      budget: request.budget,
      fromSeq: chosen.fromSeq,
      dropped: chosen.dropped,
    },
  };
}

interface Choice {
  readonly parts: readonly Part[];
  readonly tokens: number;
  readonly fromSeq: number;
  readonly dropped: number;
  /** The model is told how much was left out, unless even that does not fit. */
  readonly isNoted: boolean;
}

/** Goes on from where the last window began; starts later, in one large step, when that no longer fits. */
function chooseParts(request: WindowRequest, room: number): Choice {
  const lastRecord = request.state.turns.at(-1)?.window;
  const fromSeq = lastRecord?.fromSeq ?? 0;
  const before = lastRecord?.dropped ?? 0;
  const available = partsFrom(request, fromSeq);
  const noteTokens = measure(request.count, 0, droppedNote(request.encoding, 10_000)).tokens;
  const all = sum(available) + (before === 0 ? 0 : noteTokens);
  if (all <= room) return { parts: available, tokens: all, fromSeq, dropped: before, isNoted: before > 0 };

  const target = Math.floor(room * shrinkTo) - noteTokens;
  let tokens = sum(available);
  let gone = 0;
  while (
    gone < available.length &&
    ((tokens > target && gone < available.length - 1) || tokens > room - noteTokens)
  ) {
    tokens -= available[gone]?.tokens ?? 0;
    gone += 1;
  }
  const parts = available.slice(gone);
  const isNoted = tokens + noteTokens <= room;
  return {
    parts,
    tokens: tokens + (isNoted ? noteTokens : 0),
    fromSeq: parts[0]?.seq ?? request.state.head,
    dropped: before + gone,
    isNoted,
  };
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((total, part) => total + part.tokens, 0);
}

/** Turns and notes in the log's order, from `fromSeq` on; read backwards, so that a long thread costs no more. */
function partsFrom(request: WindowRequest, fromSeq: number): Part[] {
  const { turns, notes } = request.state;
  const parts: Part[] = [];
  let turn = turns.length - 1;
  let note = notes.length - 1;
  for (;;) {
    const nextTurn = turns[turn];
    const nextNote = notes[note];
    const newest = Math.max(nextTurn?.seq ?? -1, nextNote?.seq ?? -1);
    if (newest < fromSeq || newest < 0) return parts.reverse();
    const isTurn = nextTurn?.seq === newest;
    if (isTurn) turn -= 1;
    else note -= 1;
    const part =
      isTurn && nextTurn ? turnPart(request, nextTurn) : nextNote ? notePart(request, nextNote) : null;
    if (part) parts.push(part);
  }
}

/** Parts of settled turns never change, so each is rendered, counted and hashed once. Recomputable: a cache only. */
const rendered = new WeakMap<
  object,
  {
    readonly budget: number;
    readonly count: WindowRequest["count"];
    readonly encoding: Encoding;
    readonly part: Part;
  }
>();

function turnPart(request: WindowRequest, turn: EventOf<"decision_made">): Part | null {
  const { budget, count, encoding } = request;
  const known = rendered.get(turn);
  if (known?.budget === budget && known.count === count && known.encoding === encoding) return known.part;
  const { messages, settled } = renderTurn(request.state, turn, resultLimit(request));
  if (messages.length === 0) return null;
  const part = measure(count, turn.seq, encoding.show({ kind: "turn", messages }));
  if (settled) rendered.set(turn, { budget, count, encoding, part });
  return part;
}

function notePart(request: WindowRequest, note: Note): Part | null {
  const text = renderNote(request.state, note, resultLimit(request));
  return text === null
    ? null
    : measure(request.count, note.seq, request.encoding.show({ kind: "note", text }));
}

function resultLimit(request: WindowRequest): number {
  return Math.max(200, Math.floor(request.budget * largestResult) * 3); // characters; a token is seldom under three
}

function measure(count: WindowRequest["count"], seq: number, messages: readonly ModelMessage[]): Part {
  const tokens = messages.reduce((total, message) => total + messageTokens(count, message), 0);
  return { seq, messages, tokens, digest: sha256(JSON.stringify(messages)) };
}

function messageTokens(count: WindowRequest["count"], message: ModelMessage): number {
  const beside = message.role === "assistant" ? [message.calls, message.reasoning ?? []] : [];
  const parts = beside.filter((list) => list.length > 0);
  return parts.reduce(
    (total, list) => total + count(JSON.stringify(list)),
    messageOverhead + count(message.content),
  );
}

function openingMessages(request: WindowRequest): readonly ModelMessage[] {
  const { encoding, offer, system } = request;
  const content = [system, encoded(encoding, offer).instructions].filter((text) => text !== "").join("\n\n");
  const messages = content === "" ? [] : [{ role: "system", content } as const];
  return [...messages, ...shown(encoding, "input", request.input)];
}

function closingMessages({ encoding, see, correction }: WindowRequest): readonly ModelMessage[] {
  return [...shown(encoding, "known", see ?? ""), ...shown(encoding, "correction", correction ?? "")];
}

/** Providers refuse empty messages. */
function shown(
  encoding: Encoding,
  kind: Exclude<Shown["kind"], "turn">,
  text: string,
): readonly ModelMessage[] {
  return text === "" ? [] : encoding.show({ kind, text });
}

function droppedNote(encoding: Encoding, dropped: number): readonly ModelMessage[] {
  return shown(encoding, "note", `(${dropped} earlier steps are left out here; the log has them.)`);
}

function joinUserMessages(messages: readonly ModelMessage[]): readonly ModelMessage[] {
  const others = messages.filter((message) => message.role !== "user");
  const content = messages
    .flatMap((message) => (message.role === "user" ? [message.content] : []))
    .join("\n\n");
  return content === "" ? others : [...others, { role: "user", content }];
}

/** What an offer becomes in an encoding. Recomputable: a cache only. */
interface Encoded {
  readonly encoding: Encoding;
  readonly instructions: string;
  readonly request: Pick<ModelInput, "tools" | "output">;
  /** Of the request, by the counter that asked last. */
  size: { readonly count: WindowRequest["count"]; readonly tokens: number } | null;
}

const encodedOffers = new WeakMap<Offer, Encoded>();

function encoded(encoding: Encoding, offer: Offer): Encoded {
  const known = encodedOffers.get(offer);
  if (known?.encoding === encoding) return known;
  const instructions = encoding.instructions(offer);
  const made: Encoded = { encoding, instructions, request: encoding.request(offer), size: null };
  encodedOffers.set(offer, made);
  return made;
}

/** Tools, and the schema of the output: what goes out besides messages. */
function requestTokens({ encoding, offer, count }: WindowRequest): number {
  const known = encoded(encoding, offer);
  if (known.size?.count === count) return known.size.tokens;
  const { tools, output } = known.request;
  const toolTokens = tools.length === 0 ? 0 : count(JSON.stringify(tools)) + messageOverhead * tools.length;
  const tokens = toolTokens + (output ? count(JSON.stringify(output)) + messageOverhead : 0);
  known.size = { count, tokens };
  return tokens;
}

function overBudget(request: WindowRequest, first: Part, last: Part): HoldpointError {
  const sizes = [
    `prompt ${request.count(request.system)}`,
    `input ${request.count(request.input)}`,
    `tools ${requestTokens(request) + request.count(encoded(request.encoding, request.offer).instructions)}`,
    `see ${last.tokens}`,
  ].join(", ");
  const total = first.tokens + last.tokens + requestTokens(request);
  return new HoldpointError(
    "window_over_budget",
    `the parts that always stay take ${total} of ${request.budget} tokens: ${sizes}`,
    {
      fix: "Raise the window's budget, or shorten the largest part (show less with `see`, offer fewer tools).",
    },
  );
}
