import { defaultMaxResponseBytes } from "../ai-sdk.ts";
import { type Fetch, limitedFetch } from "../limited-fetch.ts";
import { streamedFetch } from "../streamed-fetch.ts";
import { checkRequest, isCapturing } from "./capture-wire.ts";

export interface WireFetchOptions {
  /** What sends the request. What it changes in the body is not seen. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** A longer response is given up while it comes (`model_failed`). Default 16 MiB. */
  readonly maxResponseBytes?: number;
}

/**
 * A `fetch` for the factory of a provider's package, such as `createAnthropic({ fetch: wireFetch() })`. With it, the
 * exact bytes of a request are compared with what the window asked for *before* they are sent; outside of a model call
 * it only bounds the response.
 */
export function wireFetch(options: WireFetchOptions = {}): typeof globalThis.fetch {
  const { fetch = (input, init) => globalThis.fetch(input, init) } = options;
  return streamedFetch(
    limitedFetch(checkedFetch(fetch), "the provider", options.maxResponseBytes ?? defaultMaxResponseBytes),
  );
}

/** A `fetch` that compares the requests of a model call before it hands them on. */
export function checkedFetch(fetch: Fetch): Fetch {
  return async (input, init) => {
    const body = isCapturing() ? await bodyOf(input, init) : undefined;
    if (body !== undefined) checkRequest(body);
    return fetch(input, init);
  };
}

/** `undefined` when there is no body; `null` when it is no text, such as a form or a stream. */
async function bodyOf(
  input: Parameters<Fetch>[0],
  init: Parameters<Fetch>[1],
): Promise<string | null | undefined> {
  const body = init?.body ?? undefined;
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  if (body !== undefined) return null;
  return input instanceof Request && input.body ? input.clone().text() : undefined;
}
