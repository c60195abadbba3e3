// I11. What a recording must not hold: declared secrets, in the forms in which text carries them, and whatever stands
// where credentials stand in headers.
import { HoldpointError } from "../core/errors.ts";
import type { ModelProgress } from "../ports/model.ts";
import { redactor } from "../runtime/redact.ts";

export type Mask = <T>(value: T) => T;

const masked = "[masked]";

/** The shortest value that redaction finds: shorter ones would tear holes into ordinary text. */
const minSecretLength = 6;

/** Members whose text is a credential, whatever it is. */
const credentialKey =
  /^((proxy-)?authorization|(set-)?cookie|(x-)?api[-_]?key|x-[\w-]*(key|token|secret)|(access|auth|refresh|session|bearer)[-_]?token|client[-_]?secret|password)$/i;

/** The same in text, be it a header's line or JSON in JSON; then bearer tokens and providers' keys without a name. */
const credentialTexts: readonly (readonly [RegExp, string])[] = [
  [
    /((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]*(?:key|token|secret)|api[-_]?key)(\\*["']?\s*[:=]\s*\\*["']?)(?:(?:bearer|basic)\s+)?[^\s"'\\,;}]+/gi,
    `$1$2${masked}`,
  ],
  [/\b(bearer)\s+(?=\S*\d)[\w.~+/=-]{16,}/gi, `$1 ${masked}`],
  [/\b(?:sk|pk|rk|gsk|xai|pplx)-[\w-]{16,}/g, masked],
];

/**
 * Replaces secrets in any JSON value; masking twice is masking once. @throws `usage` for a secret of fewer than six
 * characters, which cannot be removed.
 */
export function secretMask(secrets: ReadonlyMap<string, string>): Mask {
  const redact = redactor(new Map([...secrets].flatMap(formsOf)));
  return (value) => maskValue(redact.value(value)) as typeof value; // text becomes text, all else stays what it is
}

/** A secret as it is, and as it stands in JSON, in a URL, and in a basic authorization. */
function formsOf([name, value]: readonly [string, string]): readonly [string, string][] {
  if (value === "") return [];
  if (value.length < minSecretLength) {
    throw new HoldpointError("usage", `the secret ${name} is too short to be removed from a recording`, {
      fix: `Use one of at least ${minSecretLength} characters for recording.`,
    });
  }
  const forms = {
    JSON: JSON.stringify(value).slice(1, -1),
    URL: encodeURIComponent(value),
    base64: Buffer.from(value).toString("base64"),
  };
  const others = Object.entries(forms).filter(([, form]) => form !== value);
  return [[name, value], ...others.map(([form, text]): [string, string] => [`${name} as ${form}`, text])];
}

function maskValue(value: unknown, key = ""): unknown {
  if (typeof value === "string") return credentialKey.test(key) ? masked : maskText(value);
  if (Array.isArray(value)) return value.map((item) => maskValue(item, key));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, maskValue(member, name)]));
}

function maskText(text: string): string {
  return credentialTexts.reduce((left, [pattern, replacement]) => left.replace(pattern, replacement), text);
}

/** Pieces as they were streamed; those that hold a secret together, though none does alone, become one. */
export function maskProgress(pieces: readonly ModelProgress[], mask: Mask): readonly ModelProgress[] {
  const texts = new Map<string, string>();
  for (const piece of pieces) texts.set(streamOf(piece), (texts.get(streamOf(piece)) ?? "") + piece.text);
  const done = new Set<string>();
  return pieces.flatMap((piece) => {
    const stream = streamOf(piece);
    const text = texts.get(stream) ?? "";
    const clean = mask(text);
    if (clean === text) return [mask(piece)];
    if (done.has(stream)) return [];
    done.add(stream);
    return [{ ...mask(piece), text: clean }];
  });
}

function streamOf(piece: ModelProgress): string {
  return piece.kind === "call" ? `call ${piece.callId}` : piece.kind;
}
