import { HoldpointError } from "../../core/errors.ts";

/** A response that ends with an error as soon as more than `maxBytes` of it, decompressed, have come. */
export function boundedResponse(response: Response, maxBytes: number): Response {
  if (!response.body) return response;
  if (Number(response.headers.get("content-length")) > maxBytes) {
    void response.body.cancel().catch(() => {}); // the error is what counts
    throw tooLarge(maxBytes);
  }
  let bytes = 0;
  const counted = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(counted), { status, statusText, headers });
}

function tooLarge(maxBytes: number): HoldpointError {
  return new HoldpointError("model_failed", `response larger than ${maxBytes} bytes`, {
    fix: "Check what answers at the provider's address; `maxResponseBytes` allows more.",
  });
}
