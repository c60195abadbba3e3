// Reasoning goes back to the provider that made it, as that provider asks, and to no other. Recorded responses of
// vercel/ai (Apache-2.0) and pydantic/pydantic-ai (MIT), read from where they lie.
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ModelInput, ModelOutput } from "../../src/ports/model.ts";
import { asStream } from "./as-stream.ts";
import {
  eventStream,
  input,
  json,
  modelAt,
  neverAborted,
  openLoopback,
  type ProviderName,
  providers,
  toEvents,
} from "./loopback.ts";

const data = new URL("../../../shared/data/", import.meta.url);
const has = ["ai-sdk-fixtures", "pydantic-ai-cassettes"].every((name) => existsSync(new URL(name, data)));
const reason = has
  ? ""
  : " (skipped: ../shared/data/ai-sdk-fixtures or ../shared/data/pydantic-ai-cassettes is not here)";

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON of four APIs; a wrong guess at its shape fails the test.
type Recorded = any;

function fixture(file: string): Recorded {
  return JSON.parse(readFileSync(new URL(`ai-sdk-fixtures/${file}`, data), "utf8"));
}

function cassette(file: string): Recorded {
  const path = new URL(`pydantic-ai-cassettes/models/${file}.json`, data);
  return JSON.parse(readFileSync(path, "utf8")).interactions[0].response.body;
}

interface Case {
  readonly name: string;
  readonly provider: ProviderName;
  readonly api: Parameters<typeof asStream>[0];
  readonly model?: string;
  readonly response: () => Recorded;
  /** What of the second request the provider needs. */
  readonly sentBack: (body: Recorded) => unknown;
  /** The same, from what the provider sent. */
  readonly made: (response: Recorded) => unknown;
  /** A piece of it that no other provider may see. */
  readonly opaque: (response: Recorded) => string;
}

const cases: readonly Case[] = [
  {
    name: "Anthropic's signed thinking",
    provider: "anthropic",
    api: "anthropic",
    response: () => cassette("test_anthropic/test_anthropic_tool_with_thinking"),
    sentBack: (body) => body.messages[1].content[0],
    made: (response) => response.content[0],
    opaque: (response) => response.content[0].signature,
  },
  {
    name: "Anthropic's redacted thinking",
    provider: "anthropic",
    api: "anthropic",
    response: () => cassette("test_anthropic/test_anthropic_model_thinking_part_redacted"),
    sentBack: (body) => body.messages[1].content[0],
    made: (response) => response.content[0],
    opaque: (response) => response.content[0].data,
  },
  {
    name: "OpenAI's encrypted reasoning",
    provider: "openai",
    api: "responses",
    response: () => cassette("test_openai_responses/test_openai_responses_thinking_with_tool_calls"),
    sentBack: ({ input: [, item], store, include }) => ({ item, store, include }),
    made: ({ output: [{ id, encrypted_content, summary }] }) => ({
      item: { type: "reasoning", id, encrypted_content, summary },
      store: false,
      include: ["reasoning.encrypted_content"],
    }),
    opaque: (response) => response.output[0].encrypted_content,
  },
  {
    name: "Google's signature of a call",
    provider: "google",
    api: "google",
    model: "google/gemini-3-pro-preview",
    response: () => fixture("google/google-tool-call-gemini3.json"),
    sentBack: (body) => body.contents[1].parts[0].thoughtSignature,
    made: (response) => response.candidates[0].content.parts[0].thoughtSignature,
    opaque: (response) => response.candidates[0].content.parts[0].thoughtSignature,
  },
  {
    name: "a compatible endpoint's reasoning",
    provider: "compatible",
    api: "chat",
    response: () => fixture("deepseek/chat/deepseek-tool-call.json"),
    sentBack: (body) => body.messages[1].reasoning_content,
    made: (response) => response.choices[0].message.reasoning_content,
    opaque: (response) => response.choices[0].message.reasoning_content,
  },
];

/** As the window puts it: the calls under ids of ours. */
function nextInput(output: ModelOutput): ModelInput {
  const { text, reasoning = [] } = output;
  const calls = output.calls.map((call, index) => ({ ...call, callId: `decide_1_${index}` }));
  return {
    ...input,
    messages: [
      ...input.messages,
      { role: "assistant", content: text, calls, reasoning },
      ...calls.map(({ callId, tool }) => ({ role: "tool" as const, callId, tool, content: "18 degrees" })),
      { role: "user", content: "Go on." },
    ],
  };
}

describe.skipIf(!has)(`reasoning${reason}`, () => {
  for (const { name, provider, api, model, response, sentBack, made, opaque } of cases) {
    for (const way of ["at once", "streamed"] as const) {
      test(`${name} goes back as it came, and to nobody else (${way})`, async () => {
        const recorded = response();
        const server = await openLoopback();
        const own = await modelAt(provider, server.url, model === undefined ? {} : { model });
        server.respond =
          way === "at once" ? json(JSON.stringify(recorded)) : eventStream(toEvents(asStream(api, recorded)));
        const onProgress = way === "at once" ? {} : { onProgress: () => {} };
        const output = await own.generate(input, { signal: neverAborted, ...onProgress });
        const stored: ModelOutput = JSON.parse(JSON.stringify(output)); // as the log keeps it
        server.respond = json("{}", 500);
        await own.generate(nextInput(stored), { signal: neverAborted }).catch(() => {});
        expect(sentBack(server.received[1]?.body)).toEqual(made(recorded));
        for (const other of Object.keys(providers) as ProviderName[]) {
          if (other === provider) continue;
          const fallback = await modelAt(other, server.url);
          await fallback.generate(nextInput(stored), { signal: neverAborted }).catch(() => {});
        }
        expect(server.received).toHaveLength(5);
        for (const { body } of server.received.slice(2))
          expect(JSON.stringify(body)).not.toContain(JSON.stringify(opaque(recorded)).slice(1, 60));
      });
    }
  }
});
