// What the log keeps of a window: what went out, what was left out, and how far the thread was shrunk.
import type { Json } from "../json.ts";

export type PartKind =
  /** Tools, the output's schema and limits: what goes out beside the messages. */
  "request" | "prompt" | "section" | "input" | "summary" | "turn" | "note" | "known" | "correction";

/** What was done to a part of a window: shown whole, by reference, cut, in short, or not at all. */
export type PartTreatment = "kept" | "referenced" | "truncated" | "summarised" | "dropped";

/** One part of what a model was shown. */
export interface WindowPart {
  readonly kind: PartKind;
  /** Of a section. */
  readonly name?: string;
  /** The first and the last event that it shows; absent for what is not from the log. A turn's first is its decision. */
  readonly seqs?: readonly [first: number, last: number];
  /** By the window's counter, calibration left out. */
  readonly tokens: number;
  readonly treatment: PartTreatment;
  /** SHA-256 of the JSON of its messages (of a `request`: of what goes out beside them). */
  readonly digest: string;
  /** What `digest` is of, when it is short; what is longer is the artifact of that digest. */
  readonly content?: Json;
  /** A turn shown whole: `digest` is of what its events say, which is kept nowhere else. */
  readonly plain?: true;
}

/** `count` parts of an earlier window, from its place `start` on. */
export type SharedParts = readonly [start: number, count: number];

/** How far a thread's older parts are shrunk in its windows: each number is the first `seq` that is not. */
export interface WindowView {
  /** Told in short, in the summary; as far as `lined`. */
  readonly summarised: number;
  /** Each result takes one line; as far as `referenced`. */
  readonly lined: number;
  /** Large results are shown by reference. */
  readonly referenced: number;
  /** Most tokens that the summary takes, pinned notes aside. */
  readonly summaryTokens: number;
}

/** Corrects a counter by what the provider reported: an input of n counted tokens takes n × `factor` + `offset`. */
export interface Calibration {
  readonly factor: number;
  readonly offset: number;
}

/** What one model call was shown: what went out, what was left out, and its exact text (`parts`). */
export interface WindowRecord {
  /** SHA-256 over the hashes of the messages' parts, in order; tools and limits are not in it. */
  readonly digest: string;
  readonly tokens: number;
  readonly budget: number;
  /** The oldest event that is not only told in short; what came before it, apart from the pinned parts, is. */
  readonly fromSeq: number;
  /** How many parts (a decision with its results, or a note) are told in short, or left out. */
  readonly dropped: number;
  readonly view?: WindowView;
  /** Something in it is shown by reference (`art_…`), for the model to read. */
  readonly references?: true;
  /** Left out where the counter is taken at its word. */
  readonly calibration?: Calibration;
  /** All parts, those shared with the model call that ended at event `from` (0: none) by their places in its list. */
  readonly parts?: { readonly from: number; readonly list: readonly (SharedParts | WindowPart)[] };
}
