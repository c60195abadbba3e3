/** Counts tokens of text. What leaks through: an estimate may be off; exact tokenizers plug in here. */
export interface TokenCounter {
  readonly name: string;
  /** A whole number from 0 on, at once, the same for the same text. It may not throw: see `soundCounter`. */
  count(text: string): number;
}
