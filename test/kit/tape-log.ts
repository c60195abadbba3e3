// A tape played as the thread it would have been: every decision carries the record of the window that was built for it.
import { actionDigest, requestIdFor, sha256 } from "../../src/core/digest.ts";
import { isHoldpointError } from "../../src/core/errors.ts";
import { type EventBody, event, type Stored, type ThreadEvent } from "../../src/core/events.ts";
import { evolve } from "../../src/core/evolve.ts";
import type { Json } from "../../src/core/json.ts";
import { initialState, type ThreadState } from "../../src/core/state.ts";
import type { ModelInput } from "../../src/core/window/model-input.ts";
import { at } from "./log.ts";
import type { Tape, TapeCall, TapeTurn } from "./tape.ts";
import type { Window } from "./window-run.ts";

export interface PlayOptions {
  /** Builds the window of the next decision. A `window_over_budget` ends the run. */
  build(state: ThreadState): Window;
  /** What the provider reports as the tokens of an input. */
  reported(input: ModelInput): number;
  /** Values of more bytes go to the store, and the event keeps a reference. Default: the runtime's, 64 KiB. */
  readonly artifactBytes?: number;
}

/** A window and what it was built for; or why there is none. */
export type Played =
  | {
      readonly kind: "window";
      readonly window: Window;
      readonly state: ThreadState;
      /** `null` for the last, after which nothing was recorded. */
      readonly turn: TapeTurn | null;
    }
  /** `left` windows of the run, this one included, were never built. */
  | { readonly kind: "refused"; readonly message: string; readonly left: number };

/** One thread's log in the making: folds each event as it is appended. */
export class TapeLog {
  readonly state: ThreadState = initialState();
  readonly events: ThreadEvent[] = [];
  readonly artifacts = new Map<string, string>();
  readonly #artifactBytes: number;
  readonly #occurrences = new Map<string, number>();

  constructor(input: string, artifactBytes = 64 * 1024) {
    this.#artifactBytes = artifactBytes;
    const stored = this.stored(input);
    this.append(
      event("thread_started", {
        threadId: "th_tape",
        agent: "a",
        agentVersion: "1",
        input: stored,
        by: "user",
      }),
    );
  }

  append(...bodies: readonly EventBody[]): void {
    for (const body of bodies) {
      const seq = this.state.head + 1;
      const appended = { ...body, seq, at: at(seq) } as ThreadEvent; // the spread loses the union
      evolve(this.state, appended);
      this.events.push(appended);
    }
  }

  nextKey(path: string): string {
    const occurrence = (this.#occurrences.get(path) ?? 0) + 1;
    this.#occurrences.set(path, occurrence);
    return `${path}#${occurrence}`;
  }

  stored(value: Json): Stored {
    const text = JSON.stringify(value);
    const bytes = Buffer.byteLength(text);
    if (bytes <= this.#artifactBytes) return { value };
    const digest = sha256(text);
    this.artifacts.set(digest, text);
    return { artifact: { digest, bytes, preview: text.slice(0, 400) } };
  }
}

/** Plays a tape: a window for every decision, and one more at the end. The log is whole when the generator is done. */
export function* playTape(tape: Tape, options: PlayOptions, log = newLog(tape, options)): Generator<Played> {
  const turns = [...tape.turns, null];
  for (const [index, turn] of turns.entries()) {
    let window: Window;
    try {
      window = options.build(log.state);
    } catch (error) {
      if (!isHoldpointError(error) || error.code !== "window_over_budget") throw error;
      yield { kind: "refused", message: error.message, left: turns.length - index };
      return;
    }
    yield { kind: "window", window, state: log.state, turn };
    if (turn) appendTurn(log, turn, window, options.reported(window.input));
  }
}

export function newLog(
  tape: Pick<Tape, "input">,
  { artifactBytes }: Pick<PlayOptions, "artifactBytes">,
): TapeLog {
  return new TapeLog(tape.input, artifactBytes);
}

/** Appends what the model decided with this window, and what came of it. */
export function appendTurn(log: TapeLog, turn: TapeTurn, window: Window, inputTokens: number): void {
  const key = log.nextKey("decide");
  const calls =
    turn.kind === "reply"
      ? []
      : turn.calls.map(({ tool, args }, index) => ({ callId: callIdOf(key, index), tool, args }));
  const decision =
    turn.kind === "reply"
      ? { kind: "answer" as const, value: turn.text }
      : { kind: "calls" as const, calls, ...(turn.text === "" ? {} : { text: turn.text }) };
  log.append(
    event("decision_made", {
      key,
      attempt: 1,
      durationMs: 1_000,
      decision,
      model: "tape",
      usage: { inputTokens, outputTokens: 50 },
      window: window.record,
    }),
  );
  if (turn.kind === "calls")
    for (const [index, call] of turn.calls.entries()) appendAction(log, call, callIdOf(key, index));
  else appendReply(log, turn);
}

/** As the runtime renames them: providers repeat ids within a run. */
function callIdOf(key: string, index: number): string {
  return `${key.replace("#", "_")}_${index}`;
}

function appendAction(log: TapeLog, { tool, args, result }: TapeCall, callId: string): void {
  const key = log.nextKey(`act:${tool}`);
  const toolVersion = "1";
  const digest = actionDigest({ tool, toolVersion, args });
  const gate = { kind: "allow" } as const;
  log.append(
    event("action_proposed", {
      key,
      callId,
      tool,
      toolVersion,
      args,
      digest,
      risk: "low",
      effect: "repeatable",
      gate,
    }),
    event("action_started", { key, attempt: 1, digest, idempotencyKey: `th_tape/${key}` }),
    event("action_completed", { key, attempt: 1, durationMs: 1, result: log.stored(asValue(result)) }),
  );
}

/** A tool returns a value; the recording has its JSON, or text. */
function asValue(result: string): Json {
  try {
    return JSON.parse(result) as Json;
  } catch {
    return result;
  }
}

/** The flow puts the reply to the user with `t.ask`, or sends it with its channel and waits for what comes. */
function appendReply(log: TapeLog, { text, next, comesAs }: Extract<TapeTurn, { kind: "reply" }>): void {
  if (next === null) return;
  if (comesAs === "answer") {
    const key = log.nextKey("ask");
    const requestId = requestIdFor("th_tape", key, 1);
    const question = {
      kind: "question",
      question: text,
      choices: ["answer", "reject"],
      approvers: [],
    } as const;
    const verdict = { kind: "answer", value: next } as const;
    log.append(
      event("request_opened", { requestId, key, ...question, expiresAt: null, why: "the flow asks" }),
      event("request_decided", { requestId, key, verdict, by: "user", via: "test" }),
    );
  } else {
    const key = log.nextKey("wait:message");
    const signalId = `sg_${log.state.head}`;
    log.append(
      event("wait_started", { key, signal: "message", expiresAt: null }),
      event("signal_received", { signalId, signal: "message", value: next, by: "user" }),
    );
  }
}
