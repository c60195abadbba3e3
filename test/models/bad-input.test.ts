// What a provider, or whatever answers in its place, can do wrong: each ends as one typed error or one output, with
// each of the four real packages, at once and by stream. Deadlines are small options, never sleeps.
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { HoldpointError } from "../../src/core/errors.ts";
import type { ModelResolverOptions } from "../../src/models/resolve-model.ts";
import type { ModelInput, ModelOutput } from "../../src/ports/model.ts";
import { asStream } from "./as-stream.ts";
import {
  apiKey,
  input,
  json,
  type Loopback,
  modelAt,
  neverAborted,
  openLoopback,
  type ProviderName,
  providers,
  toEvents,
} from "./loopback.ts";

const providerNames = Object.keys(providers) as ProviderName[];
const ways = ["at once", "streamed"] as const;
type Way = (typeof ways)[number];

async function call(
  provider: ProviderName,
  baseURL: string,
  way: Way,
  options: ModelResolverOptions & { readonly input?: ModelInput; readonly signal?: AbortSignal } = {},
): Promise<ModelOutput | HoldpointError> {
  const { input: given = input, signal = neverAborted, ...rest } = options;
  const model = await modelAt(provider, baseURL, rest);
  try {
    return await model.generate(given, { signal, ...(way === "streamed" && { onProgress: () => {} }) });
  } catch (error) {
    if (error instanceof HoldpointError) return error;
    throw error;
  }
}

/** One of the port's errors, without the key. */
function expectError(given: ModelOutput | HoldpointError, expected: object = {}): void {
  expect(given).toBeInstanceOf(HoldpointError);
  expect(given).toMatchObject({ code: expect.stringMatching(/^model_/), ...expected });
  const { message, fix = "" } = given as HoldpointError; // just checked
  expect(message + fix).not.toContain(apiKey);
  expect(message.length).toBeLessThan(1_000);
}

/** `body` in the form in which the way is answered; a stream's has the same content in events. */
function forEach(
  run: (provider: ProviderName, way: Way) => Promise<void>,
  only: readonly ProviderName[] = providerNames,
): void {
  for (const provider of only) for (const way of ways) test(`${provider}, ${way}`, () => run(provider, way));
}

const answers = {
  anthropic: (text: string) => ({
    type: "message",
    id: "msg_1",
    model: "claude",
    role: "assistant",
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 2 },
  }),
  openai: (text: string) => ({
    id: "resp_1",
    created_at: 1,
    model: "gpt-5",
    output: [
      {
        id: "msg_1",
        type: "message",
        role: "assistant",
        content: [{ type: "output_text", text, annotations: [] }],
      },
    ],
    usage: { input_tokens: 1, output_tokens: 2 },
  }),
  google: (text: string) => ({
    candidates: [{ content: { role: "model", parts: [{ text }] }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2 },
  }),
  compatible: (text: string) => ({
    id: "1",
    created: 1,
    model: "llama",
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    usage: { prompt_tokens: 1, completion_tokens: 2 },
  }),
};

const apis = { anthropic: "anthropic", openai: "responses", google: "google", compatible: "chat" } as const;

/** A good answer, as the way has it. */
function answerBody(provider: ProviderName, way: Way, text: string): string {
  const answer = answers[provider](text);
  return way === "at once" ? JSON.stringify(answer) : toEvents(asStream(apis[provider], answer));
}

function contentType(way: Way): { readonly "content-type": string } {
  return { "content-type": way === "at once" ? "application/json" : "text/event-stream" };
}

const html = "<!doctype html><p>Welcome to the Wi-Fi</p>";
const errorBody = JSON.stringify({
  type: "error",
  error: { message: `no: ${apiKey}`, type: "api_error", code: 500, status: "INTERNAL" },
});

const refusals: readonly { readonly name: string; readonly respond: Loopback["respond"] }[] = [
  { name: "a wrong key", respond: json(errorBody, 401) },
  { name: "a key without the right", respond: json(errorBody, 403) },
  { name: "an unknown model", respond: json(errorBody, 404) },
  { name: "a page with status 200", respond: json(html) },
  {
    name: "a gateway's page",
    respond: (response) => response.writeHead(502, { "content-type": "text/html" }).end(html),
  },
  { name: "an error with status 200", respond: json(errorBody) },
  {
    name: "an error as the first event",
    respond: (response) => response.writeHead(200, contentType("streamed")).end(toEvents([errorBody])),
  },
  { name: "nothing at all", respond: (response) => response.writeHead(200).end() },
  { name: "null", respond: json("null") },
  { name: "an empty list", respond: json("[]") },
  {
    name: "garbage in events",
    respond: (response) => response.writeHead(200).end(toEvents(['{"a":', "[DONE]"])),
  },
  { name: "a connection that closes", respond: (response) => response.destroy() },
  {
    name: "what claims to be compressed, and is not",
    respond: (response) => response.writeHead(200, { "content-encoding": "gzip" }).end("no"),
  },
];

for (const { name, respond } of refusals) {
  describe(name, () => {
    forEach(async (provider, way) => {
      const server = await openLoopback(respond);
      expectError(await call(provider, server.url, way));
      expect(server.received).toHaveLength(1);
    });
  });
}

describe("a host that is not there", () => {
  forEach(async (provider, way) => {
    const unused = createServer();
    await new Promise<void>((resolve) => unused.listen(0, "127.0.0.1", resolve));
    const { port } = unused.address() as AddressInfo; // it listens on a port, so it has one
    await new Promise((resolve) => unused.close(resolve));
    expectError(await call(provider, `http://127.0.0.1:${port}`, way), { retryable: true });
  });
});

describe("a name that no resolver knows", () => {
  forEach(async (provider, way) => {
    expectError(await call(provider, `http://${"x".repeat(64)}.invalid`, way)); // too long a label: nobody is asked
  });
});

describe("TLS with a server that speaks none", () => {
  forEach(async (provider, way) => {
    const server = await openLoopback();
    expectError(await call(provider, server.url.replace("http:", "https:"), way));
  });
});

describe("a certificate that nobody vouches for", () => {
  forEach(async (provider, way) => {
    const server = createTlsServer({ key, cert }, (_, response) => response.end("{}"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo; // as above
    expectError(await call(provider, `https://localhost:${port}`, way));
  });
});

/** Writes for as long as somebody reads; counts what it wrote. */
function pour(chunk: string | Buffer, way: Way, start = "", most = 100_000_000) {
  const poured = { bytes: 0 };
  const respond: Loopback["respond"] = (response) => {
    response.on("error", () => {});
    response.writeHead(200, contentType(way));
    response.write(start);
    const more = (): void => {
      while (poured.bytes < most && !response.destroyed) {
        poured.bytes += chunk.length;
        if (!response.write(chunk)) return;
      }
      response.end();
    };
    response.on("drain", more);
    more();
  };
  return { poured, respond };
}

const tooLong = { code: "model_failed", retryable: false, message: expect.stringMatching(/bytes/) };

describe("100 MB in one string", () => {
  forEach(async (provider, way) => {
    const { poured, respond } = pour("x".repeat(65_536), way, way === "at once" ? '{"id":"' : "data: {");
    const server = await openLoopback(respond);
    expectError(await call(provider, server.url, way), tooLong);
    expect(poured.bytes).toBeLessThan(40_000_000);
  });
});

describe("a stream of text that does not end", () => {
  for (const provider of providerNames)
    test(provider, async () => {
      const events = toEvents(asStream(apis[provider], answers[provider]("x".repeat(70)))).split(/(?<=\n\n)/);
      const deltas = events.filter((event) => event.includes("xxxxxxx"));
      const delta = deltas[1] ?? "";
      const start = events.slice(0, events.indexOf(deltas[0] ?? "") + 1).join("");
      const { respond } = pour(delta.repeat(100), "streamed", start);
      const server = await openLoopback(respond);
      expectError(await call(provider, server.url, "streamed", { maxResponseBytes: 200_000 }), tooLong);
    });
});

describe("a bomb in gzip", () => {
  const bomb = gzipSync(Buffer.alloc(100_000_000, " "));
  forEach(async (provider, way) => {
    const server = await openLoopback((response) => {
      response.writeHead(200, { ...contentType(way), "content-encoding": "gzip" }).end(bomb);
    });
    expectError(await call(provider, server.url, way), tooLong);
  });
});

describe("a length that is too much by its own account", () => {
  forEach(async (provider, way) => {
    const server = await openLoopback((response) => {
      response.writeHead(200, { ...contentType(way), "content-length": "99999999999" }).flushHeaders();
    });
    expectError(await call(provider, server.url, way), tooLong);
  });
});

describe("a stream that stalls in the middle", () => {
  for (const provider of providerNames)
    test(provider, async () => {
      const body = answerBody(provider, "streamed", "x".repeat(70));
      const hungUp = Promise.withResolvers<void>();
      const server = await openLoopback((response) => {
        response.once("close", hungUp.resolve);
        response.writeHead(200, contentType("streamed")).write(body.slice(0, body.length / 2));
      });
      const error = await call(provider, server.url, "streamed", { idleMs: 50 });
      expectError(error, { code: "model_timeout", retryable: true });
      await hungUp.promise;
    });
});

describe("a server that says nothing, until the caller has had enough", () => {
  forEach(async (provider, way) => {
    const controller = new AbortController();
    const hungUp = Promise.withResolvers<void>();
    const server = await openLoopback((response) => {
      response.once("close", hungUp.resolve);
      controller.abort(new HoldpointError("model_timeout", "enough"));
    });
    const error = await call(provider, server.url, way, { signal: controller.signal });
    expect(error).toBe(controller.signal.reason);
    await hungUp.promise;
  });
});

describe("a response whose connection breaks in the middle", () => {
  forEach(async (provider, way) => {
    const body = answerBody(provider, way, "x".repeat(70));
    const server = await openLoopback((response) => {
      response
        .writeHead(200, contentType(way))
        .write(body.slice(0, body.length / 2), () => response.destroy());
    });
    expectError(await call(provider, server.url, way), { code: "model_interrupted", retryable: true });
  });
});

describe("bytes that are no UTF-8", () => {
  forEach(async (provider, way) => {
    const invalid = Buffer.from([0xff, 0xc3]);
    const pieces = answerBody(provider, way, "a~b").split("~"); // some events repeat the text
    const server = await openLoopback((response) => {
      response.writeHead(200, contentType(way));
      response.end(
        Buffer.concat(pieces.flatMap((piece, at) => [...(at === 0 ? [] : [invalid]), Buffer.from(piece)])),
      );
    });
    expect(await call(provider, server.url, way)).toMatchObject({ text: "a\ufffd\ufffdb", finish: "stop" });
  });
});

describe("a provider that ignores the schema", () => {
  const output = { name: "answer", schema: { type: "object", properties: { a: { type: "integer" } } } };
  forEach(async (provider, way) => {
    const server = await openLoopback((response) => {
      response.writeHead(200, contentType(way)).end(answerBody(provider, way, "I'd rather not."));
    });
    const given = { input: { ...input, tools: [], output }, strict: false };
    const answer = await call(provider, server.url, way, given);
    expect(answer).toMatchObject({ text: "I'd rather not.", finish: "stop" });
    const { warnings = [] } = answer as ModelOutput; // just checked
    const body = JSON.stringify(server.received[0]?.body);
    if (body.includes('"integer"')) return; // the provider was told
    expect(warnings).toEqual([
      expect.stringMatching(/^unsupported: responseFormat/),
      expect.stringMatching(/^wire: schema_dropped/),
    ]);
  });

  test("a compatible endpoint is told it when it is said to take one", async () => {
    const server = await openLoopback(json(JSON.stringify(answers.compatible('{"a":1}'))));
    const compatible = { baseURL: server.url, supportsStructuredOutputs: true };
    const given = { input: { ...input, tools: [], output }, providers: { compatible } };
    expect(await call("compatible", server.url, "at once", given)).not.toHaveProperty("warnings");
    expect(server.received[0]?.body.response_format).toMatchObject({ type: "json_schema" });
  });
});

/** Made for this test; good for nothing. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQga9lJhVKAh8XohxZ0
GaRewEO5AtOQIYGsae9eJqGR4UOhRANCAASUBCT+kb25EA3IU9uqZIcv6VNWAYJ5
SgYwKfNyv/rgDQyn7x5W7dkSYYf/UM6HWI/3uUKE12pVe0mQhDsBqUVg
-----END PRIVATE KEY-----
`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUXrv/CTlVPJ+0tyxlQwVfG1Dx6YwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDA0MjI1MloYDzIxMjYxMDMx
MDQyMjUyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASUBCT+kb25EA3IU9uqZIcv6VNWAYJ5SgYwKfNyv/rgDQyn7x5W7dkS
YYf/UM6HWI/3uUKE12pVe0mQhDsBqUVgo1MwUTAdBgNVHQ4EFgQUcGabFo4hpH28
KGmjGzGJrUieMj8wHwYDVR0jBBgwFoAUcGabFo4hpH28KGmjGzGJrUieMj8wDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAoJmeJgqiRFqhQwz53cNR
K6phYnyDVRY0tIB0lhWRmkECICV+fu5V4dV5Iu1Q8cvbryATJQje3Egbkfbgrkku
HiWR
-----END CERTIFICATE-----
`;
