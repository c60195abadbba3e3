// What a body, or a list of issues, says: JSON of problem details, of providers, frameworks and validators.
import type { Json } from "../json.ts";

export interface BodyReading {
  readonly cause: string;
  /** The issues of a validator, not one message. */
  readonly isValidation: boolean;
}

/** How many places are tried where JSON may start. */
const maxStarts = 8;
const maxIssues = 3;

/** The most telling JSON value in a text, or `undefined`. */
export function readBody(text: string): BodyReading | undefined {
  let from = 0;
  for (let tries = 0; tries < maxStarts; tries += 1) {
    const start = nextStart(text, from);
    if (start < 0) break;
    const end = balancedEnd(text, start);
    const value = end < 0 ? undefined : parse(text.slice(start, end));
    const reading = value === undefined ? undefined : describe(value, 0);
    if (reading) return reading;
    from = value === undefined ? start + 1 : end;
  }
  return loose(text);
}

/** The first `{` or `[` from which JSON may go on. */
function nextStart(text: string, from: number): number {
  const pattern = /\{\s{0,40}["\\}]|\[\s{0,40}[{"]/g;
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? -1;
}

function balancedEnd(text: string, start: number): number {
  let depth = 0;
  let inText = false;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (inText) {
      if (character === "\\") index += 1;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === "{" || character === "[") depth += 1;
    else if (character === "}" || character === "]") {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return -1;
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json; // what JSON.parse makes is Json
  } catch {
    return undefined;
  }
}

/** Members that say what happened, the most precise first. */
const said = [
  "detail",
  "error_description",
  "message",
  "Message",
  "errorMessage",
  "msg",
  "reason",
  "description",
  "title",
  "error",
  "type",
  "code",
];
/** Members that hold another body. */
const inner = [
  "error",
  "errors",
  "issues",
  "details",
  "detail",
  "violations",
  "invalid-params",
  "fault",
  "response",
  "body",
  "data",
  "fieldErrors",
  "validationErrors",
];

function describe(value: Json, depth: number): BodyReading | undefined {
  if (typeof value === "string") return value.trim().startsWith("{") ? readBody(value) : undefined;
  if (typeof value !== "object" || value === null || depth > 5) return undefined;
  if (Array.isArray(value)) return describeList(value, depth);
  const body = value as { readonly [key: string]: Json }; // neither null nor a list
  for (const key of inner) {
    const reading = describeInner(body[key], depth);
    if (reading) return withTitle(reading, body, key);
  }
  const message = said
    .map((key) => body[key])
    .find((member) => typeof member === "string" && member.trim() !== "");
  if (typeof message !== "string") return undefined;
  const param = typeof body.param === "string" ? ` (${body.param})` : "";
  return { cause: `${message}${param}`, isValidation: false };
}

/** Issues say what is wrong, not with what: a message above them says it in words. */
function withTitle(reading: BodyReading, body: { readonly [key: string]: Json }, key: string): BodyReading {
  const title = [body.message, body.title, body.error].find((member) => typeof member === "string");
  const adds = key !== "error" && typeof title === "string" && reading.isValidation && title.length < 80;
  return adds && !/validation|unprocessable|invalid/i.test(title)
    ? { ...reading, cause: `${title}: ${reading.cause}` }
    : reading;
}

function describeInner(value: Json | undefined, depth: number): BodyReading | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const fields = Array.isArray(value) ? undefined : fieldIssues(value as { readonly [key: string]: Json });
  return fields ?? describe(value, depth + 1);
}

/** `{ email: ["has already been taken"] }`, as Rails, Laravel, Django and ASP.NET write it. */
function fieldIssues(value: { readonly [key: string]: Json }): BodyReading | undefined {
  const entries = Object.entries(value);
  const isFields =
    entries.length > 0 &&
    entries.every(
      ([, texts]) =>
        Array.isArray(texts) && texts.length > 0 && texts.every((text) => typeof text === "string"),
    );
  if (!isFields) return undefined;
  return issues(entries.map(([field, texts]) => `${field}: ${(texts as readonly string[])[0]}`));
}

function describeList(list: readonly Json[], depth: number): BodyReading | undefined {
  const texts = list.slice(0, 50).flatMap((item) => issueOf(item) ?? []);
  if (texts.length > 0) return issues(texts);
  if (list.length > 0 && list.every((item) => typeof item === "string") && depth > 0)
    return { cause: (list as readonly string[]).slice(0, maxIssues).join("; "), isValidation: false };
  return list
    .slice(0, 5)
    .map((item) => describe(item, depth + 1))
    .find((reading) => reading !== undefined);
}

/** zod's and pydantic's issues, ajv's errors, Spring's and problem+json's field errors. */
function issueOf(item: Json): string | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  const issue = item as { readonly [key: string]: Json }; // neither null nor a list
  if (issue.locations !== undefined || issue.extensions !== undefined) return undefined; // GraphQL: no issue of the input
  const message = issue.message ?? issue.msg ?? issue.defaultMessage ?? issue.reason ?? issue.detail;
  const place =
    issue.path ??
    issue.loc ??
    issue.instancePath ??
    issue.dataPath ??
    issue.field ??
    issue.pointer ??
    issue.name;
  if (typeof message !== "string" || place === undefined || place === null) return undefined;
  const path = Array.isArray(place)
    ? place.map(String).join(".")
    : String(place)
        .replace(/^[/#.]+/, "")
        .replaceAll("/", ".");
  return path === "" ? message : `${path}: ${message}`;
}

function issues(texts: readonly string[]): BodyReading {
  const more = texts.length > maxIssues ? `; and ${texts.length - maxIssues} more` : "";
  return { cause: `${texts.slice(0, maxIssues).join("; ")}${more}`, isValidation: true };
}

/** A body that is cut off, XML, or a dictionary as Python prints it. */
const looseShapes: readonly RegExp[] = [
  /"(?:detail|error_description|message|Message|errorMessage|msg|title|error)"\s{0,3}:\s{0,3}"((?:[^"\\\n]|\\.){3,600})/,
  /'(?:message|Message|detail|msg|error)': (?:"([^"\n]{3,600})"|'([^'\n]{3,600})')/,
  /<(?:Message|message|faultstring|faultString|ErrorMessage)>([^<]{3,600})</,
];

function loose(text: string): BodyReading | undefined {
  for (const shape of looseShapes) {
    const match = shape.exec(text);
    const found = match?.[1] ?? match?.[2];
    if (found !== undefined)
      return { cause: found.replace(/\\[nrt]/g, " ").replace(/\\(.)/g, "$1"), isValidation: false };
  }
  return undefined;
}
