// A real runtime for tests: a real SQLite file, time by hand, a scripted model.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { z } from "zod";
import type { Agent } from "../../src/core/agent.ts";
import type { ThreadEvent, Verdict } from "../../src/core/events.ts";
import { type ToolDefinition, type TypedTool, tool } from "../../src/core/tool.ts";
import { type EmbeddedOptions, openEmbedded } from "../../src/embedded.ts";
import type { Model, ModelInput, ModelOutput } from "../../src/ports/model.ts";
import type { RequestRow } from "../../src/ports/store.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { decideRequest } from "../../src/runtime/verdicts.ts";
import { settleThreads } from "../../src/runtime/worker.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";

export interface Folder {
  readonly path: string;
  remove(): void;
}

export function tempFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "holdpoint-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Who {
  readonly by?: string;
  readonly roles?: readonly string[];
}

export interface TestRuntime {
  readonly runtime: Runtime;
  /** Of the store's file. */
  readonly path: string;
  readonly clock: ManualClock;
  /** Runs the thread until it ended or is parked; timers are not waited for. */
  settle(threadId: string): Promise<void>;
  events(threadId: string): Promise<readonly ThreadEvent[]>;
  types(threadId: string): Promise<readonly string[]>;
  openRequests(): Promise<readonly RequestRow[]>;
  /** By dana@example.com, unless somebody else is named; `roles` are theirs. */
  decide(requestId: string, verdict: Verdict, who?: Who): Promise<void>;
  close(): Promise<void>;
}

export type TestRuntimeOptions = Omit<EmbeddedOptions, "path" | "agents" | "clock"> & {
  readonly folder: Folder;
  readonly agents: readonly Agent[];
  readonly clock?: ManualClock;
};

export async function openTestRuntime({
  folder,
  clock = manualClock(Date.UTC(2026, 0, 1)),
  ...options
}: TestRuntimeOptions): Promise<TestRuntime> {
  const path = join(folder.path, "holdpoint.db");
  const runtime = await openEmbedded({
    ...options,
    path,
    clock,
    random: () => 0.5,
    uuid: () => "00000000-0000-4000-8000-000000000000",
  });
  return {
    runtime,
    path,
    clock,
    settle: (threadId) =>
      settleThreads(runtime, [threadId], { signal: new AbortController().signal, patienceMs: 0 }),
    events: (threadId) => runtime.store.read(threadId),
    types: async (threadId) => (await runtime.store.read(threadId)).map((event) => event.type),
    openRequests: async () => (await runtime.store.requests({ status: "open" })).rows,
    decide: async (requestId, verdict, { by = "dana@example.com", roles = [] } = {}) => {
      await decideRequest(runtime, requestId, { verdict, by, roles, via: "test" });
    },
    async close() {
      await runtime.dispatcher.close();
      await runtime.store.close();
    },
  };
}

/**
 * For the tests of one file: opens runtimes on a file of the test's own. What is opened later goes by the clock of the
 * first, as a later process would. All are closed after the test.
 */
export function runtimesOfEachTest(): (options: Omit<TestRuntimeOptions, "folder">) => Promise<TestRuntime> {
  let folder: Folder;
  let open: TestRuntime[] = [];
  beforeEach(() => {
    folder = tempFolder();
  });
  afterEach(async () => {
    for (const runtime of open) await runtime.close();
    open = [];
    folder.remove();
  });
  return async (options) => {
    const clock = open[0] ? { clock: open[0].clock } : {};
    const opened = await openTestRuntime({ folder, ...clock, ...options });
    open.push(opened);
    return opened;
  };
}

/** What a scripted model does at one call. */
export type Turn = Partial<ModelOutput> | Error;

/** A model that plays turns in order and keeps what it was given. */
export function turns(
  ...script: readonly (Turn | ((input: ModelInput) => Turn))[]
): Model & { readonly inputs: ModelInput[] } {
  const inputs: ModelInput[] = [];
  return {
    id: "test/scripted",
    inputs,
    async generate(input) {
      const next = script[inputs.length];
      inputs.push(input);
      const turn = typeof next === "function" ? next(input) : next;
      if (turn === undefined) throw new Error(`the script has no turn ${inputs.length}`);
      if (turn instanceof Error) throw turn;
      return {
        text: "",
        calls: [],
        finish: turn.calls?.length ? "calls" : "stop",
        usage: { inputTokens: 10, outputTokens: 5 },
        ...turn,
      };
    },
  };
}

export function calls(...list: readonly [tool: string, args: unknown][]): Turn {
  return { calls: list.map(([name, args], index) => ({ callId: `m${index}`, tool: name, args })) };
}

export const payInput = z.object({ cents: z.number().int().positive(), note: z.string().default("none") });

/** A tool `pay` that counts its runs; fields of the definition may be replaced. */
export function payTool(
  definition: Partial<ToolDefinition<z.infer<typeof payInput>>> = {},
): TypedTool<z.infer<typeof payInput>> & { readonly runs: unknown[] } {
  const runs: unknown[] = [];
  const made = tool({
    name: "pay",
    description: "Pays.",
    input: payInput,
    risk: "low",
    run: (args) => {
      runs.push(args);
      return { receipt: runs.length };
    },
    ...definition,
  });
  return { ...made, runs };
}
