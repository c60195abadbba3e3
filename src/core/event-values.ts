// What events hold: the types of their members. `events.ts` hands them on, so that readers of events import one file.
import type { ErrorInfo } from "./errors.ts";
import type { Json } from "./json.ts";

/** A reference to a large value kept outside the log, named by the SHA-256 of its JSON text. */
export interface ArtifactRef {
  readonly digest: string;
  readonly bytes: number;
  /** In a few words, such as `array of 120 objects (id, total)`; older logs do not say. */
  readonly kind?: string;
  /** What is worth showing of the value, as JSON text; in older logs the first characters of its own. */
  readonly preview: string;
}

/** A value as an event keeps it. No member at all is `undefined`. */
export type Stored =
  | { readonly value?: Json; readonly artifact?: never }
  | { readonly artifact: ArtifactRef; readonly value?: never };

export type Risk = "low" | "medium" | "high";

/** What a second run of a tool would do: nothing (`read`), the same again (`repeatable`), or harm (`once`). */
export type Effect = "read" | "repeatable" | "once";

/** One tool call that a model asked for, after its arguments validated. */
export interface Call {
  readonly callId: string;
  readonly tool: string;
  readonly args: Json;
  /** What the provider wants back with this call (a thought's signature), by provider; opaque. */
  readonly providerData?: Json;
}

/** A piece of a model's reasoning, kept because its provider requires it back with the results of the calls. */
export interface Reasoning {
  readonly text: string;
  /** By provider, such as `{ anthropic: { signature } }`; opaque. */
  readonly providerData?: Json;
}

export type Decision =
  | {
      readonly kind: "calls";
      readonly calls: readonly Call[];
      readonly text?: string;
      readonly reasoning?: readonly Reasoning[];
    }
  | { readonly kind: "answer"; readonly value: Json };

/** Tokens of one model call, as the provider reported them, or estimated when it did not. */
export interface Usage {
  /** All input, cached or not. */
  readonly inputTokens: number;
  /** All output, reasoning included. */
  readonly outputTokens: number;
  /** Of the input: read from the provider's cache, and written to it. */
  readonly cachedTokens?: number;
  readonly cacheWriteTokens?: number;
  /** Of the output. */
  readonly reasoningTokens?: number;
}

/** What a model call cost in US dollars, by the price list of `pricedAt` (a date). */
export interface Cost {
  readonly usd: number;
  readonly pricedAt: string;
}

/** The bytes that went to the provider: SHA-256 and length of the request's body. */
export interface WireRecord {
  readonly digest: string;
  readonly bytes: number;
}

/** The prompt of a model call: its version, and its name where it has one. */
export interface PromptRecord {
  /** Of a prompt file, its name. */
  readonly name?: string;
  /** 16 hex digits: of a prompt file's content; of other prompts, of the text that the model was given. */
  readonly version: string;
}

export type GateOutcome =
  | { readonly kind: "allow" }
  /** `isBroken`: the policy failed to say anything, so no standing approval stands in for a person. */
  | { readonly kind: "hold"; readonly reason: string; readonly isBroken?: true }
  | { readonly kind: "deny"; readonly reason: string };

/** What a rule in shadow mode would have done: it changed nothing. */
export interface ShadowOutcome {
  readonly outcome: GateOutcome["kind"];
  readonly reason: string;
  /** The rule's name. */
  readonly rule: string;
}

/** What an action adds to a cumulative limit of the gate: in its thread, or on the day of its start over all threads. */
export interface Count {
  /** The limit's. */
  readonly name: string;
  readonly per: "thread" | "day";
  /** A whole number from 1, in the unit of the limit. */
  readonly amount: number;
}

export type RequestKind = "approval" | "question" | "escalation";

/** Why a thread asks for a person without being told to by its flow. */
export type EscalationReason =
  | "limit"
  | "invalid_output"
  | "model_failed"
  | "overflow"
  | "in_doubt"
  | "flow_changed"
  | "flow_stuck"
  | "crash_loop";

export type Verdict =
  | { readonly kind: "approve"; readonly why?: string }
  | { readonly kind: "edit"; readonly args: Json; readonly why?: string }
  | { readonly kind: "reject"; readonly why: string }
  | { readonly kind: "answer"; readonly value: Json }
  | { readonly kind: "continue"; readonly why?: string }
  | { readonly kind: "stop"; readonly why?: string }
  /** Settles an action in doubt: it happened, with this result … */
  | { readonly kind: "done"; readonly value: Json }
  /** … or it did not. */
  | { readonly kind: "not_done"; readonly why: string };

export type VerdictKind = Verdict["kind"];

/** One approval of a request that needs several. */
export interface Vote {
  readonly by: string;
  readonly via: string;
  /** The approver, person or role, as whom they voted; absent where nobody is named. */
  readonly as?: string;
}

/** Who may decide a request by now, and who has: whole in each event that changes it, so that lists read the newest only. */
export interface Deciders {
  readonly approvers: readonly string[];
  readonly votes: readonly Vote[];
}

/** Where an argument occurs, word for word, before the action: the first place in the log. */
export interface ArgumentSource {
  /** In the arguments, such as `lines[0].orderId`. */
  readonly path: string;
  /** Event and operation; `input`, or `signal:paid`. `null`: nowhere, so whoever made the call wrote it. */
  readonly found: { readonly seq: number; readonly from: string } | null;
  /** Nobody asked for it: the tool's schema filled it in. */
  readonly filledIn?: boolean;
}

export type LimitName = "steps" | "tokens" | "activeTime" | "attemptsPerTool" | "identicalCalls";

export type ChildOutcome =
  | ({ readonly status: "completed" } & Stored)
  | { readonly status: "failed" | "cancelled"; readonly error: ErrorInfo };

/** An overridden check: why, and the codes of the errors that it had found. */
export interface Unchecked {
  readonly why: string;
  readonly codes: readonly string[];
}
