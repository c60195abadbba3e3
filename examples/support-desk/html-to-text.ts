/**
 * The text of an HTML e-mail, for reading only: nothing is run, loaded or styled. Text that the sender hid by styles
 * stays in, since no cheap rule tells it apart for certain; whoever reads the result must not obey it anyway.
 * One pass, so a hostile page costs no more than a long one.
 */
export function htmlToText(html: string): string {
  const lowerCase = html.toLowerCase();
  const parts: string[] = [];
  let at = 0;
  while (at < html.length) {
    const open = indexOrEnd(html, "<", at);
    parts.push(html.slice(at, open).replace(/\s+/g, " "));
    const name = /^<[/!?]?([a-z][a-z0-9]*|--)/.exec(lowerCase.slice(open, open + 20))?.[1];
    if (name === undefined) {
      parts.push(html.slice(open, open + 1)); // a bare "<", or the end
      at = open + 1;
    } else if (name === "--") {
      at = indexOrEnd(html, "-->", open) + 3;
    } else {
      at = indexOrEnd(html, ">", open) + 1;
      if (unread.has(name) && html[open + 1] !== "/") at = indexOrEnd(lowerCase, `</${name}`, at);
      if (breaks.has(name)) parts.push("\n");
    }
  }
  return decodeEntities(parts.join(""))
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

const unread: ReadonlySet<string> = new Set(["script", "style", "template", "title"]);
const breaks: ReadonlySet<string> = new Set(
  "blockquote br div h1 h2 h3 h4 hr li ol p table tr ul".split(" "),
);

function indexOrEnd(text: string, search: string, from: number): number {
  const index = text.indexOf(search, from);
  return index < 0 ? text.length : index;
}

/** The named ones that mail programs write; others stay as they are. */
const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  shy: "",
  euro: "€",
  pound: "£",
  copy: "©",
  reg: "®",
  ndash: "–",
  mdash: "—",
  hellip: "…",
  bull: "•",
  middot: "·",
  deg: "°",
  times: "×",
  lsquo: "‘",
  rsquo: "’",
  sbquo: "‚",
  ldquo: "“",
  rdquo: "”",
  bdquo: "„",
  laquo: "«",
  raquo: "»",
  auml: "ä",
  ouml: "ö",
  uuml: "ü",
  Auml: "Ä",
  Ouml: "Ö",
  Uuml: "Ü",
  szlig: "ß",
  agrave: "à",
  aacute: "á",
  acirc: "â",
  ccedil: "ç",
  egrave: "è",
  eacute: "é",
  ecirc: "ê",
  euml: "ë",
  iacute: "í",
  ntilde: "ñ",
  oacute: "ó",
  ocirc: "ô",
  uacute: "ú",
  ugrave: "ù",
  aring: "å",
  aelig: "æ",
  oslash: "ø",
};

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return entities[name] ?? whole;
      const codePoint = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return codePoint <= 0x10ffff ? String.fromCodePoint(codePoint).toWellFormed() : whole;
    },
  );
}
