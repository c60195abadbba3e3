import { readFile } from "node:fs/promises";
import { HoldpointError } from "../core/errors.ts";
import { type Json, toJson } from "../core/json.ts";
import type { GenerateOptions, Model, ModelInput, ModelOutput } from "../ports/model.ts";
import { inputDigest } from "./input-digest.ts";
import { secretMask } from "./mask-secrets.ts";
import { fromRecordedError, parseRecording, type RecordedCall, type Recording } from "./recording.ts";

export interface RecordedModelOptions {
  /** Made by `recordModel`. */
  readonly path: string;
  /** What was removed when it was recorded, so that a request with such a value is still found. */
  readonly secrets?: ReadonlyMap<string, string>;
}

export interface RecordedModel extends Model {
  /** Recorded calls that have not been played. */
  readonly remaining: number;
}

/**
 * Plays a recording: a request that was recorded gets what it got then, be it an output or an error, with the pieces
 * that were streamed when asked for progress. Equal requests are answered in the order of the recording. One that is not
 * in it, or no more, throws `model_failed`, not retryable, and says in what it differs from the nearest that is.
 *
 * Its promise rejects with `invalid_input` when the file cannot be read, `store_newer` when a later version recorded it,
 * and `store_corrupt`, naming the line.
 */
export async function recordedModel({
  path,
  secrets = new Map(),
}: RecordedModelOptions): Promise<RecordedModel> {
  const mask = secretMask(secrets);
  const recording = parseRecording(path, await readRecording(path));
  const left = new Map<string, RecordedCall[]>();
  for (const call of recording.calls) left.set(call.request, [...(left.get(call.request) ?? []), call]);
  let remaining = recording.calls.length;
  return {
    id: recording.model,
    get remaining() {
      return remaining;
    },
    async generate(input, options) {
      options.signal.throwIfAborted();
      const asked = mask(input);
      const call = left.get(inputDigest(asked))?.shift();
      if (!call) throw notRecorded(path, recording, asked);
      remaining -= 1;
      return play(call, options);
    },
  };
}

async function readRecording(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new HoldpointError("invalid_input", `the recording ${path} cannot be read`, {
      fix: "Record it once with recordModel.",
      cause,
    });
  }
}

function play({ progress = [], ended }: RecordedCall, { onProgress }: GenerateOptions): ModelOutput {
  if (onProgress) for (const piece of progress) onProgress(piece);
  if ("error" in ended) throw fromRecordedError(ended.error);
  return structuredClone(ended.output);
}

function notRecorded(path: string, { calls }: Recording, asked: ModelInput): HoldpointError {
  const times = calls.filter((call) => call.request === inputDigest(asked)).length;
  const what =
    times > 0
      ? `has this request ${times} times only, and it was made once more`
      : `does not have this request; ${nearest(calls, asked)}`;
  return new HoldpointError("model_failed", `the recording ${path} ${what}`, {
    fix: "Record it anew, or keep what changes from run to run (times, random ids) out of the input.",
  });
}

/** So many differences are told: the first is what someone needs, the others say whether it is a different request. */
const maxTold = 3;

/** The recorded call with the fewest differences; of equals, the one in which the texts part latest. */
function nearest(calls: readonly RecordedCall[], asked: ModelInput): string {
  const wanted = leavesOf(toJson(asked));
  const candidates = calls.map(({ input }, index) => {
    const leaves = leavesOf(toJson(input));
    const paths = [...new Set([...leaves.keys(), ...wanted.keys()])].filter(
      (path) => leaves.get(path) !== wanted.get(path),
    );
    const alike = paths.reduce(
      (sum, path) => sum + partAt(leaves.get(path) ?? "", wanted.get(path) ?? ""),
      0,
    );
    return { line: index + 2, leaves, paths, alike };
  });
  const [best] = candidates.sort((a, b) => a.paths.length - b.paths.length || b.alike - a.alike);
  if (!best) return "it holds no calls";
  const { leaves, paths } = best;
  const told = paths.slice(0, maxTold).map((path) => difference(path, leaves.get(path), wanted.get(path)));
  const more = paths.length > maxTold ? `; and ${paths.length - maxTold} more` : "";
  return `nearest is line ${best.line}, but for ${told.join("; ")}${more}`;
}

type Leaves = ReadonlyMap<string, string>;

/** Each scalar's JSON text (and `{}`, `[]`) by its path, such as `messages[0].content`. */
function leavesOf(value: Json, path = "", leaves: Map<string, string> = new Map()): Leaves {
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (members.length === 0) leaves.set(path, JSON.stringify(value));
  for (const [name, member] of members)
    leavesOf(
      member,
      Array.isArray(value) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`,
      leaves,
    );
  return leaves;
}

function difference(path: string, recorded: string | undefined, asked: string | undefined): string {
  if (recorded === undefined) return `${path}, which it does not have (asked: ${clip(asked ?? "", 0)})`;
  if (asked === undefined) return `${path}, which was not asked (recorded: ${clip(recorded, 0)})`;
  const at = partAt(recorded, asked);
  return `${path} (recorded: ${clip(recorded, at)}, asked: ${clip(asked, at)})`;
}

/** Where two texts begin to differ. */
function partAt(left: string, right: string): number {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at += 1;
  return at;
}

/** The text around a place. */
function clip(text: string, at: number): string {
  const start = at < 40 ? 0 : at - 20;
  const end = Math.min(text.length, start + 100);
  return `${start > 0 ? "…" : ""}${text.slice(start, end)}${end < text.length ? "…" : ""}`;
}
