/** One thing that was not as the case expects. */
export interface TrialFinding {
  /** The member of the case or suite that says so, such as `expect.result` or `never[0]`. */
  readonly rule: string;
  readonly message: string;
  /** The event where it shows, where there is one. */
  readonly threadId?: string;
  readonly seq?: number;
}
