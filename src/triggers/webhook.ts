// Inbound webhooks as data: who may call, and what a call starts or tells.
import { createHash } from "node:crypto";
import { HoldpointError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import {
  type SignatureCheck,
  type SignatureScheme,
  type SignedMessage,
  secretForms,
  secretProblem,
  verifyGitHub,
  verifyStandardWebhook,
} from "../core/webhook-signature.ts";

/** One call of a sender, whose signature was checked. */
export interface WebhookMessage {
  /** The sender's id of it: the same one delivered again has the same id. */
  readonly id: string;
  /** GitHub's `X-GitHub-Event`, which GitHub does not sign; `null` for Standard Webhooks, whose body names its type. */
  readonly event: string | null;
  readonly body: Json;
}

/** How a webhook knows its sender. Made by `standardWebhook` or `github`. */
export interface WebhookVerification {
  readonly scheme: Exclude<SignatureScheme, "slack">;
  readonly secrets: readonly string[];
  readonly check: (message: SignedMessage, now: number) => SignatureCheck;
  /** What makes two messages the same one; `null` when the sender names none. */
  readonly idOf: (message: SignedMessage) => string | null;
  readonly eventOf: (message: SignedMessage) => string | null;
}

/** A signal for a thread that waits for it (`t.wait`). */
export interface WebhookSignal {
  readonly threadId: string;
  readonly signal: string;
  readonly value: Json;
}

interface CommonDefinition {
  /** Lower-case letters, digits and `-`, at most 64: the last part of `/hooks/<name>`. */
  readonly name: string;
  readonly verify: WebhookVerification;
  /** Default 1 MiB, which is also what the service lets through. */
  readonly maxBodyBytes?: number;
}

export interface StartingWebhook extends CommonDefinition {
  /** The agent that is started, by its name. */
  readonly agent: string;
  /** The agent's input; `undefined` leaves the message alone. Default: its body. Called again when it is delivered again. */
  readonly input?: (message: WebhookMessage) => unknown;
}

export interface SignallingWebhook extends CommonDefinition {
  /** The signal to send; `undefined` leaves the message alone. */
  readonly signal: (message: WebhookMessage) => WebhookSignal | undefined;
}

export type WebhookDefinition = StartingWebhook | SignallingWebhook;

const made = new WeakSet<object>();

/** A checked definition. */
export type Webhook = WebhookDefinition;

/**
 * Defines an inbound webhook at `/hooks/<name>`. Each message starts one thread of `agent`, or sends one signal,
 * however often it arrives.
 *
 * @throws `usage` for a name, limit or member that cannot be used.
 */
export function webhook(definition: WebhookDefinition): Webhook {
  const { name, verify, maxBodyBytes = 1 } = definition;
  if (typeof name !== "string" || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(name))
    throw invalid(String(name), "its name cannot be used", "Use lower-case letters, digits and -.");
  if (typeof verify?.check !== "function")
    throw invalid(
      name,
      "it verifies nothing",
      "Give `verify: standardWebhook({ secrets })` or `github({ secrets })`.",
    );
  if (!doesOneThing(definition))
    throw invalid(
      name,
      "it takes either an agent or a signal",
      "Give `agent`, a name, with `input`; or `signal`, a function.",
    );
  if (!Number.isInteger(maxBodyBytes) || maxBodyBytes < 1)
    throw invalid(name, "maxBodyBytes is no whole number of bytes", "Leave it out for 1 MiB.");
  const members = Object.entries(definition).filter(([, member]) => member !== undefined);
  const webhook = Object.freeze(Object.fromEntries(members)) as unknown as Webhook; // less what was left out as undefined
  made.add(webhook);
  return webhook;
}

function doesOneThing(definition: WebhookDefinition): boolean {
  const { agent, input, signal }: Partial<StartingWebhook & SignallingWebhook> = definition;
  if (signal !== undefined) return typeof signal === "function" && agent === undefined;
  return typeof agent === "string" && (input === undefined || typeof input === "function");
}

/** Tells what `webhook` made from whatever else a config holds. */
export function isWebhook(value: unknown): value is Webhook {
  return typeof value === "object" && value !== null && made.has(value);
}

export interface SecretsOptions {
  /** Any of them may sign; two while one is replaced by another. */
  readonly secrets: readonly string[];
}

/** Messages signed as Standard Webhooks has it; secrets are `whsec_` and base64. @throws `usage` for no secret, or a bad one. */
export function standardWebhook(options: SecretsOptions): WebhookVerification {
  const secrets = checkedSecrets("standard-webhooks", options.secrets);
  return Object.freeze({
    scheme: "standard-webhooks",
    secrets,
    check: (message: SignedMessage, now: number) => verifyStandardWebhook(message, { secrets, now }),
    idOf: ({ headers }: SignedMessage) => headers.get("webhook-id"),
    eventOf: () => null,
  });
}

export interface GitHubOptions extends SecretsOptions {
  /**
   * What makes two messages the same one. `delivery` (the default): `X-GitHub-Delivery`, which GitHub keeps when it
   * delivers again, and does not sign: whoever has seen a signed body can send it under another id. `body`: the signed
   * body itself, so that a replay starts nothing; two events whose bodies are equal then are one.
   */
  readonly onceBy?: "delivery" | "body";
}

/** Messages signed as GitHub does (`X-Hub-Signature-256`). @throws `usage` for no secret, or a bad one. */
export function github({ onceBy = "delivery", ...options }: GitHubOptions): WebhookVerification {
  const secrets = checkedSecrets("github", options.secrets);
  return Object.freeze({
    scheme: "github",
    secrets,
    check: (message: SignedMessage) => verifyGitHub(message, { secrets }),
    idOf: onceBy === "body" ? ({ body }: SignedMessage) => sha256(body) : deliveryHeader,
    eventOf: ({ headers }: SignedMessage) => headers.get("x-github-event"),
  });
}

/** Secrets by name, for the runtime's `secrets`: what is declared there reaches no log (I11). */
export function webhookSecrets(webhooks: readonly Webhook[]): ReadonlyMap<string, string> {
  return new Map(
    webhooks.flatMap(({ name, verify }) =>
      verify.secrets.flatMap((secret, index) => secretForms(`webhook ${name} ${index + 1}`, secret)),
    ),
  );
}

function deliveryHeader({ headers }: SignedMessage): string | null {
  const id = headers.get("x-github-delivery");
  return id !== null && /^[A-Za-z0-9-]{1,128}$/.test(id) ? id : null;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** A copy: nobody takes one away, or adds one that the runtime does not redact. */
function checkedSecrets(
  scheme: WebhookVerification["scheme"],
  secrets: readonly string[],
): readonly string[] {
  const problem =
    Array.isArray(secrets) && secrets.length > 0
      ? secrets.map((secret) => secretProblem(scheme, secret)).find((found) => found !== null)
      : "there is none";
  if (problem === undefined) return Object.freeze([...secrets]);
  throw new HoldpointError("usage", `a secret of ${scheme} cannot be used: ${problem}`, {
    fix: "Set it to the secret that the sender shows; without one nothing is accepted.",
  });
}

function invalid(name: string, why: string, fix: string): HoldpointError {
  return new HoldpointError("usage", `webhook ${JSON.stringify(name)}: ${why}`, { fix });
}
