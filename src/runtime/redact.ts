// I11. The one place where events pass on their way to the log: declared secret values do not pass.
import type { EventBody } from "../core/events.ts";

export type Redact = <Body extends EventBody>(body: Body) => Body;

/** Shorter values would tear holes into ordinary text. */
const minSecretLength = 6;

/** Replaces each secret value, wherever in an event it stands, by `[secret NAME]`. */
export function redactor(secrets: ReadonlyMap<string, string>): Redact {
  const list = [...secrets].filter(([, value]) => value.length >= minSecretLength);
  if (list.length === 0) return (body) => body;
  // Every string of an event passes; structure and numbers stay, so the event's type does too.
  return (body) =>
    redactValue(body, (text) =>
      list.reduce((clean, [name, value]) => clean.replaceAll(value, `[secret ${name}]`), text),
    ) as typeof body;
}

function redactValue(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, clean));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [clean(key), redactValue(member, clean)]),
  );
}
