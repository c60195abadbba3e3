// Words that mix alphabets whose letters look alike: `pаypal.com` with a Cyrillic а is another address.

/** Alphabets with letters that pass for those of another. Chinese beside Latin, say, deceives nobody. */
const scripts: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["Latin", /\p{Script=Latin}/u],
  ["Cyrillic", /\p{Script=Cyrillic}/u],
  ["Greek", /\p{Script=Greek}/u],
  ["Armenian", /\p{Script=Armenian}/u],
  ["Cherokee", /\p{Script=Cherokee}/u],
  ["Coptic", /\p{Script=Coptic}/u],
  ["Lisu", /\p{Script=Lisu}/u],
];

/** Addresses and host names are one word: their parts may be of one alphabet each. */
const words = /[\p{L}\p{M}\p{N}._@-]+/gu;
const plain = /^\p{ASCII}+$/u;

/** Of one text; who shows as many says that there may be more. */
export const mostWords = 10;
const mostLetters = 8;
const mostCharacters = 80;

/** One line per word of `text` that mixes such alphabets, naming the letters that are not of its first one. */
export function lookAlikes(text: string): readonly string[] {
  const lines = new Set<string>();
  for (const [found] of text.matchAll(words)) {
    if (plain.test(found)) continue;
    const line = mixedLine(found);
    if (line !== null) lines.add(line);
    if (lines.size >= mostWords) break;
  }
  return [...lines];
}

function mixedLine(found: string): string | null {
  const used = scripts.filter(([, pattern]) => pattern.test(found));
  if (used.length < 2) return null;
  const [main] = [...used].sort((one, other) => lettersOf(found, other[1]) - lettersOf(found, one[1]));
  const odd = used.filter((script) => script !== main);
  const letters = odd.flatMap(([name, pattern]) =>
    [...new Set([...found].filter((letter) => pattern.test(letter)))].map(
      (letter) =>
        `${letter} is ${name} (U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")})`,
    ),
  );
  return `“${found.slice(0, mostCharacters)}”: ${letters.slice(0, mostLetters).join(", ")}`;
}

function lettersOf(found: string, pattern: RegExp): number {
  return [...found].filter((letter) => pattern.test(letter)).length;
}
