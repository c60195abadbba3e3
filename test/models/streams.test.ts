// Recorded responses of the providers (Apache-2.0, vercel/ai), served over loopback HTTP to the real provider packages:
// at once, in pieces, cut off after every piece.
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isHoldpointError } from "../../src/core/errors.ts";
import type { Model, ModelOutput, ModelProgress } from "../../src/ports/model.ts";
import { asStream } from "./as-stream.ts";
import {
  eventStream,
  fixturesFolder,
  hasFixtures,
  input,
  json,
  type Loopback,
  modelAt,
  neverAborted,
  openLoopback,
  type ProviderName,
  readFixture,
  toEvents,
  whySkipped,
} from "./loopback.ts";

interface Kind {
  readonly provider: ProviderName;
  readonly api: Parameters<typeof asStream>[0];
  readonly folders: readonly string[];
  readonly model?: string;
}

const kinds: readonly Kind[] = [
  { provider: "anthropic", api: "anthropic", folders: ["anthropic"] },
  { provider: "openai", api: "responses", folders: ["openai/responses"] },
  { provider: "google", api: "google", folders: ["google"] },
  {
    provider: "compatible",
    api: "chat",
    folders: ["openai-compatible/chat", "openai/chat", "deepseek/chat", "groq", "mistral", "moonshotai"],
  },
];

/** Of OpenAI's own tools, which Holdpoint does not offer: the package writes a member in two ways. */
const differs = ["openai/responses/openai-local-shell-tool.1.json"];

/** The output, or the error's code: never anything else. */
async function outcome(model: Model, progress?: ModelProgress[]): Promise<ModelOutput | string> {
  try {
    const onProgress = progress && ((piece: ModelProgress) => void progress.push(piece));
    return await model.generate(input, { signal: neverAborted, ...(onProgress && { onProgress }) });
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return error.code;
  }
}

function files({ folders }: Kind, extension: string): string[] {
  return folders.flatMap((folder) =>
    readdirSync(new URL(folder, fixturesFolder))
      .filter((name) => name.endsWith(extension))
      .map((name) => `${folder}/${name}`),
  );
}

/** Ids that the package makes up where the response has none. */
function comparable(output: ModelOutput | string): unknown {
  if (typeof output === "string") return output;
  const { firstTokenMs: _, wire, ...rest } = output; // the requests differ in that one asks for a stream
  return {
    ...rest,
    isCaptured: wire !== undefined,
    calls: rest.calls.map((call) =>
      /^[A-Za-z0-9]{16}$/.test(call.callId) ? { ...call, callId: "made up" } : call,
    ),
  };
}

describe.skipIf(!hasFixtures)(`streams${whySkipped}`, () => {
  for (const kind of kinds) {
    test(`${kind.provider}: every recorded response comes out the same, streamed or at once`, async () => {
      const server = await openLoopback();
      const model = await modelAt(kind.provider, server.url);
      const counts = { outputs: 0, errors: 0 };
      for (const file of files(kind, ".json").filter((name) => !differs.includes(name))) {
        const recorded = JSON.parse(readFixture(file));
        server.respond = json(JSON.stringify(recorded));
        const atOnce = await outcome(model);
        let events: string[];
        try {
          events = asStream(kind.api, recorded);
        } catch {
          expect(typeof atOnce, file).toBe("string"); // an error's body, or no response at all
          counts.errors += 1;
          continue;
        }
        server.respond = eventStream(toEvents(events));
        const progress: ModelProgress[] = [];
        const streamed = await outcome(model, progress);
        expect(comparable(streamed), file).toEqual(comparable(atOnce));
        counts[typeof streamed === "string" ? "errors" : "outputs"] += 1;
        if (typeof streamed !== "string") expect(shown(progress), file).toEqual(said(streamed));
      }
      console.info(`${kind.provider}: ${JSON.stringify(counts)}`);
    });
  }

  for (const kind of kinds) {
    test(`${kind.provider}: a recorded stream that is cut after any of its chunks gives the same, or an error`, async () => {
      const server = await openLoopback();
      const model = await modelAt(kind.provider, server.url);
      const counts = { streams: 0, cuts: 0, same: 0, errors: 0 };
      for (const file of files(kind, ".chunks.txt")) {
        const chunks = firstResponse(readFixture(file));
        server.respond = eventStream(toEvents(chunks));
        const whole = decision(await outcome(model, []));
        counts.streams += 1;
        for (const length of cutsOf(chunks.length)) {
          server.respond = cutStream(toEvents(chunks.slice(0, length)), length % 2 === 0);
          const cut = decision(await outcome(model, []));
          counts.cuts += 1;
          if (typeof cut === "string") counts.errors += 1;
          else {
            counts.same += 1;
            expect(cut, `${file}, ${length} of ${chunks.length} chunks`).toEqual(whole);
          }
        }
      }
      expect(counts.errors).toBeGreaterThan(counts.cuts * 0.9);
      console.info(`${kind.provider}: ${JSON.stringify(counts)}`);
    });

    test(`${kind.provider}: a recorded stream that comes in pieces of three bytes gives the same`, async () => {
      let body = "";
      const fetch = async () => new Response(inPieces(body, 3));
      const split = await modelAt(kind.provider, "http://localhost", { fetch });
      const server = await openLoopback();
      const model = await modelAt(kind.provider, server.url);
      for (const file of files(kind, ".chunks.txt")) {
        body = toEvents(readFixture(file).split("\n"));
        server.respond = eventStream(body);
        expect(decision(await outcome(split, [])), file).toEqual(decision(await outcome(model, [])));
      }
    });
  }
});

/** One file holds the responses of several turns. */
function firstResponse(recorded: string): string[] {
  const lines = recorded.split("\n").filter((line) => line !== "");
  const end = lines.findIndex((line) => line.includes('"type":"response.completed"'));
  return end === -1 ? lines : lines.slice(0, end + 1);
}

/** Places to cut at: all of them, or 25 spread over a long stream. */
function cutsOf(length: number): number[] {
  const step = Math.max(1, length / 25);
  return [...new Set(Array.from({ length: Math.min(length, 25) }, (_, index) => Math.floor(index * step)))];
}

/** Ends cleanly, as when a proxy gives up, or with the connection. */
function cutStream(body: string, cleanly: boolean): Loopback["respond"] {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (cleanly) response.end(body);
    else response.write(`${body}:\n`, () => response.destroy());
  };
}

function inPieces(body: string, size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(body);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
      if (at >= bytes.length) controller.close();
    },
  });
}

/** What a decision is made of: usage comes after it, and may be lost. */
function decision(given: ModelOutput | string): unknown {
  if (typeof given === "string") return given;
  const { text, calls, finish } = comparable(given) as ModelOutput; // it is one
  return { text, calls, finish };
}

/** What was shown, put together. */
function shown(progress: readonly ModelProgress[]): unknown {
  const calls = new Map<string, string>();
  for (const piece of progress)
    if (piece.kind === "call")
      calls.set(piece.callId, `${calls.get(piece.callId) ?? `${piece.tool} `}${piece.text}`);
  return { text: textOf(progress, "text"), calls: [...calls.values()].map(callOf) };
}

function callOf(text: string): unknown {
  const space = text.indexOf(" ");
  return { tool: text.slice(0, space), args: JSON.parse(text.slice(space) || "{}") };
}

function textOf(progress: readonly ModelProgress[], kind: "text" | "reasoning"): string {
  return progress.map((piece) => (piece.kind === kind ? piece.text : "")).join("");
}

function said({ text, calls }: ModelOutput): unknown {
  return { text, calls: calls.map(({ tool, args }) => ({ tool, args })) };
}
