// Standard Webhooks (standardwebhooks.com): `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
import { createHmac } from "node:crypto";
import { HoldpointError } from "../core/errors.ts";

/** Of the key, in bytes, as the specification has it. */
const minKeyLength = 24;
const maxKeyLength = 64;

/** The key of a secret `whsec_…`. @throws `usage` for one that is none; it is not repeated. */
export function webhookKey(secret: string): Buffer {
  const text = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  const key = Buffer.from(text ?? "", "base64");
  if (text !== undefined && key.length >= minKeyLength && key.length <= maxKeyLength) return key;
  throw new HoldpointError("usage", "a webhook's secret is `whsec_` and the base64 of 24 to 64 bytes", {
    fix: "Make one: node -p \"'whsec_' + require('crypto').randomBytes(32).toString('base64')\"",
  });
}

/** The header `webhook-signature`: one signature for each key, so that a receiver may have the old one or the new. */
export function webhookSignature(
  keys: readonly Buffer[],
  message: { readonly id: string; readonly timestamp: string; readonly body: string },
): string {
  const signed = `${message.id}.${message.timestamp}.${message.body}`;
  return keys.map((key) => `v1,${createHmac("sha256", key).update(signed).digest("base64")}`).join(" ");
}
