// Tokenizers split text before they merge: into words at changes of case, digits by three, runs of punctuation.
// Counting those pieces needs no vocabulary and comes close. The numbers were fitted to o200k on recorded agent runs,
// tool schemas, source code, 13 languages, hex, base64, UUIDs and dates.
import type { TokenCounter } from "../ports/token-counter.ts";

/**
 * Estimates tokens, rather over than under. Against o200k: 5 to 30 % over on English, code and JSON, 0 to 90 % on other
 * languages, at most 5 % under on random text such as hex, base64 and UUIDs. Linear in time, and it keeps nothing.
 */
export const tokenEstimator: TokenCounter = { name: "estimate", count: estimateTokens };

/** Covers what the pieces get wrong. */
const margin = 1.1;

const symbol = 0;
const lower = 1;
const upper = 2;
const digit = 3;
const space = 4;
const newline = 5;

const asciiKinds = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 97 && code <= 122) return lower;
  if (code >= 65 && code <= 90) return upper;
  if (code >= 48 && code <= 57) return digit;
  if (code === 32 || code === 9) return space;
  return code === 10 || code === 13 ? newline : symbol;
});

function estimateTokens(text: string): number {
  let tokens = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const kind = asciiKinds[code];
    if (kind === undefined) {
      tokens += foreignTokens(code);
      at += 1;
      continue;
    }
    let end = endOfRun(text, at + 1, kind);
    const capital = kind === upper && end === at + 1;
    if (capital) end = endOfRun(text, end, lower);
    tokens += runTokens(capital ? lower : kind, end - at, asciiKinds[text.charCodeAt(end)]);
    at = end;
  }
  return Math.ceil(tokens * margin);
}

function endOfRun(text: string, from: number, kind: number): number {
  let end = from;
  while (end < text.length && asciiKinds[text.charCodeAt(end)] === kind) end += 1;
  return end;
}

/** Vocabularies hold the common short runs; the longer a run, the less likely it is one of them. */
function runTokens(kind: number, length: number, nextKind: number | undefined): number {
  switch (kind) {
    case lower:
      return 1 + 0.3 * within(length, 6, 14) + 0.5 * over(length, 14);
    case upper:
      return 1 + 0.3 * within(length, 1, 6) + 0.55 * over(length, 6);
    case digit:
      return Math.ceil(length / 3);
    case space:
      return length > 1 || nextKind === digit ? 1 : 0; // else it joins what follows
    case newline:
      return 1;
    default:
      if (length === 1) return nextKind === digit ? 1 : 0.7; // 234.34: numbers merge with nothing
      return 1 + 0.25 * within(length, 2, 6) + 0.6 * over(length, 6);
  }
}

function within(length: number, from: number, to: number): number {
  return Math.min(Math.max(0, length - from), to - from);
}

function over(length: number, from: number): number {
  return Math.max(0, length - from);
}

/** Tokens per UTF-16 code unit outside ASCII, by the end of its range. */
const foreignRanges: readonly (readonly [end: number, tokens: number])[] = [
  [0x0100, 0.75], // letters of western Europe, within words
  [0x0250, 1.4], // of central and eastern Europe
  [0x0370, 1],
  [0x0400, 0.5], // Greek
  [0x0530, 0.3], // Cyrillic
  [0x0600, 0.5],
  [0x0780, 0.45], // Arabic
  [0x0900, 1],
  [0x0e00, 0.45], // the scripts of India
  [0x0e80, 0.55], // Thai
  [0x2000, 1.2],
  [0x3000, 1], // punctuation, arrows, boxes, symbols
  [0x3400, 0.9], // kana
  [0xa000, 0.8], // Han
  [0xac00, 1.5],
  [0xd7b0, 0.65], // Hangul
  [0xd83c, 2], // surrogates: rare scripts
  [0xd83f, 1], // surrogates: emoji …
  [0xdc00, 2],
  [0xe000, 1.2], // … and second halves
  [0xf900, 3], // private use
  [0xff00, 1.5],
  [0xfff0, 0.8], // full width
  [0x10000, 1.5],
];

const foreignCosts = new Float32Array(0x10000);
for (const [index, [end, tokens]] of foreignRanges.entries())
  foreignCosts.fill(tokens, foreignRanges[index - 1]?.[0] ?? 0, end);

function foreignTokens(code: number): number {
  return foreignCosts[code] ?? 0; // a code unit is below 0x10000
}
