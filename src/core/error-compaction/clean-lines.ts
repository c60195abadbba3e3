import { visible } from "../visible.ts";
import { maskCredentials } from "./mask-credentials.ts";

/** What is read of one error: its beginning and its end. The log keeps less (see `ErrorInfo`). */
const headLength = 32_000;
const tailLength = 16_000;
/** Lines longer than this are data; what they say is said at their start. JSON is read from the text, not from lines. */
const maxLine = 1_200;
const maxLines = 2_000;

/** The text of an error without credentials, colours, markup and carriage returns; at most about 48,000 characters. */
export function cleanText(raw: string): string {
  const short = ends(raw);
  const plain = short
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours start with one
    .replace(/\u001b\[[0-9;?]{0,20}[A-Za-z]/g, "")
    .replace(/\r\n?/g, "\n");
  return htmlToText(maskCredentials(plain));
}

function ends(text: string): string {
  if (text.length <= headLength + tailLength) return text;
  const tail = text.slice(-tailLength);
  const start = tail.search(/\s/); // half a word may be half a credential, which no pattern knows any more
  const head = text.slice(0, headLength);
  const end = Math.max(head.lastIndexOf("\n"), head.lastIndexOf(" "));
  return `${end < headLength - 4_000 ? head : head.slice(0, end)}\n${start < 0 ? "" : tail.slice(start)}`;
}

/** Dates, levels and logger names that logs put before what they say. */
const prefixes: readonly RegExp[] = [
  /^\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d| UTC| GMT)?\]?[\s:]{0,3}/,
  /^\[?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? \w{3} +\d{1,2} [\d:.]{5,16}(?: \d{4})?\]?\s{0,3}/,
  /^\[\d{1,8}\][:\s]{1,3}/,
  /^[\w.-]{1,40}\.(?:ERROR|CRITICAL|ALERT|EMERGENCY): /,
  /^(?:npm (?:ERR!|error|verbose|info|http|warn)(?: stack)?|E {3}|error\s+-|[│╷╵])\s?/,
];

/** The lines of a cleaned text, each without what a log put before it. Indentation stays: stacks are read by it. */
export function linesOf(text: string): readonly string[] {
  return text
    .split("\n", maxLines * 10)
    .map((line) => prefixes.reduce((left, prefix) => left.replace(prefix, ""), line.slice(0, maxLine)))
    .map((line) => line.replace(/ \[[A-Z][A-Z0-9_]{2,60}\](?=:)/, "")) // Error [ERR_SOCKET]: the code is said again
    .filter((line) => line.trim() !== "")
    .slice(0, maxLines);
}

/** One line of at most `most` characters: no white space twice, nothing that a terminal would obey. */
export function oneLine(text: string, most: number): string {
  const shown = visible(
    text
      .slice(0, most * 4)
      .replace(/\s+/g, " ")
      .trim(),
  );
  return shown.length <= most
    ? shown
    : `${shown
        .slice(0, most - 1)
        .replace(/[\uD800-\uDBFF]$/, "")
        .trimEnd()}…`;
}

const entities: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&#x27;": "'",
  "&nbsp;": " ",
};

/** A page of HTML as its text: title first, a line for each element. Other text is returned as it is. */
function htmlToText(text: string): string {
  const start = text.search(/<(?:!doctype html|html|body|head|center|h1)\b/i);
  if (start < 0) return text;
  const end = text.toLowerCase().lastIndexOf("</html>");
  const page = end < start ? text.slice(start) : text.slice(start, end);
  const plain = ["style", "script", "svg", "noscript"]
    .reduce(withoutElement, page)
    .replace(/<\/?(?:b|i|em|strong|code|a|span|tt|address)\b[^<>]{0,500}>/gi, "")
    .replace(/<[^<>]{0,2000}>/g, "\n")
    .replace(/&(?:amp|lt|gt|quot|#39|#x27|nbsp);/g, (entity) => entities[entity] ?? entity);
  return `${text.slice(0, start)}\n${plain}\n${end < start ? "" : text.slice(end + "</html>".length)}`;
}

function withoutElement(page: string, name: string): string {
  const kept: string[] = [];
  const lower = page.toLowerCase();
  let from = 0;
  for (;;) {
    const open = lower.indexOf(`<${name}`, from);
    const close = open < 0 ? -1 : lower.indexOf(`</${name}`, open);
    if (close < 0) return kept.join("") + page.slice(from);
    kept.push(page.slice(from, open));
    from = close;
  }
}

/** The title of a page of HTML, or `undefined`. */
export function titleOf(raw: string): string | undefined {
  const title = /<title[^<>]{0,200}>([^<]{1,300})</i.exec(raw.slice(0, headLength))?.[1];
  return title === undefined || /^\s*error\s*$/i.test(title) ? undefined : title;
}
