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
  readonly event: EventOf<"decision_made"> | EventOf<"decision_rejected">;
  readonly record: WindowRecord;
  readonly parts: readonly ExactPart[];
  readonly input: ModelInput;
}

/** The calls of a model in a thread that recorded what they were given, oldest first. */
export function modelCallsOf(
  events: readonly ThreadEvent[],
): readonly (EventOf<"decision_made"> | EventOf<"decision_rejected">)[] {
  return events.filter(
    (event): event is EventOf<"decision_made"> | EventOf<"decision_rejected"> =>
      (event.type === "decision_made" || event.type === "decision_rejected") &&
      event.window?.parts !== undefined,
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
  const event = modelCallsOf(events).find((call) => call.seq === seq);
  const record = event?.window;
  if (!event || !record?.parts) throw noSuchCall(events, seq);
  const state = events.slice(0, seq - 1).reduce(evolve, initialState());
  const recorded = allPartsOf(events, seq);
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

function allPartsOf(events: readonly ThreadEvent[], upTo: number): readonly WindowPart[] {
  const windows = new Map<number, readonly WindowPart[]>();
  for (const { seq, window } of modelCallsOf(events))
    if (window && seq <= upTo) windows.set(seq, partsOf(window, windows) ?? []);
  return windows.get(upTo) ?? [];
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
