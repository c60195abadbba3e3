// T1. A message does something only after its signature was verified over its raw body.
// T2. A message starts one thread, or sends one signal, however often it arrives: the sender's id is the start's key, or
//     the signal's id. Its answer comes after the commit, so a sender that was answered need not deliver again.
// T3. Whoever cannot sign learns nothing but that.
import { Unreadable } from "../core/encodings/parse-json.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { readStrictJson } from "../core/strict-json.ts";
import { unawaited } from "../core/unawaited.ts";
import type { SignedMessage } from "../core/webhook-signature.ts";
import type { Mount } from "../ports/mount.ts";
import { sendSignal, startThread } from "../runtime/commands.ts";
import { agentNamed, type Runtime } from "../runtime/runtime.ts";
import { answer, type Problem, problemAnswer, problemOf, unavailable } from "./answers.ts";
import { type ReadBody, readBody } from "./read-body.ts";
import {
  webhook as defineWebhook,
  isWebhook,
  type SignallingWebhook,
  type StartingWebhook,
  type Webhook,
  type WebhookMessage,
  webhookSecrets,
} from "./webhook.ts";

export interface MountWebhooksOptions {
  /** How long a sender may take for its body. Default 10 s. */
  readonly bodyTimeoutMs?: number;
}

const defaultMaxBodyBytes = 1024 * 1024;

/**
 * Handlers of inbound webhooks by their paths, `/hooks/<name>`, for the service. What it answers: 202 with the thread; 200
 * with `ignored`; or problem+json: 400 malformed, 401 not signed, 404 and 409 for a signal's thread, 405, 408, 413, 415,
 * 422 for input that the agent does not take, 503 with `Retry-After` while the store cannot be written.
 *
 * @throws `agent_not_found`; `usage` for two of one name, and for secrets that the runtime does not redact (I11).
 */
export function mountWebhooks(
  runtime: Runtime,
  webhooks: readonly Webhook[],
  options: MountWebhooksOptions = {},
): ReadonlyMap<string, Mount> {
  const mounts = new Map<string, Mount>();
  for (const definition of webhooks) {
    const webhook = isWebhook(definition) ? definition : defineWebhook(definition);
    const path = `/hooks/${webhook.name}`;
    if (mounts.has(path)) throw usage(`there are two webhooks "${webhook.name}"`, "Rename one.");
    if ("agent" in webhook) agentNamed(runtime, webhook.agent);
    assertRedacted(runtime, webhook);
    mounts.set(path, (request, { signal }) => receive({ runtime, webhook, options, signal }, request));
  }
  return mounts;
}

interface Receiving {
  readonly runtime: Runtime;
  readonly webhook: Webhook;
  readonly options: MountWebhooksOptions;
  readonly signal: AbortSignal;
}

async function receive(receiving: Receiving, request: Request): Promise<Response> {
  const { runtime } = receiving;
  const refusal = refusalOfForm(request);
  if (refusal) return problemAnswer(refusal);
  const body = await bodyOf(receiving, request);
  if (body.kind !== "read") return problemAnswer(unreadable(body));
  const signed = { headers: request.headers, body: body.bytes };
  const check = receiving.webhook.verify.check(signed, runtime.clock.now());
  if (!check.ok) return problemAnswer({ status: 401, code: "signature_invalid", detail: check.why });
  const message = messageOf(receiving.webhook, signed);
  if (typeof message === "string")
    return problemAnswer({ status: 400, code: "message_invalid", detail: runtime.redact.value(message) });
  try {
    return await deliver(receiving, message);
  } catch (error) {
    if (receiving.signal.aborted) return problemAnswer(unavailable("stopping", "the service is stopping"));
    const problem = problemOf(error, runtime.redact.value);
    if (problem.status >= 500) runtime.observe({ kind: "problem", threadId: "", error });
    return problemAnswer(problem);
  }
}

function refusalOfForm({ method, headers }: Request): Problem | null {
  if (method !== "POST") {
    const detail = "a message is sent by POST";
    return { status: 405, code: "method_not_allowed", detail, headers: { allow: "POST" } };
  }
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding === "identity") return null;
  return {
    status: 415,
    code: "media_type_unsupported",
    detail: "a body is taken only as it was signed, not encoded",
  };
}

function bodyOf({ runtime, webhook, options, signal }: Receiving, request: Request): Promise<ReadBody> {
  return readBody(request, {
    maxBytes: webhook.maxBodyBytes ?? defaultMaxBodyBytes,
    timeoutMs: options.bodyTimeoutMs ?? 10_000,
    clock: runtime.clock,
    signal,
  });
}

function unreadable({ kind }: Exclude<ReadBody, { kind: "read" }>): Problem {
  switch (kind) {
    case "too_large":
      return { status: 413, code: "body_too_large", detail: "the body is too large" };
    case "slow":
      return { status: 408, code: "body_too_slow", detail: "the body did not arrive in time" };
    case "broken":
      return unavailable("body_broken", "the body did not arrive");
    default:
      return kind satisfies never;
  }
}

/** What a verified sender delivers, or what is wrong with it. */
function messageOf({ verify }: Webhook, signed: SignedMessage): WebhookMessage | string {
  const id = verify.idOf(signed);
  if (id === null) return "it names no message";
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(signed.body);
    const body = readStrictJson(text);
    if (body !== undefined) return { id, event: verify.eventOf(signed), body };
  } catch (error) {
    if (error instanceof Unreadable) return `its body is JSON that cannot be used: ${error.message}`;
  }
  return "its body is no JSON: set the content type to application/json where the webhook is made";
}

function deliver(receiving: Receiving, message: WebhookMessage): Promise<Response> {
  const { webhook } = receiving;
  const isPing = webhook.verify.scheme === "github" && message.event === "ping";
  if (isPing) return Promise.resolve(ignored()); // GitHub asks whether anyone is there
  return "agent" in webhook ? start(receiving, webhook, message) : tell(receiving, webhook, message);
}

async function start(
  { runtime, signal }: Receiving,
  { name, agent, input = ({ body }) => body }: StartingWebhook,
  message: WebhookMessage,
): Promise<Response> {
  const value = mapped(name, () => input(message));
  if (value === undefined) return ignored();
  const { threadId, created } = await startThread(runtime, agent, value, {
    by: `webhook:${name}`,
    key: `webhook:${name}:${message.id}`,
    signal,
  });
  return answer(202, { threadId, created });
}

async function tell(
  { runtime }: Receiving,
  { name, signal: signalOf }: SignallingWebhook,
  message: WebhookMessage,
): Promise<Response> {
  const told = mapped(name, () => signalOf(message));
  if (told === undefined) return ignored();
  const { threadId, signal, value } = told;
  const signalId = `webhook:${name}:${message.id}`;
  await sendSignal(runtime, threadId, { signal, value, by: `webhook:${name}`, signalId });
  return answer(202, { threadId, signal });
}

/** A mapping is the user's code: what it cannot make sense of is no input, and what it threw may hold anything. */
function mapped<T>(name: string, map: () => T): T {
  try {
    const made = unawaited(map());
    if (made instanceof Promise) throw new TypeError("a mapping is no async function");
    return made;
  } catch (cause) {
    if (isHoldpointError(cause)) throw cause;
    throw new HoldpointError("invalid_input", `webhook ${name} cannot make use of this message`, { cause });
  }
}

function ignored(): Response {
  return answer(200, { ignored: true });
}

function assertRedacted({ redact }: Runtime, webhook: Webhook): void {
  const known = new Set(redact.secrets);
  if ([...webhookSecrets([webhook]).values()].every((secret) => known.has(secret))) return;
  throw usage(
    `the runtime does not redact the secrets of webhook "${webhook.name}"`,
    "Open it with them: `secrets: webhookSecrets(webhooks)`.",
  );
}

function usage(message: string, fix: string): HoldpointError {
  return new HoldpointError("usage", message, { fix });
}
