/** Counts tokens of text. What leaks through: an estimate may be off; exact tokenizers plug in here. */
export interface TokenCounter {
  readonly name: string;
  count(text: string): number;
}
