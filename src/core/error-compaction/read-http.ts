// What was called and how it answered, in the words of HTTP clients: axios, got, undici, requests, urllib, curl, Spring,
// Faraday, Guzzle, HttpClient, net/http and their like.
import type { ErrorKind } from "./error-kind.ts";
import { templateEndpoint } from "./template-text.ts";

const statuses: readonly RegExp[] = [
  /\b(?:status code|response code|http status|status):? (?:of |does not indicate success: )?\(?([1-5]\d\d)\b/i,
  /\bResponse status code does not indicate success: ([1-5]\d\d)\b/,
  /\bHTTP(?:\/\d(?:\.\d)?|Error| Error| Status| status code)?:?[ (]{1,2}([1-5]\d\d)\b/,
  /\bstatus(?:[-_ ]?code)?["']?\s{0,2}[:=]\s{0,2}["']?([45]\d\d)\b/i,
  /\b(?:returned error|response code|answered|responded with|resulted in a|unexpected (?:status|response)|failed with|got|received)[:`' ]{1,3}(?:HTTP )?([45]\d\d)\b/i,
  /\b([45]\d\d) (?:Client|Server) Error\b/,
  /["'](?:code|statusCode|status_code|http_code|httpStatus)["']\s{0,2}:\s{0,2}"?([45]\d\d)\b/,
  /\b([45]\d\d) (?:Bad Request|Unauthorized|Payment Required|Forbidden|Not Found|Method Not Allowed|Not Acceptable|Request Time-?out|Conflict|Gone|Precondition Failed|Payload Too Large|Request Entity Too Large|Unsupported Media Type|Unprocessable (?:Entity|Content)|Locked|Too Many Requests|Internal Server Error|Not Implemented|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out|Page not found)\b/i,
  /\bE([45]\d\d)\b/, // npm: code E404
  /\b(?:error|Error code|code)[: ]{1,2}([45]\d\d)\b(?! lines| rows| items)/,
];

/** The status of the answer that is spoken of, or `undefined`. Redirects and successes are no failures: only 400 to 599. */
export function readStatus(text: string): number | undefined {
  for (const pattern of statuses) {
    const found = pattern.exec(text)?.[1];
    if (found !== undefined && Number(found) >= 400) return Number(found);
  }
  return undefined;
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  400: "bad_request",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  407: "unauthorized",
  408: "timeout",
  409: "conflict",
  410: "not_found",
  412: "conflict",
  422: "validation",
  429: "rate_limited",
  502: "unavailable",
  503: "unavailable",
  504: "timeout",
};

export function kindOfStatus(status: number): ErrorKind {
  return kinds[status] ?? (status >= 500 ? "server_error" : "http_error");
}

const verb = "(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)";
const targets: readonly RegExp[] = [
  new RegExp(
    `\\b(?<method>${verb})[\\]\`'": ]{1,4}(?:request )?(?:to |for |on )?(?:\\[|["'\`])?(?<url>https?:\\/\\/[^\\s"'\`<>\\])},;]{1,1500})`,
  ),
  /\bconfig\.method: (?<method>[a-z]{3,7})\n(?:config\.baseURL: (?<base>\S{1,500})\n)?config\.url: (?<url>\S{1,1500})/i,
  /\bmethod: ["']?(?<method>[a-z]{3,7})["']?,?\s{1,20}(?:baseURL: \S{1,500}\s{1,20})?url: ["']?(?<url>[^\s"',]{1,1500})/i,
  /\burl: ["']?(?<url>[^\s"',]{1,1500})["']?,\s{1,20}method: ["']?(?<method>[a-z]{3,7})/i,
  new RegExp(
    `\\b(?<method>${verb})[\\]\`'": ]{1,4}(?:request )?(?:to |for |on )?(?:\\[|["'\`])?(?<url>\\/(?!\\/)[^\\s"'\`<>\\])},;]{1,1500})`,
  ),
  /HTTPS?ConnectionPool\(host=['"](?<host>[^'"]{1,200})['"], port=(?<port>\d{1,5})\).{0,200}?with url: (?<url>[^\s()]{1,1500})/,
  /HTTPS?ConnectionPool\(host=['"](?<host>[^'"]{1,200})['"], port=(?<port>\d{1,5})\)/,
  /\b(?:for url|requested url|url|uri|request to|fetch)[:= ]{1,2}["'`]?(?<url>https?:\/\/[^\s"'`<>)\]},;]{1,1500})/i,
  /(?<url>https?:\/\/(?!(?:[\w-]{1,40}\.)?(?:nodejs\.org|errors\.pydantic\.dev|pydantic\.dev|sqlalche\.me|developer\.mozilla\.org|docs\.|pris\.ly|github\.com\/[\w-]+\/[\w-]+\/issues|aka\.ms|tools\.ietf\.org|datatracker\.ietf\.org|www\.w3\.org|laravel\.com|help\.|getcomposer\.org|go\.microsoft\.com))[^\s"'`<>)\]},;]{1,1500})/,
];

/** The endpoint that a text speaks of, as `GET shop.example.com/users/{id}`. */
export function readEndpoint(text: string): string | undefined {
  for (const pattern of targets) {
    const groups = pattern.exec(text)?.groups;
    if (!groups) continue;
    const { method, host, port, base = "", url = "" } = groups;
    const from = url.startsWith("/") && base === "" ? hostOf(text) : base;
    const whole = host === undefined ? join(from, url) : `https://${host}:${port}${url}`;
    return `${method === undefined ? "" : `${method.toUpperCase()} `}${templateEndpoint(whole.replace(/[.:]$/, ""))}`;
  }
  return undefined;
}

/** Of a request's header, or of a member of that name. */
function hostOf(text: string): string {
  const host = /\bhost: ['"]?([\w.-]{1,200}(?::\d{1,5})?)/i.exec(text)?.[1];
  return host === undefined ? "" : `https://${host}`;
}

function join(base: string, url: string): string {
  return /^https?:/i.test(url) ? url : base.replace(/\/$/, "") + url;
}

const addresses: readonly RegExp[] = [
  /\b(?:connect E\w{4,20}|getaddrinfo E\w{4,20}|EADDRINUSE: address already in use) (?<place>[\w.:[\]-]{1,200})/,
  /\bdial tcp:? (?:lookup )?(?<place>[\w.[\]-]{1,200}(?::\d{1,5})?)/,
  /\bFailed to connect to (?<host>[\w.-]{1,200}) port (?<port>\d{1,5})/,
  /\bCould not resolve host(?:name)?:? (?<place>[\w.-]{1,200})/i,
  /\bconnection to server at "(?<host>[^"]{1,200})"(?: \([^)]{1,60}\))?, port (?<port>\d{1,5})/,
  /\bUnknownHostException: (?<place>[\w.-]{1,200})/,
  /\bConnection to (?<place>[\w.-]{1,200}:\d{1,5}) refused/,
  /\b(?:connecting to|connection to server|The connection to the server) (?<place>[\w.-]{1,200}:\d{1,5})/,
  /\((?<place>(?![\w.-]{1,200}\.(?:java|kt|scala|groovy|cs|go|rs|rb|py|php|[cm]?[jt]s):)[\w.-]{1,200}:\d{2,5})(?:, timeout: [^)]{1,30})?\)/,
  /\baddress: (?<host>\S{1,200})\nport: (?<port>\d{1,5})/,
  /\bhost(?:name)?[=:] ?["']?(?<host>[\w.-]{1,200})["']?,? port[=:] ?(?<port>\d{1,5})/,
  /\bConnect Timeout Error \(attempted address(?:es)?: (?<place>[\w.:-]{1,200})/,
];

/** The address that could not be reached, as `db.internal:5432`. */
export function readAddress(text: string): string | undefined {
  for (const pattern of addresses) {
    const groups = pattern.exec(text)?.groups;
    if (!groups) continue;
    return groups.place?.replace(/[:.]$/, "") ?? `${groups.host}:${groups.port}`;
  }
  return undefined;
}

/** How long the other side says to wait, as it says it: `30 s`, or a date. */
export function readRetryAfter(text: string): string | undefined {
  const seconds =
    /\bretry[-_ ]?after["']?\s{0,2}[:=]\s{0,2}["']?(\d{1,6})(?:\.\d{1,6})?\b(?!-)/i.exec(text)?.[1] ??
    /\b(?:try again|retry|available|wait)(?: again)? (?:in|after|for) (?:about )?(\d{1,6})(?:\.\d{1,6})? ?s(?:ec(?:onds?)?)?\b/i.exec(
      text,
    )?.[1];
  if (seconds !== undefined) return `${seconds} s`;
  return /\bretry-after["']?\s{0,2}[:=]\s{0,2}["']?(\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT)/i.exec(text)?.[1];
}
