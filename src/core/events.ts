import type { ErrorInfo } from "./errors.ts";
import type { Json } from "./json.ts";
import type { WindowRecord } from "./window/window-record.ts";

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
  | { readonly kind: "approve" }
  | { readonly kind: "edit"; readonly args: Json }
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

interface EventBodies {
  thread_started: {
    readonly threadId: string;
    readonly agent: string;
    readonly agentVersion: string;
    readonly input: Stored;
    /** The principal who started it. */
    readonly by: string;
    readonly parent?: { readonly threadId: string; readonly key: string };
    /** Who started the work besides `by`: of a child, its root's starters; of a fork, the origin's. */
    readonly requesters?: readonly string[];
    /** `events`: how many of the first ones are copies; older logs do not say. */
    readonly forkedFrom?: { readonly threadId: string; readonly seq: number; readonly events?: number };
    /** The agent failed its check before the run, and somebody said why it was to start all the same. */
    readonly unchecked?: Unchecked;
  };
  step_completed: {
    readonly key: string;
    readonly attempt: number;
    readonly durationMs: number;
    readonly result: Stored;
  };
  step_failed: {
    readonly key: string;
    readonly attempt: number;
    readonly durationMs: number;
    readonly error: ErrorInfo;
    /** When it is tried again; `null` when the failure is final and goes to the flow. */
    readonly retryAt: string | null;
  };
  decision_made: {
    readonly key: string;
    readonly attempt: number;
    readonly durationMs: number;
    readonly decision: Decision;
    readonly model: string;
    readonly usage: Usage;
    readonly window: WindowRecord;
    /** How the output was brought into form before it was read, in the order of the repairs. */
    readonly repairs?: readonly string[];
    /** What the provider, or the comparison with the bytes on the wire, warned of. */
    readonly warnings?: readonly string[];
    readonly wire?: WireRecord;
    /** From the call to the first token, when it was streamed. */
    readonly firstTokenMs?: number;
    readonly cost?: Cost;
    /** Absent when the agent has no prompt. */
    readonly prompt?: PromptRecord;
  };
  decision_rejected: {
    readonly key: string;
    readonly attempt: number;
    readonly durationMs: number;
    readonly error: ErrorInfo;
    readonly model: string;
    readonly usage: Usage;
    /** When the model is asked again; `null` when a person is asked instead. */
    readonly retryAt: string | null;
    /** When this model may be asked again, as far as its provider said. */
    readonly comesBackAt?: string;
    /** What the model put out, cut to a few thousand characters: for people, and for no window. */
    readonly evidence?: string;
    /** What the model was shown; absent when it was not asked at all. */
    readonly window?: WindowRecord;
    readonly warnings?: readonly string[];
    readonly wire?: WireRecord;
    readonly cost?: Cost;
    /** Absent when the agent has no prompt. */
    readonly prompt?: PromptRecord;
  };
  /** The provider says, or shows, that the input did not fit its context; a `decision_rejected` follows. */
  overflow_reported: {
    readonly key: string;
    readonly attempt: number;
    readonly model: string;
    /** What the provider said; how it showed when it said nothing. */
    readonly message: string;
    /** The window's own count of what was sent. */
    readonly sentTokens: number;
    /** The model's limit, where the message names it. */
    readonly limitTokens: number | null;
  };
  /** A model told earlier steps in short, for windows from here on; or it could not, and the extract is used. */
  window_compacted: {
    /** The decision that needed the room. */
    readonly key: string;
    readonly durationMs: number;
    readonly model: string;
    readonly usage: Usage;
    readonly cost?: Cost;
    /** The summary stands for what came before this `seq`. */
    readonly toSeq: number;
    /** `null` when the model gave none that can be used; `error` says why. */
    readonly summary: string | null;
    readonly error?: ErrorInfo;
  };
  /** Something to remember that the flow wrote down. */
  note_added: {
    readonly key: string;
    readonly text: string;
    /** It stays word for word in every later window. */
    readonly pinned: boolean;
  };
  action_proposed: {
    readonly key: string;
    readonly callId: string;
    readonly tool: string;
    readonly toolVersion: string;
    /** Validated: exactly what runs, and what the digest covers. */
    readonly args: Json;
    /** As asked for, when validation changed them (defaults, coercion). */
    readonly requested?: Json;
    readonly digest: string;
    /** As declared; absent when undeclared, which is held. */
    readonly risk?: Risk;
    readonly effect: Effect;
    readonly gate: GateOutcome;
    /** Of the gate's rules in shadow mode, those that would have decided. Absent when there is none. */
    readonly shadow?: readonly ShadowOutcome[];
  };
  /** The gate, validation, a person or the deadline refused; nothing ran. */
  action_denied: {
    readonly key: string;
    readonly deniedBy: "gate" | "validation" | "person" | "deadline";
    /** The principal, when a person refused. */
    readonly by?: string;
    readonly why: string;
  };
  action_started: {
    readonly key: string;
    readonly attempt: number;
    readonly digest: string;
    readonly idempotencyKey: string;
    /** What it adds to cumulative limits; later attempts add nothing. Absent where there is none. */
    readonly counts?: readonly Count[];
  };
  action_completed: {
    readonly key: string;
    readonly attempt: number;
    readonly durationMs: number;
    readonly result: Stored;
    /** Who says so when it was not the tool's own return: its `verify`, or a person. */
    readonly settledBy?: string;
  };
  action_failed: {
    readonly key: string;
    readonly attempt: number;
    readonly durationMs: number;
    readonly error: ErrorInfo;
    readonly settledBy?: string;
  };
  action_in_doubt: { readonly key: string; readonly attempt: number; readonly why: string };
  /** A person says that an action which started was wrong; also after the thread's end, and once per person. */
  action_flagged: { readonly key: string; readonly by: string; readonly why: string };
  request_opened: {
    readonly requestId: string;
    readonly key: string;
    readonly kind: RequestKind;
    /** What the person is asked, in one or two sentences. */
    readonly question: string;
    /** The verdicts that this request takes. */
    readonly choices: readonly VerdictKind[];
    /** Principals and `role:x`; nobody named: anybody with access to the store. */
    readonly approvers: readonly string[];
    /** Approvals that it takes. Default 1. */
    readonly quorum?: number;
    /** Who started the thread; and whether they may decide. Older logs say neither. */
    readonly requesters?: readonly string[];
    readonly requesterMayDecide?: boolean;
    readonly expiresAt: string | null;
    /** When people are reminded, and when more are asked, before that. */
    readonly remindAt?: readonly string[];
    readonly escalateAt?: readonly { readonly at: string; readonly to: readonly string[] }[];
    /** Why a person is needed: the gate's reason, or an escalation's. */
    readonly why: string;
    /** Why it is asked again, when a person had decided before. */
    readonly again?: string;
    readonly reason?: EscalationReason;
    /** What the agent did before, in at most 8 lines and 800 characters; secrets redacted. */
    readonly soFar?: readonly string[];
    /** What led to an escalation, as it came, cut to a few thousand characters: for people, and for no window. */
    readonly evidence?: string;
    /** What would run, for an approval: the digest covers tool, version and arguments. */
    readonly action?: {
      readonly tool: string;
      readonly toolVersion: string;
      readonly args: Json;
      readonly digest: string;
      readonly risk?: Risk;
    };
    /** What the tool says the action would do, in at most 1,000 characters; or that it could not say. */
    readonly preview?:
      | { readonly text: string; readonly failed?: never }
      | { readonly failed: string; readonly text?: never };
    /** Where arguments come from, of at most 40 of them. */
    readonly sources?: readonly ArgumentSource[];
    /** The call was made by the agent's code, not by its model. */
    readonly byCode?: boolean;
    /** JSON Schema of the answer, for a question that has one. */
    readonly answerSchema?: Json;
  };
  request_decided: {
    readonly requestId: string;
    readonly key: string;
    readonly verdict: Verdict;
    /** The principal who decided. */
    readonly by: string;
    /** The channel it came through. */
    readonly via: string;
    /** For approvals: the digest of what was approved; for an edit, of the edited action. */
    readonly digest?: string;
    /** The approver, person or role, as whom they decided; absent where nobody is named. */
    readonly as?: string;
    /** Everyone who approved, `by` included, where it took more than one. */
    readonly voters?: readonly string[];
    readonly deciders?: Deciders;
  };
  /** One of the approvals that a request needs; the last one decides it instead. */
  request_voted: {
    readonly requestId: string;
    readonly key: string;
    readonly verdict: Extract<Verdict, { kind: "approve" }>;
    readonly by: string;
    readonly via: string;
    readonly as?: string;
    readonly digest?: string;
    readonly deciders: Deciders;
  };
  /** Nobody decided so far: channels tell the approvers again. */
  request_reminded: {
    readonly requestId: string;
    readonly key: string;
    /** How many of `remindAt` have passed; those that were missed together count as one reminder. */
    readonly reminders: number;
    /** When the request next needs something done; `null`: never. */
    readonly nextAt: string | null;
    readonly deciders: Deciders;
  };
  /** Nobody decided so far: others may, besides those before. */
  request_escalated: {
    readonly requestId: string;
    readonly key: string;
    /** Who may decide from here on, besides. */
    readonly to: readonly string[];
    readonly nextAt: string | null;
    readonly deciders: Deciders;
  };
  request_expired: { readonly requestId: string; readonly key: string; readonly deciders?: Deciders };
  /** An answer that the flow's schema took, as the schema makes it. */
  answer_accepted: {
    readonly key: string;
    readonly requestId: string;
    readonly value: Json;
    readonly by: string;
  };
  /** Of a standing approval: one of its uses is spent on this action. The same action spends no second one. */
  standing_used: {
    readonly usedBy: { readonly threadId: string; readonly key: string };
    readonly digest: string;
    /** The request of that thread which it answers. */
    readonly requestId: string;
  };
  timer_set: { readonly key: string; readonly dueAt: string };
  timer_fired: { readonly key: string };
  wait_started: { readonly key: string; readonly signal: string; readonly expiresAt: string | null };
  signal_received: {
    readonly signalId: string;
    readonly signal: string;
    readonly value: Json;
    readonly by: string;
  };
  child_started: {
    readonly key: string;
    readonly childId: string;
    readonly agent: string;
    readonly input: Stored;
  };
  child_completed: { readonly key: string; readonly childId: string; readonly outcome: ChildOutcome };
  limit_reached: {
    readonly key: string;
    readonly limit: LimitName;
    /** What the limit counts for: the limit's name, or with a tool's name where each tool has its own count. */
    readonly scope: string;
    readonly value: number;
    readonly max: number;
  };
  /** A person said that a recorded operation which the flow no longer makes needs no counterpart (`flow_changed`). */
  operation_handled: { readonly key: string; readonly by: string; readonly why: string };
  thread_completed: {
    readonly output: Stored;
    /** What the agent's own `accept` said of it then; absent where the agent has none. */
    readonly accepted?: boolean;
    /** Why the check gave no verdict of its own: it threw, took too long, or returned something else. Not accepted. */
    readonly why?: string;
  };
  thread_failed: { readonly error: ErrorInfo };
  thread_cancelled: { readonly by: string; readonly why: string };
}

export type EventType = keyof EventBodies;

/** An event before it has a place in a log. */
export type EventBody = {
  [Type in EventType]: { readonly type: Type; readonly v: 1 } & EventBodies[Type];
}[EventType];

/** An immutable fact at position `seq` (from 1) of one thread's log, appended at `at` (ISO 8601, UTC). */
export type ThreadEvent = EventBody & { readonly seq: number; readonly at: string };

export type EventOf<Type extends EventType> = Extract<ThreadEvent, { readonly type: Type }>;

/** Builds an event of the current version. */
export function event<Type extends EventType>(
  type: Type,
  body: EventBodies[Type],
): { readonly type: Type; readonly v: 1 } & EventBodies[Type] {
  return { type, v: 1, ...body };
}
