/** What stands for an id in a path. */
const idShapes: readonly RegExp[] = [
  /^\d+$/,
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, // a UUID
  /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i, // a ULID
  /^(?=.*\d)[0-9a-f]{8,}$/i, // a hash, an ObjectId
  /^\d{4}-\d\d(?:-\d\d(?:[T ].*)?)?$/, // a date
  /^[A-Za-z]{1,12}[-_](?=.*\d)(?!v\d)[A-Za-z0-9]{3,}$/, // ord_8sk2x, A-1234
  /^[a-z]{2,8}_(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9]{8,}$/, // cus_NffrFeUfNV
  /^(?=.*\d)[\w-]{18,}={0,2}$/, // a token, a pod
  /^\d+(?:[,;]\d+)+$/, // several
];

/** True of a word that names one thing among many: a number, UUID, ULID, hash, date, prefixed id or long token. */
function isId(word: string): boolean {
  return word.length <= 2_000 && idShapes.some((shape) => shape.test(word));
}

const maxPath = 120;

/**
 * A URL or path as the name of what was called: `https://u:p@shop.example.com:8443/users/123?x=1` becomes
 * `shop.example.com:8443/users/{id}?x`. The scheme, credentials and fragment go; ids and e-mail addresses become
 * `{id}`; query parameters keep their names, without values.
 */
export function templateEndpoint(url: string): string {
  const [whole = ""] = url.split("#", 1);
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?([\s\S]*)$/i.exec(whole) ?? [];
  const [place = "", query = ""] = splitOnce(rest, "?");
  const start = scheme === "" ? 0 : hostEnd(place);
  const host = place.slice(0, start).replace(/^.*@/, "");
  const path = place.slice(start).slice(0, 1_000).split("/").map(templateSegment).join("/");
  const names = query
    .slice(0, 1_000)
    .split("&")
    .flatMap((pair) => pair.split("=", 1))
    .filter((name) => /^[\w.[\]$-]{1,30}$/.test(name) && !isId(name))
    .slice(0, 5);
  const short = path.length > maxPath ? `${path.slice(0, maxPath)}…` : path;
  return `${host}${short === "/" ? "" : short}${names.length === 0 ? "" : `?${names.join("&")}`}` || "/";
}

function hostEnd(place: string): number {
  const slash = place.indexOf("/");
  return slash < 0 ? place.length : slash;
}

function splitOnce(text: string, by: string): readonly [string, string] {
  const at = text.indexOf(by);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function templateSegment(segment: string): string {
  if (segment === "") return segment;
  if (isId(segment) || /[^@](?:@|%40)[^@]{1,200}\./i.test(segment)) return "{id}";
  const called = /^([A-Za-z_.]{1,60})\(([^()]{0,200})\)$/.exec(segment); // OData: Orders(17)
  if (called) return `${called[1]}({id})`;
  const named = /^([^.:]{1,200})([.:])(.{1,200})$/.exec(segment); // 123.json, users:123
  if (!named) return segment;
  const [, first = "", mark = "", last = ""] = named;
  return `${isId(first) ? "{id}" : first}${mark}${isId(last) ? "{id}" : last}`;
}

/** Words whose quoted neighbour is the cause itself: `relation "orders"` is not `relation "users"`. */
const naming =
  /(?:relation|table|column|constraint|index|schema|function|type|module|package|property|properties|attribute|field|parameter|argument|variable|database|role|container|image|reading|command|key|KeyError:|collection|method)[ :]{1,2}$/i;

/** Numbers that name a cause: `ORA-00942`, `exit code 137`, `SQLSTATE[23505]`. */
const named =
  /(?:\b(?:ORA|PLS|TNS)-\d{5}|\bSQLSTATE[ [:]{1,2}\w{5}|\b(?:E|TS|PX|P)\d{4,5}\b|\b(?:exit (?:code|status)|exited with|errno|Msg|Error|ERROR|code)[ :]\d{1,5}\b)/
    .source;

const variable = new RegExp(
  [
    `(?<named>${named})`,
    /(?<url>\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>)\]},]{1,2000})/.source,
    /(?<quoted>"[^"\n]{0,500}"|'[^'\n]{0,500}'(?![a-z])|`[^`\n]{0,500}`)/.source,
    /(?<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?)/.source,
    /(?<email>(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+)/.source,
    /(?<address>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b|\[?(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){3,7}\]?(?::\d{1,5})?)/
      .source,
    /(?<word>[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)/.source,
  ].join("|"),
  "gi",
);

/**
 * A text with what changes from one failure to the next replaced: `user 17 "ann"` becomes `user {n} {value}`. Quoted
 * names of tables, columns, fields and the like stay, since they are the cause.
 */
export function templateText(text: string): string {
  return text.replace(variable, (match, ...rest) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>; // the last argument, when groups are named
    const at = rest.at(-3) as number; // the offset comes before the whole text and the groups
    if (groups.named !== undefined) return match;
    if (groups.url !== undefined) return templateEndpoint(match);
    if (groups.quoted !== undefined) return templateQuoted(match, text.slice(Math.max(0, at - 16), at));
    if (groups.word !== undefined) return templateWord(match);
    return groups.time !== undefined ? "{time}" : groups.email !== undefined ? "{email}" : "{address}";
  });
}

function templateQuoted(quoted: string, before: string): string {
  if (!naming.test(before)) return "{value}";
  return quoted.slice(1, -1).split(/\b/).map(templateWord).join("");
}

function templateWord(word: string): string {
  if (/^0x[0-9a-f]+$/i.test(word)) return "{id}";
  if (/^\d+(?:ms|s|m|h|kb|mb|gb|mi|gi|k)?$/i.test(word)) return "{n}";
  if (isId(word)) return "{id}";
  return word.replace(/\d+$/, (digits) =>
    /^(?:utf|v|http|h|ipv|sha|md|s|ec|base)$/i.test(word.slice(0, -digits.length)) ? digits : "{n}",
  );
}
