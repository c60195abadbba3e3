// Whether a key is there is known to the provider's package alone: which variable, which header. So it is asked for a
// call, and stopped where it would send it.
import { HoldpointError } from "../core/errors.ts";
import type { AiSdkLanguageModel } from "./ai-sdk.ts";
import { findCause } from "./find-cause.ts";
import type { Fetch } from "./limited-fetch.ts";
import { toModelError } from "./model-error.ts";

/** Thrown in place of sending. */
class NotSent extends Error {
  readonly headers: Headers;

  constructor(headers: Headers) {
    super("not sent");
    this.headers = headers;
  }
}

/** A `fetch` that sends nothing. */
export const notSending: Fetch = async (_input, init) => {
  throw new NotSent(new Headers(init?.headers));
};

/**
 * Checks, without the network, that a model made with `notSending` could be called.
 *
 * @throws `model_unavailable` when its key is missing or empty, naming `keyName` and never showing a key; whatever else
 * would keep a call from being sent.
 */
export async function checkKey(id: string, model: AiSdkLanguageModel, keyName: string): Promise<void> {
  const stoppedBy = await tryCall(model);
  const notSent = findCause(stoppedBy, (error): error is NotSent => error instanceof NotSent);
  if (!notSent) throw toModelError(id, stoppedBy);
  if (hasEmptyKey(notSent.headers)) throw emptyKey(id, keyName);
}

async function tryCall(model: AiSdkLanguageModel): Promise<unknown> {
  try {
    await model.doGenerate({
      prompt: [{ role: "user", content: [{ type: "text", text: "not sent" }] }],
      maxOutputTokens: 1,
    });
    return new NotSent(new Headers()); // it came without sending, so it takes no key either
  } catch (error) {
    return error;
  }
}

/** Where workers are started by a configuration, a key that is not set there often arrives as an empty one. */
export function hasEmptyKey(headers: Headers): boolean {
  return ["authorization", "x-api-key", "x-goog-api-key"].some((name) => {
    const value = headers.get(name);
    return value !== null && value.replace(/^Bearer\b/, "").trim() === "";
  });
}

export function emptyKey(id: string, keyName: string): HoldpointError {
  return new HoldpointError("model_unavailable", `${id}: its API key (${keyName}) is missing or empty`, {
    fix: "Set it where the worker is started.",
  });
}
