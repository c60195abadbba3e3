// Which sentences of a text hold what later steps may need: numbers, names, codes, dates, addresses, statements about
// the one who speaks. No language model and no locale: the same text gives the same choice everywhere.

/** What makes a sentence worth its room. Weights were set by hand, and checked on the conversations of BFCL's memory. */
const signs: readonly (readonly [weight: number, sign: RegExp])[] = [
  [3, /\d[\d.,:/-]*%?/g], // numbers, dates, times, shares
  [2, /[$€£¥]\s?\d/g],
  [3, /[\w.+-]{1,64}@[\w-]{1,64}\.\w{2,}/g],
  [3, /\b(?=\w{0,40}\d)(?=\w{0,40}[A-Za-z])\w{4,40}\b/g], // codes, such as A7X-31
  [2, /(?<=[\p{Ll}\d,;:'’"”)] )\p{Lu}[\p{L}’'-]+/gu], // names within a sentence
  [2, /["“][^"”\n]{2,60}["”]/g],
  [1, /\b(?:my|our|I'm|I am|I've|I have|we|mine)\b/gi],
  [1, /\b(?:must|never|always|only|prefer|favou?rite|decided|agreed|because|deadline|called|named)\b/gi],
];

/** Room that is worth a point: longer sentences need more signs. */
const roomPerPoint = 40;

interface Sentence {
  readonly at: number;
  readonly text: string;
  readonly worth: number;
}

/** The parts of a text worth keeping within `maxCharacters`, in their order, with `…` where something was left out. */
export function salientText(text: string, maxCharacters: number): string {
  const whole = text.trim();
  if (whole.length <= maxCharacters) return whole;
  const sentences = sentencesOf(whole);
  const chosen = choose(sentences, maxCharacters);
  const shown: string[] = [];
  for (const [index, { at, text: each }] of chosen.entries()) {
    const before = chosen[index - 1];
    if (at > (before ? before.at + 1 : 0)) shown.push("…");
    shown.push(each);
  }
  if ((chosen.at(-1)?.at ?? -1) < sentences.length - 1) shown.push("…");
  return shown.join(" ");
}

/** Sentences and lines; the rest of a huge text is left out unseen. */
export function sentencesOf(text: string): readonly Sentence[] {
  return text
    .slice(0, 200_000)
    .split(/(?<=[.!?])\s+|\n+/)
    .flatMap(inPieces)
    .map((each) => each.trim())
    .filter((each) => each !== "")
    .map((each, at) => ({ at, text: each, worth: worthOf(each) }));
}

/** What has no end for long is cut at a blank near every 300 characters. */
function inPieces(text: string): readonly string[] {
  if (text.length <= 300) return [text];
  return text.match(/[\s\S]{1,300}(?=\s|$)|[\s\S]{1,300}/g) ?? [];
}

/** Points of a sentence for its room. */
function worthOf(text: string): number {
  let points = 0;
  for (const [weight, sign] of signs) points += weight * Math.min(5, text.match(sign)?.length ?? 0);
  return points / (roomPerPoint + text.length);
}

function choose(sentences: readonly Sentence[], maxCharacters: number): readonly Sentence[] {
  const best = [...sentences].sort((left, right) => right.worth - left.worth || left.at - right.at);
  const chosen: Sentence[] = [];
  let room = maxCharacters - 2;
  for (const sentence of best) {
    const size = sentence.text.length + 3; // a blank, and a sign that something is missing
    if (size > room) continue;
    chosen.push(sentence);
    room -= size;
  }
  if (chosen.length > 0) return chosen.sort((left, right) => left.at - right.at);
  const [first] = best;
  if (!first) return [];
  return [{ ...first, text: cut(first.text, maxCharacters - 4) }];
}

/** The first characters; no half of a surrogate pair. */
export function cut(text: string, maxCharacters: number): string {
  return text.slice(0, Math.max(0, maxCharacters)).replace(/[\uD800-\uDBFF]$/, "");
}
