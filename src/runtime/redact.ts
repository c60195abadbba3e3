// I11. Declared secret values reach neither the log nor a model. Values are cleaned before they are measured, hashed or
// cut, since half a secret is one too; events once more where they are appended.
import { maskCredentials } from "../core/error-compaction/mask-credentials.ts";
import type { ErrorInfo } from "../core/errors.ts";
import type { EventBody } from "../core/events.ts";
import { rawCutMark } from "../core/raw-error.ts";

export interface Redactor {
  /** All that is cleaned away, longest first. */
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
  ...["why", "question", "answerSchema", "evidence", "message", "warnings", "text", "summary"],
]);

export function redactor(secrets: ReadonlyMap<string, string>): Redactor {
  const list = [...secrets]
    .filter(([, value]) => value.length >= minSecretLength)
    .flatMap(([name, value]) => formsOf(value).map((form) => [name, form] as const))
    .sort(([, left], [, right]) => right.length - left.length); // a secret may be part of another
  const clean = (text: string): string =>
    list.reduce((cleaned, [name, value]) => cleaned.replaceAll(value, `[secret ${name}]`), text);
  const longestSecret = list[0]?.[1].length ?? 0;
  // Every string is replaced by a string, so what comes out has the type of what went in.
  const value = <T>(given: T): T => (list.length === 0 ? given : (redactValue(given, clean) as T));
  return {
    secrets: list.map(([, value]) => value),
    value,
    event: (body) => clipError(list.length === 0 ? body : redactEvent(body, value), longestSecret),
  };
}

/** As it is, as JSON text has it (a key of several lines is written in one), and as JSON within JSON has it. */
function formsOf(secret: string): readonly string[] {
  const json = jsonForm(secret);
  return [...new Set([secret, json, jsonForm(json)])];
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
  if (!("error" in body)) return body;
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
