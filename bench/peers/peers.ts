/** The peers by the names of their files, in the order of the tables. */
export const peerNames = ["holdpoint", "langgraph", "mastra", "ai-sdk", "openai-agents", "bare"] as const;

export type PeerName = (typeof peerNames)[number];

/** What a peer says of itself, from its own process. */
export interface PeerFacts {
  readonly title: string;
  readonly packages: readonly string[];
  readonly storage: string;
  readonly durable: "step" | "pause";
  readonly guard: string;
}

/** One peer's part of a row: for people, and as measured. */
export interface Cell {
  readonly text: string;
  readonly data: unknown;
  /** Where peers can be put in order: the lower, the better. Left out where a figure does not compare. */
  readonly score?: number;
}

/** A row of the table: one question to all peers. */
export interface PeerRow {
  readonly name: string;
  /** How it is measured. */
  readonly how: string;
  /** How to read it. */
  readonly reading: string;
  /** Whether times are measured, so that nothing else may run meanwhile. */
  readonly isTimed: boolean;
  /** What is measured of one peer, in a folder of its own. It may throw: the cell then says so. */
  readonly measure: (peer: PeerName, facts: PeerFacts, folder: string) => Promise<Cell>;
}

export const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
