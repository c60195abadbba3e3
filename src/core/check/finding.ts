// What a check before the run says. Checks are pure: they look at an agent's definition and at what is known around it.
import type { Agent } from "../agent.ts";
import type { Person } from "../person.ts";
import type { Tool } from "../tool.ts";

/** `error`: it cannot work, and stops a start. `warning`: it will go wrong at times. `note`: worth knowing. */
export type FindingLevel = "error" | "warning" | "note";

export type FindingArea = "prompt" | "window" | "control flow" | "tools";

/** What a finding is about; its place in a file is looked for by it. */
export type FindingSubject =
  | { readonly kind: "agent" | "model" | "people" }
  /** `text` stands in the agent's definition, such as the name of a rule or a section. */
  | { readonly kind: "gate" | "window" | "limits"; readonly text?: string }
  /** `line` of a prompt file, from 1. */
  | { readonly kind: "prompt"; readonly line?: number }
  | { readonly kind: "tool"; readonly name: string };

export interface FindingPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface Finding {
  /** Stable, for programs: lower case with `_`. */
  readonly code: string;
  readonly level: FindingLevel;
  readonly area: FindingArea;
  /** What is so, with names and numbers. */
  readonly message: string;
  /** What comes of it. */
  readonly why: string;
  /** What to do, in one sentence. */
  readonly fix: string;
  readonly about?: FindingSubject;
  /** Added where the source is at hand. */
  readonly where?: FindingPlace;
}

/** A model that an agent names, and what is known of it. */
export interface CheckedModel {
  /** `provider/model`. */
  readonly id: string;
  /** Before the first slash; of a model object, what it calls its provider. */
  readonly provider: string;
  /** Input and output together, in tokens. */
  readonly contextTokens?: number;
  readonly maxOutputTokens?: number;
}

/** A channel that requests are sent out by, as far as a check asks. */
export interface CheckedChannel {
  readonly name: string;
  /** Whether a request whose approvers are these people is sent to anybody. */
  reaches(people: readonly Person[]): boolean;
}

/** All that a check may look at. */
export interface CheckContext {
  readonly agent: Agent;
  /** Those that the agent names, or the default one; empty when nobody knows. */
  readonly models: readonly CheckedModel[];
  /** The one that sums old turns up, where there is one and it is named. */
  readonly summaryModel: CheckedModel | null;
  /** The directory, and who holds a token; `null` when there is none to look in. */
  readonly people: readonly Person[] | null;
  /** `null` when nobody knows. */
  readonly channels: readonly CheckedChannel[] | null;
  /** The principal who is about to start threads, where one is known. */
  readonly startedBy: string | null;
  readonly count: (text: string) => number;
  /** Why the schema of a tool's input is no valid JSON Schema; `null` when it is one. */
  readonly schemaProblem: (tool: Tool) => string | null;
}

/**
 * A check of one's own: `checks` in the config, or an option of `checkAgent`. It may look, and changes nothing. One that
 * throws, gives what are no findings, or nothing within 60 s, is itself an error (`own_check_failed`).
 */
export type Check = (context: CheckContext) => readonly Finding[] | Promise<readonly Finding[]>;
