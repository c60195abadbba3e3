/** What became of a call. */
export type ModelFailureKind =
  /** The input does not fit the model. */
  | "overflow"
  /** Too many calls or tokens for now. */
  | "throttled"
  /** The provider has too much to do. */
  | "overloaded"
  /** The account's credit or allowance is used up. */
  | "quota"
  | "unauthorized"
  | "not_found"
  | "invalid_request"
  /** The provider's filter refuses the input, or holds the output back. */
  | "content_filter"
  /** The provider failed. */
  | "server"
  /** No connection, or it broke before an answer. */
  | "network"
  /** No trusted connection. */
  | "tls"
  | "timeout"
  /** The answer broke off. */
  | "interrupted"
  /** An answer that is none: a web page, or no valid output. */
  | "garbled"
  | "unknown";

/** One message, or one shape of it. The first row that matches counts. */
export interface FailureRow {
  readonly kind: ModelFailureKind;
  readonly from: string;
  /** Only with these HTTP statuses. Default: whatever the status, or none. */
  readonly status?: readonly number[];
  /**
   * Against the messages, a line each, and the body's `key=value` lines. Of its groups, `limit` and `sent` are tokens,
   * and `more` is sent as well: what was reserved for the output.
   */
  readonly pattern: RegExp;
  /** What to do, where the kind's own advice would mislead. */
  readonly fix?: string;
  /** Where the message was seen: an issue on github.com, `owner/name#number`, or an address. */
  readonly source: string;
}
