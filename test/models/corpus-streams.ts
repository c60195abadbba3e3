// Recorded streams, handed to their real packages in other pieces than they came in, or in part.
import { createHash } from "node:crypto";
import { type Exchange, readCassettes, readFixtures } from "./corpus.ts";
import { essence, type Outcome, outcomeOf } from "./corpus-outcome.ts";
import { createRealModel } from "./corpus-packages.ts";

/** Each once, of both collections: several tests of one recorded the same. A file of several turns is several. */
export function recordedStreams(): readonly Exchange[] {
  const streams = new Map<string, Exchange>();
  for (const { exchange } of [...readFixtures(), ...readCassettes()])
    for (const turn of exchange?.isStream && exchange.status === 200 ? turnsOf(exchange) : [])
      streams.set(createHash("sha256").update(bytesOf(turn)).digest("hex"), turn);
  return [...streams.values()];
}

function turnsOf(exchange: Exchange): Exchange[] {
  const starts = exchange.chunks.flatMap((chunk, at) =>
    at > 0 && chunk.includes('"type":"response.created"') ? [at] : [],
  );
  return [0, ...starts].map((start, turn) => ({
    ...exchange,
    name: turn === 0 ? exchange.name : `${exchange.name}, turn ${turn + 1}`,
    chunks: exchange.chunks.slice(start, starts[turn]),
  }));
}

function bytesOf({ chunks }: Exchange): Buffer {
  return Buffer.concat(chunks);
}

/** How a stream ends: as it should, or with the connection. */
type Ending = "closed" | "broken";

/** What comes of these bytes in these pieces, through the package's own `fetch`: no network, so thousands a second. */
export function playPieces(
  exchange: Exchange,
  pieces: readonly Uint8Array[],
  ending: Ending = "closed",
): Promise<Outcome> {
  const { dialect, vendor, model, headers } = exchange;
  const fetch = async () => new Response(streamOf(pieces, ending), { headers });
  return outcomeOf(createRealModel(dialect, vendor, model, { baseURL: "http://localhost", fetch }), exchange);
}

function streamOf(pieces: readonly Uint8Array[], ending: Ending): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = pieces[at++];
      if (piece)
        controller.enqueue(new Uint8Array(piece)); // a copy, as its reader may keep it
      else if (ending === "closed") controller.close();
      else controller.error(new TypeError("terminated"));
    },
  });
}

function splitAt(bytes: Buffer, offsets: readonly number[]): readonly Buffer[] {
  const ends = [...offsets, bytes.length];
  return ends
    .map((end, index) => bytes.subarray(offsets[index - 1] ?? 0, end))
    .filter(({ length }) => length > 0);
}

/** Offsets within a character of several bytes. */
function offsetsInCharacters(bytes: Buffer): readonly number[] {
  return [...bytes.keys()].filter((at) => isInCharacter(bytes, at));
}

/** UTF-8 marks every byte of a character but its first. */
function isInCharacter(bytes: Buffer, at: number): boolean {
  return ((bytes[at] ?? 0) & 0xc0) === 0x80;
}

/** The same numbers for the same seed, below `below`. */
export function seededNumbers(seed: number, count: number, below: number): readonly number[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  });
}

/** All of `0…length-1`, or so many of them. */
export function someOf(length: number, most: number, seed: number): readonly number[] {
  const all = [...Array(length).keys()];
  return length <= most ? all : [...new Set(seededNumbers(seed, most, length))];
}

/**
 * What a cut stream came to, beside the whole one: the same; an error that is tried again; or, where the whole stream
 * gives no decision, another reason for none. Anything else is wrong.
 */
export function judgeCut(whole: Outcome, cut: Outcome): "same" | "retried" | "none" | "wrong" {
  if (JSON.stringify(essence(cut)) === JSON.stringify(essence(whole))) return "same";
  if (cut.kind === "error" && cut.retryable) return "retried";
  const isNone = (outcome: Outcome) => outcome.kind === "rejected" || outcome.kind === "error";
  return isNone(whole) && isNone(cut) ? "none" : "wrong";
}

interface Split {
  readonly name: string;
  readonly pieces: readonly Uint8Array[];
}

/** The same bytes in other pieces, or with other line ends. `offsets` are where they are cut in two, one by one. */
function splitsOf(exchange: Exchange, offsets: readonly number[], mostSingleBytes: number): readonly Split[] {
  const bytes = bytesOf(exchange);
  const size = bytes.length <= mostSingleBytes ? 1 : 7;
  const steps = [...bytes.keys()].filter((at) => at > 0 && at % size === 0);
  const characters = offsetsInCharacters(bytes);
  return [
    { name: "as recorded", pieces: exchange.chunks },
    { name: size === 1 ? "single bytes" : "seven bytes at a time", pieces: splitAt(bytes, steps) },
    ...(characters.length > 0
      ? [{ name: "every character in parts", pieces: splitAt(bytes, characters) }]
      : []),
    ...(exchange.dialect === "converse" ? [] : lineEnds(bytes)),
    ...offsets.map((at) => ({ name: `in two at ${at}`, pieces: splitAt(bytes, [at]) })),
  ];
}

/** Both kinds of line ends that providers use. */
function lineEnds(bytes: Buffer): readonly Split[] {
  const text = bytes.toString().replaceAll("\r\n", "\n");
  return [
    { name: "LF", pieces: [Buffer.from(text)] },
    { name: "CRLF", pieces: [Buffer.from(text.replaceAll("\n", "\r\n"))] },
  ];
}

export interface SplitCounts {
  streams: number;
  /** Streams that were cut in two at every offset. */
  atEvery: number;
  splits: number;
  /** Of these, cuts within a character. */
  inCharacters: number;
  differ: string[];
}

export interface SplitPlan {
  /** Streams up to so many bytes are cut in two at every offset. */
  readonly everyUpTo: number;
  /** Longer ones at so many. */
  readonly sampled: number;
  /** And at so many of the offsets within characters. */
  readonly sampledInCharacters: number;
  /** Streams up to so many bytes come byte by byte, longer ones by sevens. */
  readonly singleBytesUpTo: number;
}

/** Plays every stream in other pieces: nothing of its outcome may differ. */
export async function sweepSplits(plan: SplitPlan): Promise<SplitCounts> {
  const counts: SplitCounts = { streams: 0, atEvery: 0, splits: 0, inCharacters: 0, differ: [] };
  for (const [seed, stream] of recordedStreams().entries()) {
    const bytes = bytesOf(stream);
    const whole = JSON.stringify(await playPieces(stream, [bytes]));
    const offsets = offsetsOf(bytes, plan, seed);
    counts.streams += 1;
    if (bytes.length <= plan.everyUpTo) counts.atEvery += 1;
    counts.inCharacters += offsets.filter((at) => isInCharacter(bytes, at)).length;
    for (const { name, pieces } of splitsOf(stream, offsets, plan.singleBytesUpTo)) {
      counts.splits += 1;
      const split = JSON.stringify(await playPieces(stream, pieces));
      if (split !== whole) counts.differ.push(`${stream.name}, ${name}`);
    }
  }
  return counts;
}

function offsetsOf(bytes: Buffer, plan: SplitPlan, seed: number): readonly number[] {
  if (bytes.length <= plan.everyUpTo) return [...bytes.keys()].slice(1);
  const within = offsetsInCharacters(bytes);
  const some = someOf(within.length, plan.sampledInCharacters, seed).map((index) => within[index] ?? 0);
  return [...new Set([...someOf(bytes.length, plan.sampled, seed), ...some])].filter((at) => at > 0);
}

export interface CutCounts {
  streams: number;
  cuts: number;
  same: number;
  retried: number;
  none: number;
  wrong: string[];
}

/**
 * Cuts every stream after its chunks, all of them or so many, and in the midst of the next one; by turns the connection
 * breaks, and the stream ends as if it were whole.
 */
export async function sweepCuts(mostPerStream: number): Promise<CutCounts> {
  const counts: CutCounts = { streams: 0, cuts: 0, same: 0, retried: 0, none: 0, wrong: [] };
  for (const [seed, stream] of recordedStreams().entries()) {
    const whole = await playPieces(stream, stream.chunks);
    counts.streams += 1;
    for (const at of someOf(stream.chunks.length, mostPerStream, seed)) {
      for (const [pieces, ending] of cutsAfter(stream, at)) {
        const verdict = judgeCut(whole, await playPieces(stream, pieces, ending));
        counts.cuts += 1;
        if (verdict === "wrong") counts.wrong.push(`${stream.name}, after ${at} chunks, ${ending}`);
        else counts[verdict] += 1;
      }
    }
  }
  return counts;
}

function cutsAfter({ chunks }: Exchange, at: number): readonly (readonly [readonly Uint8Array[], Ending])[] {
  const before = chunks.slice(0, at);
  const next = chunks[at] ?? Buffer.alloc(0);
  const half = [...before, next.subarray(0, next.length / 2)];
  return at % 2 === 0
    ? [
        [before, "closed"],
        [half, "broken"],
      ]
    : [
        [before, "broken"],
        [half, "closed"],
      ];
}
