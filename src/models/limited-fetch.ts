import { HoldpointError, isHoldpointError } from "../core/errors.ts";

export type Fetch = typeof globalThis.fetch;

type ResponseBody = ConstructorParameters<typeof Response>[0];

/**
 * A `fetch` whose responses end with an error as soon as they are longer than `maxBytes`, counted after decompression
 * and while they come: so that neither a page of 100 MB nor a bomb in gzip gets into memory. A body that breaks off
 * fails with `model_interrupted`. `name` says whose responses they are.
 */
export function limitedFetch(fetch: Fetch, name: string, maxBytes: number): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.body) return response;
    if (Number(response.headers.get("content-length")) > maxBytes) {
      await response.body.cancel();
      throw tooLong(name, maxBytes);
    }
    const { status, statusText, headers } = response;
    const body = limited(response.body, name, maxBytes) as ResponseBody; // chunks of the network are never shared memory
    return new Response(body, { status, statusText, headers });
  };
}

function limited(
  body: ReadableStream<Uint8Array>,
  name: string,
  maxBytes: number,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        bytes += value.byteLength;
        if (bytes > maxBytes) throw tooLong(name, maxBytes);
        controller.enqueue(value);
      } catch (error) {
        reader.cancel(error).catch(() => {}); // the error is what counts
        controller.error(isHoldpointError(error) ? error : interrupted(name, error));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function tooLong(name: string, maxBytes: number): HoldpointError {
  return new HoldpointError("model_failed", `the response of ${name} is longer than ${maxBytes} bytes`, {
    fix: "Check what answers at the provider's address; `maxResponseBytes` allows more.",
  });
}

function interrupted(name: string, cause: unknown): HoldpointError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new HoldpointError("model_interrupted", `the response of ${name} broke off: ${why}`, {
    retryable: true,
    cause,
  });
}
