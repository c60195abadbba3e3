// Recorded streams that end in tool calls, over loopback HTTP, to a real runtime on a real file, cut off again and again
// before they come whole: from a cut stream no tool runs, and from the whole one each call runs once.
import { describe, expect, test } from "vitest";
import { agent } from "../../src/core/agent.ts";
import type { Json } from "../../src/core/json.ts";
import { aiSdkModel } from "../../src/models/ai-sdk.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { openTestRuntime, tempFolder } from "../kit/runtime.ts";
import { type Exchange, hasCorpus, whyNoCorpus } from "./corpus.ts";
import { lowRiskTool, type Outcome, replay } from "./corpus-outcome.ts";
import { createRealModel } from "./corpus-packages.ts";
import { judgeCut, playPieces, recordedStreams, someOf } from "./corpus-streams.ts";
import { type Loopback, openLoopback } from "./loopback.ts";

/** Places at which each stream is cut before it comes whole. */
const cutsPerStream = 6;

interface Run {
  readonly tool: string;
  readonly args: Json;
}

describe.skipIf(!hasCorpus)(`recorded streams with calls${whyNoCorpus}`, () => {
  test("no tool runs from a cut stream, and each call runs once from the whole", {
    timeout: 300_000,
  }, async ({ onTestFinished }) => {
    const server = await openLoopback();
    const streams = await streamsWithCalls();
    const ledgers = streams.map((): Run[] => []);
    const agents = streams.map(({ stream }, index) =>
      agentOf(stream, index, server.url, ledgers[index] ?? []),
    );
    const folder = tempFolder();
    onTestFinished(() => folder.remove());
    const opened = await openTestRuntime({ folder, agents });
    onTestFinished(() => opened.close());
    const counts = { streams: streams.length, cuts: 0, runsFromCuts: 0, calls: 0, runs: 0 };
    for (const [index, { stream, whole, cuts }] of streams.entries()) {
      const ledger = ledgers[index] ?? [];
      const { threadId } = await startThread(opened.runtime, `stream-${index}`, "As recorded.", {
        by: "test",
      });
      for (const [turn, at] of cuts.entries()) {
        server.respond = cutOff(stream, at, turn % 2 === 0);
        await opened.settle(threadId);
        counts.cuts += 1;
        counts.runsFromCuts += ledger.length;
        await opened.clock.advance(120_000); // longer than any wait for the next try
      }
      server.respond = replay(stream);
      await opened.settle(threadId);
      const expected = whole.decision.kind === "calls" ? whole.decision.calls : [];
      expect(ledger, stream.name).toEqual(expected.map(({ tool, args }) => ({ tool, args })));
      counts.calls += expected.length;
      counts.runs += ledger.length;
      const types = await opened.types(threadId);
      expect(types.filter((type) => type === "decision_rejected").length, stream.name).toBe(cuts.length);
      expect(types.at(-1), stream.name).toBe("thread_completed");
    }
    expect(counts).toMatchInlineSnapshot(`
      {
        "calls": 78,
        "cuts": 285,
        "runs": 78,
        "runsFromCuts": 0,
        "streams": 64,
      }
    `);
  });
});

interface StreamWithCalls {
  readonly stream: Exchange;
  readonly whole: Extract<Outcome, { kind: "calls" | "answer" }>;
  /** Chunks after which it is no whole one yet. */
  readonly cuts: readonly number[];
}

async function streamsWithCalls(): Promise<readonly StreamWithCalls[]> {
  const found: StreamWithCalls[] = [];
  for (const [seed, stream] of recordedStreams().entries()) {
    const whole = await playPieces(stream, stream.chunks);
    if (whole.kind !== "calls") continue;
    const cuts: number[] = [];
    for (const at of someOf(stream.chunks.length, cutsPerStream, seed)) {
      const cut = await playPieces(stream, stream.chunks.slice(0, at));
      if (judgeCut(whole, cut) === "retried") cuts.push(at);
    }
    found.push({ stream, whole, cuts });
  }
  return found;
}

function agentOf(stream: Exchange, index: number, baseURL: string, ledger: Run[]) {
  const { dialect, vendor, model, tools } = stream;
  return agent({
    name: `stream-${index}`,
    model: aiSdkModel(createRealModel(dialect, vendor, model, { baseURL })),
    prompt: "As recorded.",
    tools: tools.map((tool) =>
      lowRiskTool(tool, (args) => {
        ledger.push({ tool: tool.name, args });
        return "done";
      }),
    ),
    limits: { modelFailures: 2 * cutsPerStream },
    async flow(t) {
      const next = await t.decide();
      if (next.kind === "calls") await t.act(next.calls);
      return null;
    },
  });
}

/** Ends as if it were whole, or with the connection. */
function cutOff({ status, headers, chunks }: Exchange, at: number, cleanly: boolean): Loopback["respond"] {
  return (response) => {
    response.writeHead(status, headers);
    response.write(Buffer.concat(chunks.slice(0, at)), () => (cleanly ? response.end() : response.destroy()));
  };
}
