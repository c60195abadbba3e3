import type { ModelInput } from "../../ports/model.ts";

/** In what a request may differ from the model input that it is made of. */
export type WireDifferenceKind =
  | "tool_added"
  | "tool_missing"
  | "tool_changed"
  /** The model may not choose freely whether it calls a tool. */
  | "choice_changed"
  | "text_added"
  | "text_missing"
  | "text_changed"
  /** Text, calls and results: sent, but in another place. */
  | "moved"
  | "call_added"
  | "call_missing"
  | "call_changed"
  | "result_added"
  | "result_missing"
  | "result_changed"
  /** The provider adds, or takes away, by reference: a stored conversation, a cached prompt, a file. */
  | "context_added"
  | "limit_missing"
  | "limit_changed"
  | "schema_added"
  | "schema_dropped"
  | "schema_changed"
  /** Temperature and the like. */
  | "setting_added"
  /** A member that nobody asked for, holds no text, and is not known: a warning. */
  | "member_added"
  /** A request in no form that is known here, of which little can be said: a warning. */
  | "form_unknown";

export interface WireDifference {
  readonly kind: WireDifferenceKind;
  /** One line for people: what was sent, and what the window asked for. */
  readonly what: string;
}

/** What a request is held against. */
export interface WireExpectation {
  readonly input: ModelInput;
  /**
   * Settings that were asked for besides, such as the provider options of the call. They explain settings only: text,
   * tools and context come from the window, whoever asks.
   */
  readonly asked?: unknown;
}

/** The differences that only warn, in strict mode too: what providers' packages come to add must not stop every thread. */
const warnings: ReadonlySet<WireDifferenceKind> = new Set(["member_added", "form_unknown"]);

/** Whether strict mode refuses to send a request with this difference. */
export function isRefused({ kind }: WireDifference): boolean {
  return !warnings.has(kind);
}

const maxQuoted = 60;

/** Text as a difference shows it: one line, cut short. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= maxQuoted ? text : `${text.slice(0, maxQuoted)}…`);
}
