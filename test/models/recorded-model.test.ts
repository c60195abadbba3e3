// A real provider package over real HTTP is recorded once; then the server is gone, and the recording does as well.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import {
  agent,
  closeRuntime,
  type Model,
  openEmbedded,
  settleThreads,
  startThread,
  tool,
} from "../../src/index.ts";
import { aiSdkModel } from "../../src/models/ai-sdk.ts";
import { recordedModel, recordModel } from "../../src/testing/index.ts";

const apiKey = "sk-test-4f9aK2xQ7bT1mV8cR5nZ3wY6";

const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"place":"Rome"}' } };
const replies = [
  { message: { role: "assistant", content: null, tool_calls: [call] }, finish_reason: "tool_calls" },
  { message: { role: "assistant", content: "Sunny in Rome." }, finish_reason: "stop" },
];

/** Answers like a chat completions API, and repeats the key that it was given, as some do in their errors. */
async function startServer(): Promise<{ readonly url: string; close(): Promise<void> }> {
  let count = 0;
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const reply = replies[count++];
      response.writeHead(reply ? 200 : 429, { "content-type": "application/json", "retry-after": "7" });
      const error = { message: `quota of ${request.headers.authorization} exceeded`, type: "quota" };
      response.end(
        JSON.stringify(
          reply
            ? { id: `chat_${count}`, created: 1, model: "m", choices: [{ index: 0, ...reply }] }
            : { error },
        ),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function run(folder: string, model: Model): Promise<unknown> {
  const weather = tool({
    name: "weather",
    description: "Tells the weather.",
    input: z.object({ place: z.string() }),
    risk: "low",
    effect: "read",
    run: ({ place }) => ({ place, sky: "clear" }),
  });
  const desk = agent({ name: "weather", prompt: "Tell the weather.", tools: [weather], model });
  const path = join(folder, "holdpoint.db");
  const runtime = await openEmbedded({ path, agents: [desk], stream: false }); // the server knows no streams
  const { threadId } = await startThread(runtime, desk.name, "Rome?", { by: "test" });
  await settleThreads(runtime, [threadId], { signal: new AbortController().signal });
  const events = await runtime.store.read(threadId);
  await closeRuntime(runtime);
  return events.flatMap((event): readonly unknown[] => {
    if (event.type === "decision_made") return [event.decision];
    return event.type === "thread_completed" ? [event.output] : [];
  });
}

test("a thread on a recording is the thread that was recorded, without a network and without its key", async () => {
  const folder = await mkdtemp(join(tmpdir(), "recorded-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "weather.jsonl");
  const server = await startServer();
  const provider = createOpenAICompatible({ name: "compatible", baseURL: server.url, apiKey });
  const real = aiSdkModel(provider("m"));
  const recorder = recordModel(real, { path, secrets: new Map([["API_KEY", apiKey]]) });
  const recorded = await run(join(folder, "first"), recorder);
  const signal = new AbortController().signal;
  const extra = { messages: [{ role: "user" as const, content: "more" }], tools: [], maxOutputTokens: 10 };
  const refused = await recorder.generate(extra, { signal }).catch((error: unknown) => error);
  await server.close();

  const text = await readFile(path, "utf8");
  expect(text).not.toContain(apiKey);
  expect(text.trimEnd().split("\n")).toHaveLength(4);
  const played = await recordedModel({ path });
  expect(await run(join(folder, "second"), played)).toEqual(recorded);
  expect(recorded).toMatchObject([{ kind: "calls" }, { kind: "answer" }, { value: "Sunny in Rome." }]);
  const { code, retryable, retryAfterMs } = refused as {
    code: string;
    retryable: boolean;
    retryAfterMs?: number;
  };
  await expect(played.generate(extra, { signal })).rejects.toMatchObject({ code, retryable, retryAfterMs });
  expect(played.remaining).toBe(0);
});
