// I11. Declared secret values reach neither the log nor a model. Values are cleaned before they are measured, hashed or
// cut, since half a secret is one too; events once more where they are appended.
import { maskCredentials } from "../core/error-compaction/mask-credentials.ts";
import type { ErrorInfo } from "../core/errors.ts";
import type { EventBody } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import { rawCutMark } from "../core/raw-error.ts";

export interface Redactor {
  /** All that is cleaned away, in each of its forms, longest first. */
  readonly secrets: readonly string[];
  /** The same value with each secret replaced by `[secret NAME]`; the value itself when there are no secrets. */
  value<T>(value: T): T;
  /** Cleans what an event carries, and leaves what it is found by: a secret that happens to be a name changes no key. */
  event<Body extends EventBody>(body: Body): Body;
}

/** Shorter values would tear holes into ordinary text. */
const minSecretLength = 6;
/** Longest message of an error in the log. */
const maxMessageLength = 2_000;
/** Of what an error held besides, its beginning and its end: output says last what went wrong. */
const rawHeadLength = 14_000;
const rawTailLength = 6_000;

/** Members of events that hold text from outside. All others are ids, keys, kinds and numbers of ours. */
const payload: ReadonlySet<string> = new Set([
  ...["input", "output", "result", "outcome", "error", "value", "verdict", "args", "requested"],
  ...[
    "why",
    "question",
    "answerSchema",
    "evidence",
    "message",
    "warnings",
    "text",
    "summary",
    "gate",
    "shadow",
  ],
  ...["soFar", "preview", "again"],
]);

export function redactor(secrets: ReadonlyMap<string, string>): Redactor {
  const list = [...secrets]
    .filter(([, value]) => value.length >= minSecretLength)
    .flatMap(([name, value]) => formsOf(value).map((form): Secret => ({ marker: `[secret ${name}]`, form })))
    .sort((left, right) => right.form.length - left.form.length); // where two begin together, the longer one counts
  const clean = (text: string): string => withoutSecrets(text, list);
  const longestSecret = list[0]?.form.length ?? 0;
  // Every string is replaced by a string, so what comes out has the type of what went in.
  const value = <T>(given: T): T => (list.length === 0 ? given : (redactValue(given, clean) as T));
  return {
    secrets: list.map(({ form }) => form),
    value,
    event: (body) => clipError(list.length === 0 ? body : redactEvent(body, value), longestSecret),
  };
}

/** I11. Of a value that must run, or be approved, as it is: the log would hold another one. */
export function holdsSecret({ value }: Redactor, given: Json): boolean {
  const cleaned = value(given);
  return cleaned !== given && JSON.stringify(cleaned) !== JSON.stringify(given);
}

interface Secret {
  readonly marker: string;
  readonly form: string;
}

/**
 * As it is; as JSON text has it, where a key of several lines is written in one, and JSON within JSON; and as messages
 * of one line do.
 */
function formsOf(secret: string): readonly string[] {
  const json = jsonForm(secret);
  const forms = [secret, json, jsonForm(json), secret.replaceAll(/\s+/g, " ").trim()];
  return [...new Set(forms)].filter((form) => form.length >= minSecretLength);
}

interface Found {
  readonly start: number;
  end: number;
  marker: string;
}

/** Secrets may overlap, each other and themselves: of a place that several share, nothing is left of any. */
function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  const found = secrets.flatMap((secret) => [...placesOf(text, secret), ...cutPlacesOf(text, secret)]);
  if (found.length === 0) return text;
  const shown = found.filter((place) => !isOfMarker(text, place, secrets));
  let cleaned = "";
  let at = 0;
  for (const { start, end, marker } of merged(shown)) {
    cleaned += text.slice(at, start) + marker;
    at = end;
  }
  return cleaned + text.slice(at);
}

/** A secret may be a word of what stands in its place (`TOKEN=secret`): that is left, or no digest would fit any more. */
function isOfMarker(text: string, { start, end }: Found, secrets: readonly Secret[]): boolean {
  return secrets.some(({ marker }) => {
    if (!marker.includes(text.slice(start, end))) return false;
    const at = text.lastIndexOf(marker, start);
    return at >= 0 && end <= at + marker.length;
  });
}

function placesOf(text: string, { form, marker }: Secret): Found[] {
  const places: Found[] = [];
  for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + 1)) {
    const end = start + form.length;
    const last = places.at(-1);
    if (last && start < last.end) last.end = end;
    else places.push({ start, end, marker });
  }
  return places;
}

/** Texts from outside may have been cut before they came here, and then end with `…`: so may a secret. */
function cutPlacesOf(text: string, { form, marker }: Secret): Found[] {
  const places: Found[] = [];
  for (let end = text.indexOf("…"); end >= 0; end = text.indexOf("…", end + 1)) {
    let length = Math.min(form.length - 1, end);
    while (length >= minSecretLength && !text.endsWith(form.slice(0, length), end)) length -= 1;
    if (length >= minSecretLength) places.push({ start: end - length, end, marker });
  }
  return places;
}

function merged(found: readonly Found[]): readonly Found[] {
  const places: Found[] = [];
  for (const next of [...found].sort((left, right) => left.start - right.start || right.end - left.end)) {
    const last = places.at(-1);
    if (!last || next.start >= last.end) places.push({ ...next });
    else if (next.end > last.end) {
      last.end = next.end;
      if (!last.marker.endsWith(next.marker)) last.marker += next.marker;
    }
  }
  return places;
}

function jsonForm(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function redactEvent<Body extends EventBody>(body: Body, value: <T>(given: T) => T): Body {
  const members = Object.entries(body).map(([name, member]) => {
    if (payload.has(name)) return [name, value(member)];
    if (name === "decision") return [name, redactDecision(member, value)];
    if (name === "action") return [name, { ...member, args: value(member.args) }];
    return [name, member];
  });
  return Object.fromEntries(members);
}

type DecisionMember = Extract<EventBody, { type: "decision_made" }>["decision"];

function redactDecision(decision: DecisionMember, value: <T>(given: T) => T): DecisionMember {
  if (decision.kind === "answer") return { ...decision, value: value(decision.value) };
  const isClean = (given: unknown): boolean => JSON.stringify(value(given)) === JSON.stringify(given);
  const calls = decision.calls.map(({ providerData, ...call }) => ({
    ...call,
    args: value(call.args),
    ...(providerData === undefined || !isClean(providerData) ? {} : { providerData }),
  }));
  const { reasoning, text, ...rest } = decision;
  return {
    ...rest,
    calls,
    ...(text === undefined ? {} : { text: value(text) }),
    ...(reasoning === undefined ? {} : { reasoning: reasoning.filter(isClean) }),
  }; // what a provider wants back is signed by it: it stays as it is, or goes
}

function clipError<Body extends EventBody>(body: Body, longestSecret: number): Body {
  if (!("error" in body) || body.error === undefined) return body;
  const { message, raw } = body.error;
  if (message.length <= maxMessageLength && raw === undefined) return body;
  const error: ErrorInfo = {
    ...body.error,
    message: clip(message, maxMessageLength, 0),
    ...(raw === undefined ? {} : { raw: clipRaw(raw, longestSecret) }),
  };
  return { ...body, error };
}

/** What was cut before it was redacted may end in half a secret: that end goes. Masks come after all declared values. */
function clipRaw(raw: string, longestSecret: number): string {
  const half = raw.endsWith(rawCutMark) ? 2 * longestSecret + rawCutMark.length : 0;
  const sound = half === 0 ? raw : raw.slice(0, Math.max(0, raw.length - half));
  return clip(maskCredentials(sound), rawHeadLength, rawTailLength);
}

function clip(text: string, head: number, tail: number): string {
  const left = text.length - head - tail;
  if (left <= 0) return text;
  const end = tail === 0 ? "" : `\n${text.slice(-tail)}`;
  return `${text.slice(0, head)}… (${left} characters more)${end}`;
}

function redactValue(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, clean));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [clean(key), redactValue(member, clean)]),
  );
}
