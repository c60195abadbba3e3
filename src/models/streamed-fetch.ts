import { HoldpointError } from "../core/errors.ts";
import type { Fetch } from "./limited-fetch.ts";

/** What a page or an error says is at its beginning. */
const maxShown = 200_000;

/**
 * A `fetch` that fails where a stream was asked for and something whole came with a success: an error, a web page, or
 * an answer of an endpoint that does not stream. Read as a stream each is an empty one, and nobody would see what it says.
 */
export function streamedFetch(fetch: Fetch): Fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.ok || !response.body || !asksForStream(input, init) || !saysWhole(response))
      return response;
    const { isWhole, body } = await looked(response.body);
    const { status, statusText, headers } = response;
    const same = new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>, {
      status,
      statusText,
      headers,
    }); // chunks of the network
    if (!isWhole) return same;
    const text = (await same.text()).slice(0, maxShown);
    throw isAnswer(text) ? notStreamed() : notAnAnswer(text, response);
  };
}

function asksForStream(input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]): boolean {
  if (typeof init?.body === "string" && /"stream"\s*:\s*true/.test(init.body)) return true;
  return /:streamGenerateContent\b/.test(input instanceof Request ? input.url : String(input));
}

function saysWhole({ headers }: Response): boolean {
  return /json|html/i.test(headers.get("content-type") ?? "");
}

/** Some call a stream JSON: only what begins like JSON or a page is none. The body is handed on from its beginning. */
async function looked(
  body: ReadableStream<Uint8Array>,
): Promise<{ readonly isWhole: boolean; readonly body: ReadableStream<Uint8Array> }> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const read: Uint8Array[] = [];
  let start = "";
  while (start === "") {
    const { done, value } = await reader.read();
    if (done) break;
    read.push(value);
    start = decoder.decode(value, { stream: true }).trimStart();
  }
  const rest = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = read.length > 0 ? { done: false, value: read.shift() } : await reader.read();
      if (done || !value) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return { isWhole: start === "" || /^[{[<]|^null\b/.test(start), body: rest };
}

/** The members in which providers put an answer that is whole. */
function isAnswer(text: string): boolean {
  return /^\s*\{/.test(text) && /"(?:choices|candidates|output|content)"\s*:\s*\[\s*\{/.test(text);
}

function notStreamed(): HoldpointError {
  return new HoldpointError("model_failed", "a stream was asked for, and a whole answer came", {
    fix: "This endpoint does not stream: set `stream: false` for it in `providers`.",
  });
}

/** In the form of the SDK's errors, which tells apart what the body says. */
function notAnAnswer(responseBody: string, { status, headers, url }: Response): Error {
  return Object.assign(
    new Error(responseBody.trim() === "" ? "an empty response" : "Invalid JSON response"),
    {
      name: "AI_JSONParseError",
      statusCode: status,
      responseHeaders: Object.fromEntries(headers),
      responseBody,
      url,
    },
  );
}
