// What a thread's events add up to. Only the fold (`evolve.ts`) writes to it.
import type { ErrorInfo } from "./errors.ts";
import type { Decision, EscalationReason, EventOf, Stored, Verdict, Vote } from "./events.ts";
import type { ActionResult, AskResult, OperationKind, WaitResult } from "./flow.ts";
import type { Calibration, WindowPart, WindowRecord } from "./window/window-record.ts";

/** What an operation gave, as its promise in the flow will. */
export type Outcome =
  | { readonly kind: "value"; readonly stored: Stored }
  | { readonly kind: "error"; readonly error: ErrorInfo }
  | { readonly kind: "decision"; readonly decision: Decision }
  | { readonly kind: "action"; readonly status: ActionResult["status"]; readonly event: ActionEnd }
  | { readonly kind: "ask"; readonly result: AskResult }
  | { readonly kind: "wait"; readonly result: WaitResult };

export type ActionEnd = EventOf<"action_completed"> | EventOf<"action_failed"> | EventOf<"action_denied">;

/** One operation as the log knows it. */
export interface Operation {
  readonly key: string;
  /** The first event that names it. */
  readonly seq: number;
  /** Tries so far, of a step or a decision. */
  attempt: number;
  /** When the next try is due. */
  retryAt: string | null;
  /** Tries that failed since a person last said to go on, apart by cause. */
  invalidOutputs: number;
  modelFailures: number;
  /** How often the provider said that the input did not fit, since a person last said to go on. */
  overflows: number;
  /** The model that last said so, and the tokens that it was sent. */
  overflow: { readonly model: string; readonly sentTokens: number } | null;
  lastError: ErrorInfo | null;
  /** Of the failures that may be gone at another time: which one each was, and when, if its provider said so. */
  comebacks: readonly Comeback[];
  /** What was wrong with the last output that did not validate, for the model. */
  correction: string | null;
  /** What the model put out each time that it was unusable, since a person last said to go on. */
  evidence: readonly string[];
  proposal: EventOf<"action_proposed"> | null;
  start: EventOf<"action_started"> | null;
  inDoubt: boolean;
  /** Who said of an action that it was wrong. */
  flaggedBy: readonly string[];
  /** The newest request that names this operation, and how many there were. */
  request: RequestState | null;
  requests: number;
  dueAt: string | null;
  child: EventOf<"child_started"> | null;
  settled: { readonly seq: number; readonly outcome: Outcome } | null;
}

export interface Comeback {
  /** `modelFailures` when it was counted. */
  readonly failure: number;
  readonly at: string | null;
}

export interface RequestState {
  readonly opened: EventOf<"request_opened">;
  readonly reason: EscalationReason | undefined;
  verdict: Verdict | null;
  decided: EventOf<"request_decided"> | null;
  status: "open" | "decided" | "expired";
  /** Who may decide now. */
  approvers: readonly string[];
  votes: readonly Vote[];
  /** How many of its times for reminders and escalations were dealt with. */
  reminded: number;
  escalated: number;
  /** A runtime acted on the verdict: an approval started its action, a `continue` gave its allowance. */
  used: boolean;
}

export type ThreadEnd = EventOf<"thread_completed"> | EventOf<"thread_failed"> | EventOf<"thread_cancelled">;

export interface ThreadState {
  started: EventOf<"thread_started"> | null;
  /** Last `seq`. */
  head: number;
  end: ThreadEnd | null;
  readonly operations: Map<string, Operation>;
  readonly handled: Set<string>;
  /** Escalations about the flow as a whole. */
  flowRequest: RequestState | null;
  flowRequests: number;
  readonly requests: Map<string, RequestState>;
  readonly signals: Map<string, EventOf<"signal_received">[]>;
  /** Signals already given to a wait, per name. */
  readonly signalsTaken: Map<string, number>;
  /** Keys that wait for a signal, per name. More than one only when a race left some behind. */
  readonly openWaits: Map<string, string[]>;
  /** Decisions in order: what the window is made of. */
  readonly turns: EventOf<"decision_made">[];
  /** Action keys by the id of the call. */
  readonly actionByCall: Map<string, string>;
  /** What else the model is shown, besides its own calls: answers, signals, notes, actions made by code. */
  readonly notes: Note[];
  /** What a large value may be read from again by its reference: inputs, results, answers, signals, in the log's order. */
  readonly values: KeptValue[];
  decisions: number;
  tokens: number;
  activeMs: number;
  readonly toolFailures: Map<string, number>;
  lastDigest: string | null;
  digestRun: number;
  /** Sums of the gate's limits per thread, by name: of what has started. */
  readonly counted: Map<string, number>;
  /** How often a person let a limit pass, by scope. */
  readonly allowances: Map<string, number>;
  readonly lastLimit: Map<string, string>;
  /** What models have said of their own limits, in tokens. */
  readonly contextLimits: Map<string, number>;
  /** By model: how far its provider's count of tokens is above ours. */
  readonly calibrations: Map<string, Calibration>;
  readonly notesByKey: Map<string, EventOf<"note_added">>;
  /** The newest summary by a model, or its failure. */
  compaction: EventOf<"window_compacted"> | null;
  /** The newest summary that could be used: the next one goes on from it, whatever failed in between. */
  lastSummary: { readonly toSeq: number; readonly text: string } | null;
  /** Of the newest model call, with the `seq` of its end. */
  lastWindow: { readonly seq: number; readonly record: WindowRecord } | null;
  /** Some window showed a value by reference: from then on the model can read it. */
  showsReferences: boolean;
  /** All parts of the newest windows, by the `seq` of their call's end. */
  readonly windows: Map<number, readonly WindowPart[]>;
}

export interface Note {
  readonly seq: number;
  readonly kind: "ask" | "signal" | "action" | "note";
  readonly key: string;
}

/** A value that the log holds. */
export interface KeptValue {
  readonly seq: number;
  /** The operation that gave it; `input`, or `signal:paid`. */
  readonly from: string;
  readonly stored: Stored;
}

/** The pseudo-key of requests about a whole flow. */
export const flowKey = "flow";

export function initialState(): ThreadState {
  return {
    started: null,
    head: 0,
    end: null,
    operations: new Map(),
    handled: new Set(),
    flowRequest: null,
    flowRequests: 0,
    requests: new Map(),
    signals: new Map(),
    signalsTaken: new Map(),
    openWaits: new Map(),
    turns: [],
    actionByCall: new Map(),
    notes: [],
    values: [],
    decisions: 0,
    tokens: 0,
    activeMs: 0,
    toolFailures: new Map(),
    lastDigest: null,
    digestRun: 0,
    counted: new Map(),
    allowances: new Map(),
    lastLimit: new Map(),
    contextLimits: new Map(),
    calibrations: new Map(),
    notesByKey: new Map(),
    compaction: null,
    lastSummary: null,
    lastWindow: null,
    showsReferences: false,
    windows: new Map(),
  };
}

/** An operation that its first event, at `seq`, has just named. */
export function initialOperation(key: string, seq: number): Operation {
  return {
    key,
    seq,
    attempt: 0,
    retryAt: null,
    invalidOutputs: 0,
    modelFailures: 0,
    overflows: 0,
    overflow: null,
    lastError: null,
    comebacks: [],
    correction: null,
    evidence: [],
    proposal: null,
    start: null,
    inDoubt: false,
    flaggedBy: [],
    request: null,
    requests: 0,
    dueAt: null,
    child: null,
    settled: null,
  };
}

/** A key is its path (the kind, and an optional name after a colon), and the occurrence after `#`. */
export function operationPath(kind: OperationKind, name: string | undefined): string {
  return name === undefined ? kind : `${kind}:${name}`;
}

export function operationKey(path: string, occurrence: number): string {
  return `${path}#${occurrence}`;
}

export function kindOfKey(key: string): OperationKind {
  return (/^[a-z]+/.exec(key)?.[0] ?? "step") as OperationKind; // keys are made by operationKey only
}
