import type { ErrorInfo } from "./errors.ts";
import type {
  ArgumentSource,
  ChildOutcome,
  Cost,
  Count,
  Deciders,
  Decision,
  Effect,
  EscalationReason,
  GateOutcome,
  LimitName,
  PromptRecord,
  RequestKind,
  Risk,
  ShadowOutcome,
  Stored,
  Unchecked,
  Usage,
  Verdict,
  VerdictKind,
  WireRecord,
} from "./event-values.ts";
import type { Json } from "./json.ts";
import type { WindowRecord } from "./window/window-record.ts";

export type * from "./event-values.ts";

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
