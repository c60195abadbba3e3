/** What is counted one by one, at the time of its event. */
export type FactKind =
  /** A provider said, or showed, that an input did not fit. */
  | "overflow"
  /** A model call whose window had to be shrunk further than those before it. */
  | "overflow_prevented"
  /** The gate held an action; each action once. */
  | "held"
  /** Refused, so that nothing ran: by the gate, by validation, by a person, because nobody answered in time. */
  | "denied_gate"
  | "denied_validation"
  | "denied_person"
  | "denied_deadline"
  /** A model's output that was no valid decision. */
  | "invalid_output"
  | "limit"
  /** A critical action (held, or of high risk) started for the first time. */
  | "critical"
  /** Of these, what follows counts at the time of that start: nobody was asked, since the gate let it run … */
  | "critical_allowed"
  /** … it was to have an approval of exactly what ran, and had none … */
  | "critical_unapproved"
  /** … and it was a misoperation: without its approval, or flagged by a person. */
  | "misoperation"
  /** A person flagged an action, critical or not. */
  | "flagged"
  /** A person decided a request; `amount` is how long it was open, in milliseconds. */
  | "answered"
  /** A standing approval did. */
  | "answered_standing"
  /** A request that nobody answered in time. */
  | "unanswered";

export interface Fact {
  /** Of the event that it counts at: one of a kind for each. */
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly kind: FactKind;
  readonly amount: number;
}

/** What a thread is counted with when it ends. Times in milliseconds. */
export interface ThreadNumbers {
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
  readonly outcome: "completed" | "failed" | "cancelled";
  /** By the agent's own check; `null` where there is none. */
  readonly accepted: boolean | null;
  /** From start to end. */
  readonly wallMs: number;
  /** Of that, how long it only waited: for people, timers, signals, children or a next try. */
  readonly waitingMs: number;
  /** In steps, models and tools, added up. */
  readonly activeMs: number;
  /** Requests that went to people. */
  readonly asked: number;
  readonly modelCalls: number;
  /** Calls of models whose price is not known: they are not in the cost. */
  readonly unpricedCalls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** In billionths of a US dollar, so that sums are exact. */
  readonly nanoUsd: number;
}
