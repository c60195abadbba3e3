import { hash } from "node:crypto";
import { canonicalJson, type Json } from "./json.ts";

/** SHA-256 of UTF-8 text, as 64 hex digits. */
export function sha256(text: string): string {
  return hash("sha256", text, "hex");
}

/** I5. What an approval is for: exactly this tool, this version of it, these validated arguments. */
export function actionDigest(action: {
  readonly tool: string;
  readonly toolVersion: string;
  readonly args: Json;
}): string {
  return sha256(canonicalJson({ tool: action.tool, toolVersion: action.toolVersion, args: action.args }));
}

/** A request's id follows from what asks, so a crash between opening and telling cannot change it. */
export function requestIdFor(threadId: string, key: string, occurrence: number): string {
  return `r_${readableId(`${threadId} ${key} ${occurrence}`, 12)}`;
}

/** A child's id follows from its parent and the operation, so a crash cannot start a second child. */
export function childIdFor(threadId: string, key: string): string {
  return `th_${readableId(`${threadId} ${key}`, 16)}`;
}

/** A delivery's id follows from the event that made it, its kind and where it goes, so that a double can be told. */
export function deliveryIdFor(
  channel: string,
  recipient: string,
  requestId: string,
  { eventId, kind }: { readonly eventId: number; readonly kind: string },
): string {
  return `dl_${readableId(JSON.stringify([channel, recipient, requestId, eventId, kind]), 16)}`;
}

/** Letters and digits that cannot be taken for one another (Crockford's base 32), lower case. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

function readableId(text: string, length: number): string {
  const bytes = hash("sha256", text, "buffer");
  let id = "";
  for (let index = 0; index < length; index++) id += alphabet.charAt((bytes[index] ?? 0) & 31);
  return id;
}
