import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { captureWire } from "../../../src/models/wire/capture-wire.ts";
import { wireFetch } from "../../../src/models/wire/wire-fetch.ts";
import type { ModelInput } from "../../../src/ports/model.ts";
import { callOptionsOf, type Loopback, models, openLoopback } from "./providers.ts";

let loopback: Loopback;
beforeEach(async () => {
  loopback = await openLoopback();
  loopback.respond = (response) =>
    response.writeHead(200, { "content-type": "application/json" }).end(answer);
});
afterEach(() => loopback.close());

const answer = JSON.stringify({
  id: "1",
  model: "llama",
  choices: [{ index: 0, message: { role: "assistant", content: "done" }, finish_reason: "stop" }],
});
const events = `data: ${JSON.stringify({ id: "1", choices: [{ index: 0, delta: { content: "done" }, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`;

function inputOf(content: string): ModelInput {
  return {
    messages: [
      { role: "system", content: "Be brief. Größe 🧾" },
      { role: "user", content },
    ],
    tools: [],
    maxOutputTokens: 321,
  };
}
const input = inputOf("Refund order A7.");

function llama(
  fetch?: typeof globalThis.fetch,
  addition?: Readonly<Record<string, unknown>>,
): LanguageModelV4 {
  return createOpenAICompatible({
    name: "local",
    baseURL: loopback.baseURL,
    ...(fetch && { fetch }),
    ...(addition && { transformRequestBody: (body) => ({ ...body, ...addition }) }),
  })("llama");
}

const secondTool = { tools: [{ type: "function", function: { name: "shell", parameters: {} } }] };

function recordOf(body: Buffer | undefined) {
  const bytes = body ?? Buffer.alloc(0);
  return { digest: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
}

async function call(model: LanguageModelV4, how: { strict?: boolean; given?: ModelInput } = {}) {
  const { given = input, strict } = how;
  const options = await callOptionsOf(given);
  const check = { id: "local/llama", input: given, ...(strict !== undefined && { strict }) };
  return captureWire(check, () => model.doGenerate(options));
}

const ways = [
  {
    name: "with our fetch",
    make: (addition?: Readonly<Record<string, unknown>>) => llama(wireFetch(), addition),
  },
  { name: "without it", make: (addition?: Readonly<Record<string, unknown>>) => llama(undefined, addition) },
];

for (const { name, make } of ways) {
  describe(`a model object ${name}`, () => {
    test("records the very bytes that the server got", async () => {
      const { result, wire, warnings } = await call(make());
      expect(result.content).toEqual([{ type: "text", text: "done" }]);
      expect(wire).toEqual(recordOf(loopback.bodies[0]));
      expect(warnings).toEqual([]);
    });

    test("records them of a stream", async () => {
      loopback.respond = (response) =>
        response.writeHead(200, { "content-type": "text/event-stream" }).end(events);
      const model = make();
      const options = await callOptionsOf(input);
      const { result, wire } = await captureWire({ id: "local/llama", input }, () => model.doStream(options));
      await result.stream.cancel();
      expect(wire).toEqual(recordOf(loopback.bodies[0]));
    });

    test("lets differences pass as warnings when it is not strict", async () => {
      const { wire, warnings } = await call(make(secondTool), { strict: false });
      expect(warnings).toEqual(["wire: tool_added: the tool shell is offered"]);
      expect(wire).toEqual(recordOf(loopback.bodies[0]));
    });

    test("warns of what is merely unknown when it is strict, too", async () => {
      const { warnings } = await call(make({ turbo: true }));
      expect(warnings).toEqual(['wire: member_added: turbo is sent, for which nobody asked: "true"']);
    });

    test("keeps calls at the same time apart", async () => {
      const model = make();
      const inputs = Array.from({ length: 20 }, (_, index) => inputOf(`Refund order A${index}.`));
      const captured = await Promise.all(inputs.map((given) => call(model, { given })));
      const records = loopback.bodies.map((body) => recordOf(body));
      expect(new Set(captured.map(({ wire }) => wire?.digest)).size).toBe(20);
      expect(records).toEqual(expect.arrayContaining(captured.map(({ wire }) => wire)));
    });
  });
}

describe("strict mode", () => {
  test("refuses before anything is sent", async () => {
    const refused = await call(llama(wireFetch(), secondTool)).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "wire_mismatch",
      retryable: false,
      message:
        "the request to local/llama is not what the window asks for, and was not sent: the tool shell is offered",
      fix: expect.stringContaining("strict: false"),
      details: {
        differences: [{ kind: "tool_added", what: "the tool shell is offered" }],
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        bytes: expect.any(Number),
        isSent: false,
      },
    });
    expect(loopback.bodies).toEqual([]);
  });

  test("refuses the answer where it is too late for more, and ends the stream", async () => {
    const hungUp = new Promise<void>((resolve) => {
      loopback.respond = (response) => {
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .write(events.split("data: [DONE]")[0]);
        response.once("close", resolve);
      };
    });
    const model = llama(undefined, secondTool);
    const options = await callOptionsOf(input);
    await expect(
      captureWire({ id: "local/llama", input }, () => model.doStream(options)),
    ).rejects.toMatchObject({
      code: "wire_mismatch",
      message: expect.stringContaining("its answer is not used"),
      details: { isSent: true },
    });
    await hungUp;
  });

  test("names five differences, and counts the others", async () => {
    const many = {
      tools: Array.from({ length: 9 }, (_, index) => ({ type: "web_search", name: `t${index}` })),
    };
    await expect(call(llama(wireFetch(), many))).rejects.toThrow(/t4 .*; and 4 more differences$/);
  });

  test("shows no more than a few words of any text", async () => {
    const secretive = { system: `${"Never refund. ".repeat(500)}sk-live-1234567890` };
    const error = await call(llama(wireFetch(), secretive)).catch((caught: unknown) => caught);
    expect(JSON.stringify([String(error), error])).not.toContain("sk-live");
  });
});

describe("more than one request in a call", () => {
  /** A model object that first uploads, asks for a token, or tries twice. */
  function chatty(before: (fetch: typeof globalThis.fetch) => Promise<unknown>): LanguageModelV4 {
    const fetch = wireFetch();
    const model = llama(fetch);
    return {
      ...model,
      specificationVersion: "v4",
      provider: model.provider,
      modelId: model.modelId,
      supportedUrls: {},
      doGenerate: async (options) => {
        await before(fetch);
        return model.doGenerate(options);
      },
      doStream: (options) => model.doStream(options),
    };
  }

  test("an upload is warned of, and is not the request", async () => {
    const form = new FormData();
    form.set("file", new Blob(["x"]), "a.txt");
    const model = chatty((fetch) => fetch(`${loopback.baseURL}/files`, { method: "POST", body: form }));
    const { wire, warnings } = await call(model);
    expect(wire).toEqual(recordOf(loopback.bodies[1]));
    expect(warnings).toEqual(["wire: a request that is no text was sent, and not compared"]);
  });

  test("a request for a token is warned of, and is not the request", async () => {
    const body = JSON.stringify({ grant_type: "client_credentials" });
    const model = chatty((fetch) => fetch(`${loopback.baseURL}/token`, { method: "POST", body }));
    const { wire, warnings } = await call(model);
    expect(wire).toEqual(recordOf(loopback.bodies[1]));
    expect(warnings[0]).toBe(
      "wire: form_unknown: the request is in no known form: only its texts were compared",
    );
  });

  test("a token that is asked for afterwards is not the request either", async () => {
    const fetch = wireFetch();
    const model = llama(fetch);
    const options = await callOptionsOf(input);
    const { wire } = await captureWire({ id: "local/llama", input }, async () => {
      const result = await model.doGenerate(options);
      await fetch(`${loopback.baseURL}/usage`, { method: "POST", body: "{}" });
      return result;
    });
    expect(wire).toEqual(recordOf(loopback.bodies[0]));
  });

  test("a download has no body, and is no matter", async () => {
    const { wire, warnings } = await call(chatty((fetch) => fetch(`${loopback.baseURL}/models`)));
    expect(wire).toEqual(recordOf(loopback.bodies[1]));
    expect(warnings).toEqual([]);
  });

  test("every one of a conversation is checked", async () => {
    const body = JSON.stringify({
      model: "llama",
      max_tokens: 321,
      messages: [{ role: "user", content: "Summarise." }],
    });
    const model = chatty((fetch) => fetch(loopback.baseURL, { method: "POST", body }));
    await expect(call(model)).rejects.toMatchObject({ code: "wire_mismatch" });
    expect(loopback.bodies).toEqual([]);
  });

  test("in bytes, and in a Request, as well", async () => {
    const body = JSON.stringify({
      model: "llama",
      max_tokens: 321,
      messages: [{ role: "user", content: "Summarise." }],
    });
    for (const send of [
      (fetch: typeof globalThis.fetch) =>
        fetch(loopback.baseURL, { method: "POST", body: Buffer.from(body) }),
      (fetch: typeof globalThis.fetch) => fetch(new Request(loopback.baseURL, { method: "POST", body })),
    ])
      await expect(call(chatty(send))).rejects.toMatchObject({ code: "wire_mismatch" });
    expect(loopback.bodies).toEqual([]);
  });
});

describe("nothing to see", () => {
  test("a result that shows no request has no record", async () => {
    const captured = await captureWire({ id: "local/llama", input }, async () => ({ text: "done" }));
    expect(captured).toEqual({ result: { text: "done" }, wire: null, warnings: [] });
  });

  test("a request that is shown as text is read", async () => {
    const body = JSON.stringify({ model: "m", max_tokens: 321, messages: input.messages });
    const { wire } = await captureWire({ id: "local/llama", input }, async () => ({ request: { body } }));
    expect(wire).toEqual(recordOf(Buffer.from(body)));
  });

  test("outside of a call, requests are nobody's business", async () => {
    const response = await wireFetch()(loopback.baseURL, { method: "POST", body: "anything at all" });
    expect(await response.text()).toBe(answer);
    expect(loopback.bodies.map(String)).toEqual(["anything at all"]);
  });

  test("a request in an unknown form is compared text by text, and warned of", async () => {
    const body = {
      system: [{ text: "Be brief. Größe 🧾" }],
      messages: [{ role: "user", content: [{ text: "Refund order A7, and be quick about it." }] }],
      inferenceConfig: { maxTokens: 321 },
    };
    const { warnings } = await captureWire({ id: "bedrock/x", input }, async () => ({ request: { body } }));
    expect(warnings).toEqual([
      "wire: form_unknown: the request is in no known form: only its texts were compared",
      'wire: form_unknown: the text "Refund order A7." is not found in it',
      'wire: form_unknown: it holds "Refund order A7, and be quick about it.", which is not in the window',
    ]);
  });

  const odd = [
    null,
    1,
    "prose",
    [],
    {},
    { messages: "none", model: "m" },
    { messages: [null, 1, [], {}], model: "m" },
  ];
  const odder = [
    { contents: [null, { parts: [null, {}] }, { role: 1 }], tools: [null], generationConfig: 1 },
    { input: [null, 1, {}, { type: "message" }], tools: [null, {}], text: 1 },
    {
      model: "m",
      messages: [{ role: "assistant", tool_calls: [null, { function: null }], content: [1] }],
      tools: 1,
    },
  ];
  for (const body of [...odd, ...odder])
    test(`${JSON.stringify(body)} is told from the window without a stumble`, async () => {
      const seen = captureWire({ id: "m", input, strict: false }, async () => ({ request: { body } }));
      expect((await seen).warnings.length).toBeGreaterThan(0);
    });
});

describe("a response", () => {
  const limited = wireFetch({ maxResponseBytes: 1_000 });
  const tooLarge = {
    code: "model_failed",
    retryable: false,
    message: "the response of the provider is longer than 1000 bytes",
  };

  test("of the largest size comes whole", async () => {
    loopback.respond = (response) => response.writeHead(200).end("x".repeat(1_000));
    expect(await (await limited(loopback.baseURL)).text()).toHaveLength(1_000);
  });

  test("that says that it is larger is not read", async () => {
    loopback.respond = (response) =>
      response.writeHead(200, { "content-length": "1001" }).end("x".repeat(1_001));
    await expect(limited(loopback.baseURL)).rejects.toMatchObject(tooLarge);
  });

  test("that never ends is hung up on", async () => {
    const hungUp = new Promise<void>((resolve) => {
      loopback.respond = (response) => {
        response.once("close", resolve);
        response.writeHead(200);
        const more = () => response.write("x".repeat(500), (error) => error ?? more());
        more();
      };
    });
    const response = await limited(loopback.baseURL);
    await expect(response.text()).rejects.toMatchObject(tooLarge);
    await hungUp;
  });

  test("is counted as it is unpacked", async () => {
    loopback.respond = (response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(100_000)));
    const response = await limited(loopback.baseURL);
    await expect(response.text()).rejects.toMatchObject(tooLarge);
  });

  test("without a body is left as it is", async () => {
    loopback.respond = (response) => response.writeHead(204).end();
    expect((await limited(loopback.baseURL)).status).toBe(204);
  });

  test("comes through a provider's package as the error that it is", async () => {
    loopback.respond = (response) =>
      response.writeHead(200, { "content-type": "application/json" }).end("x".repeat(2_000));
    for (const make of Object.values(models)) {
      const model = make({ baseURL: loopback.baseURL, fetch: limited });
      const answered = Promise.resolve(model.doGenerate(await callOptionsOf(input)));
      const error = await answered.catch((caught: unknown) => caught);
      const causes: unknown[] = [];
      for (let each: unknown = error; each instanceof Error; each = each.cause) causes.push(each);
      expect(causes).toEqual(expect.arrayContaining([expect.objectContaining(tooLarge)]));
    }
  });
});
