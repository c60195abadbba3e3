// What a decision costs besides the model: from a provider's last byte to the next effect over real HTTP with a real
// provider package, and Holdpoint's own part of it.
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { z } from "zod";
import {
  agent,
  closeRuntime,
  type Model,
  type ModelInput,
  openEmbedded,
  openSqliteStore,
  type Store,
  settleThreads,
  startThread,
  tool,
} from "../src/index.ts";
import { aiSdkModel } from "../src/models/ai-sdk.ts";
import { toCallOptions } from "../src/models/ai-sdk-call.ts";
import { type Floor, openFloor } from "./floor.ts";
import { median, type Row } from "./row.ts";

const toolCount = 20;
/** Decisions of a thread: the window grows to as many results. */
const turns = 20;

export async function benchDecision(folder: string): Promise<readonly Row[]> {
  const server = await startDecisionServer();
  try {
    return [
      ...(await lastByteRows(folder, server, "at once")),
      ...(await lastByteRows(folder, server, "streamed")),
      ...(await ownRows(folder)),
    ];
  } finally {
    await server.close();
  }
}

interface DecisionServer {
  /** Of a model that thinks for so long. */
  baseURL(thinkMs: number): string;
  /** Milliseconds since the last byte of the last response was written. */
  sinceLastByte(): number;
  close(): Promise<unknown>;
}

async function startDecisionServer(): Promise<DecisionServer> {
  const shared = new SharedArrayBuffer(8);
  const lastByteAt = new BigInt64Array(shared);
  const worker = new Worker(new URL("./decision-server.ts", import.meta.url), { workerData: shared });
  const port = await new Promise<number>((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return {
    baseURL: (thinkMs) => `http://127.0.0.1:${port}/${thinkMs}`,
    sinceLastByte: () => Number(process.hrtime.bigint() - Atomics.load(lastByteAt, 0)) / 1e6,
    close: () => worker.terminate(),
  };
}

/** Twenty tools of five members each; the model calls one of them. `onStart` is called when a tool starts. */
function toolsOf(onStart: () => void, onEnd: () => void) {
  const input = z.object({
    page: z.int(),
    note: z.string().max(200).describe("why this page"),
    limit: z.int().positive().optional(),
    order: z.enum(["newest", "oldest"]).optional(),
    tags: z.array(z.string()).optional(),
  });
  return Array.from({ length: toolCount }, (_, number) =>
    tool({
      name: `look_${number}`,
      description: `Looks a page of kind ${number} up, and tells what stands there.`,
      input,
      risk: "low",
      effect: "repeatable", // its start is durable before it runs, as that of any action that does something
      run: ({ page }) => {
        onStart();
        const found = { page, text: "x".repeat(300) };
        onEnd();
        return found;
      },
    }),
  );
}

/** Runs threads of `turns` decisions, one after the other. */
async function runThreads(
  path: string,
  count: number,
  options: {
    readonly model: unknown;
    readonly onStart: () => void;
    readonly onEnd?: () => void;
    readonly onThread?: () => Promise<void>;
    readonly stream: boolean;
    readonly store?: Store;
  },
): Promise<void> {
  const { model, onStart, onEnd = () => {}, onThread, stream, store } = options;
  const desk = agent<unknown, string>({
    name: "looking",
    prompt: "Look at every page.",
    tools: toolsOf(onStart, onEnd),
    model,
    limits: { steps: 1e9, tokens: 1e12, activeTime: 1e12, identicalCalls: 1e9 },
    async flow(t) {
      for (let turn = 0; turn < turns; turn++) {
        const next = await t.decide();
        if (next.kind === "calls") await t.act(next.calls);
      }
      return "done";
    },
  });
  const runtime = await openEmbedded({ path, agents: [desk], stream, ...(store && { store }) });
  for (let thread = 0; thread < count; thread++) {
    const { threadId } = await startThread(runtime, desk.name, null, { by: "bench" });
    await settleThreads(runtime, [threadId], { signal: new AbortController().signal });
    const { status } = (await runtime.store.threads({ threadId })).rows[0] ?? {};
    if (status !== "completed") throw new Error(`a thread of the benchmark is ${status}`);
    await onThread?.();
  }
  await closeRuntime(runtime);
}

interface Samples {
  readonly ours: number[];
  readonly floors: number[];
  /** From effect to effect. */
  readonly steps: number[];
}

async function lastByteRows(
  folder: string,
  server: DecisionServer,
  mode: "at once" | "streamed",
): Promise<readonly Row[]> {
  const threads = 20; // 400 decisions: four are above the 99th percentile
  const fast = await sampleLastByte(folder, server, { mode, threads, thinkMs: 0 });
  const what = `provider's last byte to the next effect, ${mode}`;
  const rows: Row[] = [50, 99].map((percent) => ({
    what: `${what}, p${percent}`,
    value: percentile(fast.ours, percent),
    unit: "ms",
    floor: percentile(fast.floors, percent),
    target: "none",
    reached: true,
  }));
  if (mode === "streamed") return rows;
  const slow = await sampleLastByte(folder, server, { mode, threads: 1, thinkMs: 300 });
  const share = ({ ours, steps }: Samples): number => (100 * median(ours)) / median(steps);
  const told = { unit: "%", target: "none", reached: true } as const;
  return [
    ...rows,
    { what: "its share of a step, of a model that answers at once", value: share(fast), ...told },
    { what: "its share of a step, of a model that takes 300 ms", value: share(slow), ...told },
  ];
}

/** Ours and the floor in turns, thread by thread, on the same inputs. */
async function sampleLastByte(
  folder: string,
  server: DecisionServer,
  options: { readonly mode: "at once" | "streamed"; readonly threads: number; readonly thinkMs: number },
): Promise<Samples> {
  const { mode, threads, thinkMs } = options;
  const stream = mode === "streamed";
  const name = `decision-${mode.replace(" ", "-")}-${thinkMs}`;
  const provider = createOpenAICompatible({
    name: "bench",
    baseURL: server.baseURL(thinkMs),
    apiKey: "none",
  });
  const bare = provider("model");
  const samples: Samples = { ours: [], floors: [], steps: [] };
  const floor = openFloor(join(folder, `${name}-floor.db`));
  const inputs: ModelInput[] = [];
  let startedAt = Number.NaN;
  await runThreads(join(folder, `${name}.db`), threads + 1, {
    model: noting(aiSdkModel(bare), inputs),
    stream,
    onStart: () => {
      samples.ours.push(server.sinceLastByte());
      const now = performance.now();
      if (!Number.isNaN(startedAt)) samples.steps.push(now - startedAt);
      startedAt = now;
    },
    onThread: async () => {
      for (const input of inputs.splice(0))
        samples.floors.push(await floorOf(bare, input, { server, floor, stream }));
      startedAt = Number.NaN;
    },
  });
  floor.close();
  const warm = (values: readonly number[]): number[] => values.slice(turns); // the first thread warms up
  return { ours: warm(samples.ours), floors: warm(samples.floors), steps: warm(samples.steps) };
}

function noting(model: Model, inputs: ModelInput[]): Model {
  return {
    id: model.id,
    generate: (input, options) => {
      inputs.push(input);
      return model.generate(input, options);
    },
  };
}

/** The same request by the provider package alone, then the two commits that must be durable before the effect. */
async function floorOf(
  bare: LanguageModelV4,
  input: ModelInput,
  {
    server,
    floor,
    stream,
  }: { readonly server: DecisionServer; readonly floor: Floor; readonly stream: boolean },
): Promise<number> {
  await request(bare, input, stream);
  floor.commit("d".repeat(500));
  floor.commit("a".repeat(700));
  return server.sinceLastByte();
}

async function request(bare: LanguageModelV4, input: ModelInput, stream: boolean): Promise<void> {
  const signal = new AbortController().signal;
  const call = toCallOptions(input, { providerKey: "bench", providerOptions: {}, signal });
  if (!stream) await bare.doGenerate(call);
  else for await (const _ of (await bare.doStream(call)).stream);
}

/** Holdpoint's own part, without network: a whole step, less its appends and less what the provider package takes. */
async function ownRows(folder: string): Promise<readonly Row[]> {
  const provider = createOpenAICompatible({
    name: "bench",
    baseURL: "http://bench",
    apiKey: "none",
    fetch: instantFetch(),
  });
  const bare = provider("model");
  const inputs: ModelInput[] = [];
  const [owns, appends, providers]: [number[], number[], number[]] = [[], [], []];
  const path = join(folder, "decision-own.db");
  const store = timedStore(await openSqliteStore({ path }));
  let endedAt = Number.NaN;
  await runThreads(path, 31, {
    model: noting(aiSdkModel(bare), inputs),
    stream: false,
    store: store.store,
    onStart: () => {
      const appendMs = store.takeAppendMs();
      if (Number.isNaN(endedAt)) return;
      owns.push(performance.now() - endedAt - appendMs);
      appends.push(appendMs);
    },
    onEnd: () => {
      store.takeAppendMs();
      endedAt = performance.now();
    },
    onThread: async () => {
      for (const input of inputs.splice(0)) {
        const startedAt = performance.now();
        await request(bare, input, false);
        providers.push(performance.now() - startedAt);
      }
      endedAt = Number.NaN;
    },
  });
  const p50 = (values: readonly number[]): number => median(values.slice(turns));
  const value = p50(owns) - p50(providers);
  const told = { unit: "ms", target: "none", reached: true } as const;
  return [
    {
      what: `own cost of a decision with ${toolCount} tools, p50`,
      value,
      unit: "ms",
      target: "≤ 1 ms",
      reached: value <= 1,
    },
    { what: "(apart: its appends, with their fsyncs, p50)", value: p50(appends), ...told },
    { what: "(apart: the provider package, without network, p50)", value: p50(providers), ...told },
  ];
}

/** Answers as a provider would, at once. */
function instantFetch(): typeof fetch {
  let count = 0;
  return async () => {
    count += 1;
    const made = {
      name: "look_7",
      arguments: JSON.stringify({ page: count, note: "as the last time", limit: 20 }),
    };
    const message = {
      role: "assistant",
      content: null,
      tool_calls: [{ id: `call_${count}`, type: "function", function: made }],
    };
    const usage = { prompt_tokens: 900, completion_tokens: 30, total_tokens: 930 };
    return Response.json({
      id: "c",
      created: 1,
      model: "m",
      choices: [{ index: 0, message, finish_reason: "tool_calls" }],
      usage,
    });
  };
}

/** A store that says how long its appends took since it was last asked. */
function timedStore(store: Store): { readonly store: Store; takeAppendMs(): number } {
  let appendMs = 0;
  return {
    store: {
      ...store,
      async append(append) {
        const startedAt = performance.now();
        try {
          return await store.append(append);
        } finally {
          appendMs += performance.now() - startedAt;
        }
      },
    },
    takeAppendMs() {
      const taken = appendMs;
      appendMs = 0;
      return taken;
    },
  };
}

function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))] ?? Number.NaN;
}
