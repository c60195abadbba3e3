// Which turn of a recording a request asks for, found from the request alone: so a turn that is asked for again, by
// whatever process, gets the same answer. A request that does not hold what the recording says came before differs.
import { createHash } from "node:crypto";
import { canonicalJson, type Json } from "../../src/core/json.ts";
import type { TapeCall, TapeTurn } from "../../test/kit/tape.ts";
import { type Recording, resultOf } from "./recordings.ts";

/** A message of OpenAI's chat completions. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string | null;
  readonly tool_calls?: readonly {
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
}

/**
 * `whole`: everything of the run so far, and nothing else. `compacted`: the newest turns, as far back as the request
 * goes; results whole or by a reference to exactly what was recorded; what is older in a text of the user's message.
 */
export type Matching = "whole" | "compacted";

export type Matched =
  | {
      readonly kind: "turn";
      readonly turn: number;
      /** Of the turns before, how many the request shows turn by turn. */
      readonly shown: number;
      /** Results that it shows by reference. */
      readonly referenced: number;
    }
  | { readonly kind: "difference"; readonly why: string };

export function matchRequest(
  recording: Recording,
  messages: readonly ChatMessage[],
  matching: Matching,
): Matched {
  const walks = Array.from(recording.turns, (_, turn) => walkBack(recording, messages, turn, matching));
  const fitting = walks.filter((walk) => walk.why === null);
  const furthest = Math.max(...fitting.map((walk) => walk.shown));
  const nearest = fitting.filter((walk) => walk.shown === furthest);
  const [found, other] = nearest.length > 1 ? byTold(nearest, messages) : nearest;
  if (found && other)
    return differs(`it may ask for turn ${found.turn} or ${other.turn}: what it shows fits both`);
  if (found) return { kind: "turn", turn: found.turn, shown: found.shown, referenced: found.referenced };
  const likely = walks[turnsIn(messages)] ?? walks.at(-1);
  return differs(`turn ${likely?.turn}, ${likely?.shown} turns back: ${likely?.why}`);
}

/** How many turns it seems to show: which one a request that fits none was most likely for. */
function turnsIn(messages: readonly ChatMessage[]): number {
  const notes = messages.map(({ role, content }) =>
    role === "user" ? (content?.match(/^Asked a person: /gm)?.length ?? 0) : 0,
  );
  return notes.reduce(
    (sum, count) => sum + count,
    messages.filter(({ role }) => role === "assistant").length,
  );
}

/**
 * Where the room is so short that hardly a turn is shown, several turns fit what is; then the summary's own count of the
 * decisions that it tells of decides. A reply may be counted in it while its answer is still shown.
 */
function byTold(walks: readonly Walk[], messages: readonly ChatMessage[]): readonly Walk[] {
  const texts = messages.map(
    ({ content }) => /^Earlier, in short \((\d+) decision/m.exec(content ?? "")?.[1],
  );
  const told = Number(texts.find((count) => count !== undefined));
  const fitting = walks.filter(({ turn, shown }) => turn - shown === told);
  return fitting.length > 0 ? fitting : walks.filter(({ turn, shown }) => turn - shown === told - 1);
}

function differs(why: string): Matched {
  return { kind: "difference", why };
}

interface Walk {
  readonly turn: number;
  readonly shown: number;
  readonly referenced: number;
  /** Why it does not ask for this turn; `null` when it does. */
  readonly why: string | null;
}

/** Where a walk from the newest message backwards stands. */
interface Place {
  at: number;
  /** What is left of a user's message, which may hold several turns. */
  rest: string;
  referenced: number;
}

function walkBack(
  recording: Recording,
  messages: readonly ChatMessage[],
  turn: number,
  matching: Matching,
): Walk {
  const place: Place = { at: messages.length, rest: "", referenced: 0 };
  stepBack(place, messages);
  let [shown, why] = [0, null as string | null];
  while (shown < turn) {
    why = turnBack(recording.turns[turn - 1 - shown] as TapeTurn, messages, place, matching); // shown < turn
    if (why !== null) break;
    shown += 1;
  }
  const end = frontDiffers(recording, messages, place, matching, shown === turn);
  return { turn, shown, referenced: place.referenced, why: matching === "whole" ? (why ?? end) : end };
}

function stepBack(place: Place, messages: readonly ChatMessage[]): void {
  place.at -= 1;
  place.rest = messages[place.at]?.content ?? "";
}

/** Goes back over one turn. @returns why it is not there. */
function turnBack(
  turn: TapeTurn,
  messages: readonly ChatMessage[],
  place: Place,
  matching: Matching,
): string | null {
  return turn.kind === "reply"
    ? replyBack(turn, messages, place)
    : callsBack(turn, messages, place, matching);
}

/** The thread's question to the customer, with the answer. */
function replyBack(
  { text, next }: Extract<TapeTurn, { kind: "reply" }>,
  messages: readonly ChatMessage[],
  place: Place,
): string | null {
  const note = `Asked a person: ${JSON.stringify(text)} Answer: ${JSON.stringify(next)}`;
  if (messages[place.at]?.role !== "user" || !place.rest.endsWith(note))
    return `${place.rest.slice(-200)} is not the answer ${JSON.stringify(next)?.slice(0, 200)}`;
  place.rest = place.rest.slice(0, -note.length).trimEnd();
  if (place.rest === "") stepBack(place, messages);
  return null;
}

function callsBack(
  { text, calls }: Extract<TapeTurn, { kind: "calls" }>,
  messages: readonly ChatMessage[],
  place: Place,
  matching: Matching,
): string | null {
  const results = messages.slice(Math.max(0, place.at - calls.length + 1), place.at + 1);
  const said = messages[place.at - calls.length];
  if (said?.role !== "assistant" || results.some(({ role }) => role !== "tool"))
    return `there are no results of ${calls.map(({ tool }) => tool).join(", ")}`;
  if (matching === "whole" && (said.content ?? "") !== text)
    return `the text beside the calls is ${said.content}`;
  for (const [index, call] of calls.entries()) {
    const why =
      callDiffers(call, said.tool_calls?.[index]?.function) ?? resultDiffers(call, results[index], place);
    if (why !== null) return why;
  }
  if (said.tool_calls?.length !== calls.length) return "there are other calls beside";
  if (matching === "whole" && place.referenced > 0) return "a result is shown by reference";
  place.at -= calls.length;
  stepBack(place, messages);
  return null;

  function callDiffers(
    call: TapeCall,
    made: { readonly name: string; readonly arguments: string } | undefined,
  ): string | null {
    const fits =
      made?.name === call.tool && sameArgs(JSON.parse(made.arguments) as Json, call.args, matching);
    return fits ? null : `${made?.name} ${made?.arguments} is not ${call.tool} ${JSON.stringify(call.args)}`;
  }
}

/** Compaction cuts long texts in the arguments of old calls. */
function sameArgs(made: Json, recorded: Json, matching: Matching): boolean {
  if (canonicalJson(made) === canonicalJson(recorded)) return true;
  if (matching === "whole") return false;
  if (typeof made === "string" && typeof recorded === "string")
    return made.endsWith("…") && recorded.startsWith(made.slice(0, -1));
  if (typeof made !== "object" || typeof recorded !== "object" || !made || !recorded) return false;
  const [left, right] = [Object.entries(made), new Map(Object.entries(recorded))];
  return (
    left.length === right.size &&
    left.every(([name, value]) => right.has(name) && sameArgs(value, right.get(name) ?? null, matching))
  );
}

function resultDiffers(call: TapeCall, message: ChatMessage | undefined, place: Place): string | null {
  const recorded = resultOf(call);
  const content = message?.content ?? "";
  if (content === recorded || canonicalJson(resultOf({ result: content })) === canonicalJson(recorded))
    return null;
  if (!content.includes(`"artifact":"${referenceOf(recorded)}"`))
    return `the result of ${call.tool} is ${content.slice(0, 200)}, not ${call.result.slice(0, 200)}`;
  place.referenced += 1;
  return null;
}

/** As docs/artifacts.md defines it: so a reference to any other value is a difference. */
function referenceOf(value: Json): string {
  return `art_${createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16)}`;
}

/** What stands in front of the turns: the policy, and what the customer said first. @returns what is wrong with it. */
function frontDiffers(
  { system, input }: Recording,
  messages: readonly ChatMessage[],
  place: Place,
  matching: Matching,
  isWhole: boolean,
): string | null {
  const [first, second] = messages;
  if (first?.role !== "system" || first.content !== system) return "the system message is not the policy";
  if (second?.role !== "user" || !second.content?.startsWith(input))
    return `what the customer said first is missing: ${second?.content?.slice(0, 200)}`;
  const left = messages.slice(1, place.at + 1);
  const isBare = left.length === 1 && place.rest === input;
  if (isWhole && isBare) return null;
  if (matching === "whole") return `there is more in front: ${JSON.stringify(left).slice(-300)}`;
  if (isWhole || isBare) return isBare ? "turns are left out without a word" : "there is more in front";
  const other = left.find(({ role }) => role !== "user");
  return other ? `an older ${other.role} message does not fit: ${JSON.stringify(other).slice(0, 300)}` : null;
}
