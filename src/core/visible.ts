// What a terminal would obey, or would not show, can make a person approve something else than they read.

/**
 * Control and format characters (ANSI escapes, bidirectional overrides), what has no glyph (zero width, tags, fillers,
 * the blank of Braille), line and paragraph separators, private use, lone surrogates. Not: line feed, tab, and the two variation selectors
 * that ordinary emoji carry.
 */
const invisible =
  /(?![\n\t]|\uFE0E|\uFE0F)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Most text is no more than this, and is told from it five times as fast. */
const plain = /^[\n\t\x20-\x7e]*$/;

/**
 * Text as it may be shown: every character that is invisible, or that a terminal obeys, is written as `\u001b`.
 * The escapes are JSON's, so JSON text stays JSON of the same value.
 */
export function visible(text: string): string {
  if (plain.test(text)) return text;
  return text.replace(invisible, escapeUnits);
}

function escapeUnits(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
