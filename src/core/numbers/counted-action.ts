/** A critical action as it is counted: one that was held, or whose risk is high. */
export interface CountedAction {
  readonly key: string;
  isHeld: boolean;
  /** The gate's word on the newest proposal: it may run without asking. */
  isAllowed: boolean;
  /** What the newest approval is for, and whether an action started by it (I5: one approval, one start). */
  approval: { readonly digest: string | undefined; isUsed: boolean } | null;
  firstStart: { readonly seq: number; readonly at: number } | null;
  isUnapproved: boolean;
  isMisoperation: boolean;
}
