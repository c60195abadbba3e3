// Signatures of inbound webhooks, over the raw bytes that arrived. Forms are read strictly: what is not written exactly as
// the scheme writes it is refused, so that one signed message has one form, and nothing is compared but 32 bytes in
// constant time.
import { createHmac, timingSafeEqual } from "node:crypto";

/** What a sender signed, and how: headers by name (two of one name are joined by `, `, as `Headers` does), and the body unread. */
export interface SignedMessage {
  readonly headers: { get(name: string): string | null };
  readonly body: Uint8Array;
}

/** Whether a message is authentic; `why` names no secret and can be told to the sender. */
export type SignatureCheck = { readonly ok: true } | { readonly ok: false; readonly why: string };

export interface SignatureOptions {
  /** Any of them may have signed: two, while a secret is replaced by another. One that cannot be used refuses everything. */
  readonly secrets: readonly string[];
}

export interface TimedSignatureOptions extends SignatureOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** How far the sender's timestamp may be from `now`, either way. Default 5 min, as Standard Webhooks and Slack have it. */
  readonly toleranceMs?: number;
}

export type SignatureScheme = "standard-webhooks" | "github" | "slack";

const defaultToleranceMs = 5 * 60_000;
/** Standard Webhooks puts several signatures into one header while secrets are replaced; more than this is no sender. */
const maxSignatures = 16;
/** Shorter secrets can be guessed, and would tear holes into redacted text. */
const minSecretLength = 8;

/** Standard Webhooks (https://www.standardwebhooks.com, version 1): `webhook-id`, `webhook-timestamp`, `webhook-signature`. */
export function verifyStandardWebhook(
  { headers, body }: SignedMessage,
  options: TimedSignatureOptions,
): SignatureCheck {
  const id = headers.get("webhook-id");
  // Without dots: id and timestamp are signed with dots between them, and must not be split in two ways.
  if (id === null || !/^[\x21-\x2d\x2f-\x7e]{1,256}$/.test(id)) return refused(missing("webhook-id", id));
  const timestamp = headers.get("webhook-timestamp");
  const late = timestampProblem("webhook-timestamp", timestamp, options);
  if (late !== null) return refused(late);
  const given = standardSignatures(headers.get("webhook-signature"));
  if (typeof given === "string") return refused(given);
  return compare("standard-webhooks", given, options, [`${id}.${timestamp}.`, body]);
}

/** GitHub: `X-Hub-Signature-256`, over the body alone. Neither the message's id nor its time is signed. */
export function verifyGitHub({ headers, body }: SignedMessage, options: SignatureOptions): SignatureCheck {
  const given = hexSignature("x-hub-signature-256", headers.get("x-hub-signature-256"), "sha256=");
  if (typeof given === "string") return refused(given);
  return compare("github", [given], options, [body]);
}

/** Slack: `X-Slack-Signature` of version 0, and `X-Slack-Request-Timestamp`. */
export function verifySlack(
  { headers, body }: SignedMessage,
  options: TimedSignatureOptions,
): SignatureCheck {
  const timestamp = headers.get("x-slack-request-timestamp");
  const late = timestampProblem("x-slack-request-timestamp", timestamp, options);
  if (late !== null) return refused(late);
  const given = hexSignature("x-slack-signature", headers.get("x-slack-signature"), "v0=");
  if (typeof given === "string") return refused(given);
  return compare("slack", [given], options, [`v0:${timestamp}:`, body]);
}

/** I11. What must not be shown of a secret, by name: of `whsec_` and base64 also the base64 alone, which is the key. */
export function secretForms(name: string, secret: string): readonly (readonly [string, string])[] {
  const key = withoutPrefix(secret);
  return key === secret
    ? [[name, secret]]
    : [
        [name, secret],
        [`${name} key`, key],
      ];
}

/** What keeps a secret from being used, without telling it; `null` for a usable one. */
export function secretProblem(scheme: SignatureScheme, secret: unknown): string | null {
  if (typeof secret !== "string" || secret === "") return "it is missing or empty";
  if (!/^[\x20-\x7e]+$/.test(secret) || secret !== secret.trim())
    return "it holds characters other than printable ASCII, or blanks around it";
  if (secret.length < minSecretLength) return `it is shorter than ${minSecretLength} characters`;
  if (scheme !== "standard-webhooks") return null;
  const key = decodeBase64(withoutPrefix(secret));
  if (key === null) return "it is not whsec_ and base64";
  return key.length < minSecretLength ? `it is shorter than ${minSecretLength} bytes` : null;
}

function compare(
  scheme: SignatureScheme,
  given: readonly Uint8Array[],
  { secrets }: SignatureOptions,
  signed: readonly (string | Uint8Array)[],
): SignatureCheck {
  if (secrets.length === 0) return refused("there is no secret to verify it with");
  for (const [index, secret] of secrets.entries()) {
    const problem = secretProblem(scheme, secret);
    if (problem !== null) return refused(`secret ${index + 1} cannot be used: ${problem}`);
  }
  let matches = 0; // all are compared, so that the time taken does not tell which one matched
  for (const secret of secrets) {
    const expected = hmac(keyOf(scheme, secret), signed);
    for (const signature of given) matches += Number(timingSafeEqual(signature, expected));
  }
  return matches > 0 ? { ok: true } : refused("the signature is not that of this body and these headers");
}

function hmac(key: string | Uint8Array, parts: readonly (string | Uint8Array)[]): Uint8Array {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

function keyOf(scheme: SignatureScheme, secret: string): string | Uint8Array {
  if (scheme !== "standard-webhooks") return secret;
  return decodeBase64(withoutPrefix(secret)) ?? secret; // `secretProblem` refused what does not decode
}

function withoutPrefix(secret: string): string {
  return secret.startsWith("whsec_") ? secret.slice("whsec_".length) : secret;
}

/** The signatures of version 1, or what is wrong. Those of other versions are left to receivers that know them. */
function standardSignatures(header: string | null): readonly Uint8Array[] | string {
  const name = "webhook-signature";
  if (header === null || header === "") return missing(name, header);
  const tokens = header.split(" ");
  if (tokens.length > maxSignatures) return `${name} holds more than ${maxSignatures} signatures`;
  const signatures: Uint8Array[] = [];
  for (const token of tokens) {
    const [, version, text = ""] = /^(v[0-9]{1,3}[a-z]?),([A-Za-z0-9+/]+={0,2})$/.exec(token) ?? [];
    if (version === undefined) return `${name} is not written as v1,<base64>`;
    if (version !== "v1") continue;
    const signature = decodeBase64(text);
    if (signature?.length !== 32) return `${name} is not written as v1,<base64 of 32 bytes>`;
    signatures.push(signature);
  }
  return signatures.length > 0 ? signatures : `${name} holds no signature of version v1`;
}

/** 64 lower-case hex digits after `prefix`, or what is wrong. */
function hexSignature(name: string, header: string | null, prefix: string): Uint8Array | string {
  if (header === null || header === "") return missing(name, header);
  const digits = header.startsWith(prefix) ? header.slice(prefix.length) : "";
  return /^[0-9a-f]{64}$/.test(digits)
    ? Buffer.from(digits, "hex")
    : `${name} is not written as ${prefix}<64 lower-case hex digits>`;
}

/** Whole seconds, written in the one way in which they are signed. */
function timestampProblem(
  name: string,
  header: string | null,
  { now, toleranceMs = defaultToleranceMs }: TimedSignatureOptions,
): string | null {
  if (header === null || !/^[1-9][0-9]{0,11}$/.test(header)) return missing(name, header);
  const isNear = Math.abs(now - Number(header) * 1_000) <= toleranceMs; // false for a `now` that is no number
  return isNear ? null : `${name} is more than ${Math.round(toleranceMs / 1_000)} s from now`;
}

function missing(name: string, header: string | null): string {
  return header === null ? `there is no ${name} header` : `the ${name} header is malformed`;
}

/** `null` for all but the one way in which these bytes are encoded. */
function decodeBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, "base64");
  return text !== "" && bytes.toString("base64") === text ? bytes : null;
}

function refused(why: string): SignatureCheck {
  return { ok: false, why };
}
