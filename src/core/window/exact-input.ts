// The input of any past model call, byte for byte, from the log alone.
import { sha256 } from "../digest.ts";
import { HoldpointError } from "../errors.ts";
import type { EventOf, ThreadEvent } from "../events.ts";
import { evolve } from "../evolve.ts";
import { initialState, type ThreadState } from "../state.ts";
import { partsOf } from "./difference.ts";
import type { ModelInput, ModelMessage } from "./model-input.ts";
import { joinUserMessages } from "./parts.ts";
import { renderTurn } from "./render.ts";
import type { WindowPart, WindowRecord } from "./window-record.ts";

/** A part with its text, as `holdpoint prompt` shows it. */
export interface ExactPart extends WindowPart {
  readonly messages: readonly ModelMessage[];
}

export interface ExactInput {
  readonly event: ModelCallEnd;
  readonly record: WindowRecord;
  readonly parts: readonly ExactPart[];
  readonly input: ModelInput;
}

type ModelCallEnd = EventOf<"decision_made"> | EventOf<"decision_rejected">;

/** The calls of a model in a thread that recorded what they were given, oldest first. */
export function modelCallsOf(events: readonly ThreadEvent[]): readonly ModelCallEnd[] {
  return events.filter(isModelCall);
}

function isModelCall(event: ThreadEvent): event is ModelCallEnd {
  return (
    (event.type === "decision_made" || event.type === "decision_rejected") &&
    event.window?.parts !== undefined
  );
}

/**
 * The input of the model call that `seq` is the end of, byte for byte, whatever has become of the agent's code.
 *
 * @param artifact gives the text of an artifact by its digest.
 * @throws `usage` when `seq` is the end of no model call with a recorded input; `store_corrupt` when a part's text does
 *   not match its digest.
 */
export async function exactInput(
  events: readonly ThreadEvent[],
  seq: number,
  artifact: (digest: string) => Promise<string>,
): Promise<ExactInput> {
  for (const call of recordedCalls(events)) if (call.event.seq === seq) return inputOf(call, artifact);
  throw noSuchCall(events, seq);
}

/** The inputs of all model calls of a thread, oldest first, in one pass over its log. @throws as `exactInput` */
export async function* exactInputs(
  events: readonly ThreadEvent[],
  artifact: (digest: string) => Promise<string>,
): AsyncGenerator<ExactInput> {
  for (const call of recordedCalls(events)) yield await inputOf(call, artifact);
}

interface RecordedCall {
  readonly event: ModelCallEnd;
  readonly record: WindowRecord;
  readonly parts: readonly WindowPart[];
  /** As it was when the call was made; it moves on with the next call. */
  readonly state: ThreadState;
}

function* recordedCalls(events: readonly ThreadEvent[]): Generator<RecordedCall> {
  const state = initialState();
  const windows = new Map<number, readonly WindowPart[]>(); // all of them, where a state keeps the newest
  for (const event of events) {
    if (isModelCall(event) && event.window) {
      const parts = partsOf(event.window, windows) ?? [];
      windows.set(event.seq, parts);
      yield { event, record: event.window, parts, state };
    }
    evolve(state, event);
  }
}

async function inputOf(
  { event, record, parts: recorded, state }: RecordedCall,
  artifact: (digest: string) => Promise<string>,
): Promise<ExactInput> {
  const parts: ExactPart[] = [];
  let beside: RequestRecord = { tools: [], maxOutputTokens: 0 };
  for (const part of recorded) {
    const text = await textOf(state, part, artifact);
    if (part.kind === "request") beside = JSON.parse(text) as RequestRecord; // its digest is checked
    parts.push({ ...part, messages: part.kind === "request" ? [] : JSON.parse(text) });
  }
  const messages = parts.flatMap((part) => part.messages);
  const { joined = false, ...request } = beside;
  return {
    event,
    record,
    parts,
    input: { messages: joined ? joinUserMessages(messages) : messages, ...request },
  };
}

type RequestRecord = Omit<ModelInput, "messages"> & { readonly joined?: boolean };

async function textOf(
  state: ThreadState,
  part: WindowPart,
  artifact: (digest: string) => Promise<string>,
): Promise<string> {
  const text =
    part.content !== undefined
      ? JSON.stringify(part.content)
      : part.plain
        ? plainTurn(state, part)
        : await artifact(part.digest);
  if (text !== null && sha256(text) === part.digest) return text;
  throw new HoldpointError(
    "store_corrupt",
    `a part of a window (${part.kind}) does not match its digest ${part.digest}`,
  );
}

/** A turn as its events say it: how `recordParts` leaves its text out. */
function plainTurn(state: ThreadState, { seqs }: WindowPart): string | null {
  const turn = state.turns.find(({ seq }) => seq === seqs?.[0]);
  if (!turn) return null;
  const longest = { kept: Number.POSITIVE_INFINITY, referenced: 0, lined: 0 };
  const context = {
    state,
    tools: new Map(),
    artifact: () => undefined,
    redact: (text: string) => text,
    longest,
  };
  return JSON.stringify(renderTurn(context, turn, "kept").messages);
}

function noSuchCall(events: readonly ThreadEvent[], seq: number): HoldpointError {
  const known = modelCallsOf(events).map((call) => call.seq);
  return new HoldpointError("usage", `event ${seq} is the end of no model call whose input was recorded`, {
    fix:
      known.length === 0
        ? "The thread has none: it never asked a model, or an older version wrote it."
        : `Model calls end at: ${known.slice(-20).join(", ")}.`,
  });
}
