// What every peer is asked to do, in one form: an adapter of about fifty lines each says how its documentation does it.
import type { z } from "zod";
import type { ScriptedFetch } from "./scripted-endpoint.ts";

/** A tool of the bench. Each peer wraps it as its own kind of tool. */
export interface BenchTool {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodObject;
  /** Whether a person must approve each call. */
  readonly needsApproval: boolean;
  run(args: Readonly<Record<string, unknown>>): Promise<string>;
  /** Whether the effect of this call took place, for peers that ask after a crash. */
  readonly happened?: (args: Readonly<Record<string, unknown>>) => boolean;
}

export interface Scenario {
  /** Where the peer keeps what it stores. */
  readonly folder: string;
  readonly tools: readonly BenchTool[];
  /** Answers the peer's own OpenAI package in place of the network. */
  readonly fetch: ScriptedFetch;
  /** Most model calls of a run: the peer's own limit is set to it, unless it is left at its default. */
  readonly maxTurns?: number;
  /** Tokens that the model takes; the peer's recommended means against overflow is then switched on. */
  readonly guardTokens?: number;
}

export type Outcome =
  | { readonly kind: "ended"; readonly text: string }
  | { readonly kind: "paused" }
  /** It ended in an error or was stopped by a limit. `error` is its name or code, then its message. */
  | { readonly kind: "failed"; readonly error: string };

/** A peer with its store open. */
export interface Session {
  start(runId: string): Promise<Outcome>;
  /** Goes on with a run that a killed process left behind, as the documentation says. */
  recover(runId: string): Promise<Outcome>;
  /** Delivers a person's approval to a paused run and goes on. */
  approve(runId: string): Promise<Outcome>;
  close(): Promise<void>;
}

export interface Peer {
  readonly title: string;
  /** Packages whose versions are reported. */
  readonly packages: readonly string[];
  /** What it stores where, with which durability. */
  readonly storage: string;
  /** Of what it keeps on disk: each step, only runs that are paused, or nothing. */
  readonly durable: "step" | "pause";
  /** Its store's files in the folder. */
  readonly files: readonly string[];
  /** The means against overflow that its documentation names. */
  readonly guard: string;
  open(scenario: Scenario): Promise<Session>;
}

/** An error as the tables show it: its name or code, and the beginning of its message. */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 200);
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name;
  return `${code}: ${error.message.slice(0, 160)}`;
}

/** A failure of a run is an outcome here: a row that says so, not the end of the bench. */
export async function outcomeOf(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } catch (error) {
    return { kind: "failed", error: describeError(error) };
  }
}
