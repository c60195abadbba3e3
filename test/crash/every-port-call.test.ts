// Everything that a process does to the world is a call of a port. Each scenario is run once to count its calls, and
// then again for every call with the process ended before it and after it; people, providers and shops live on, and so
// does the file. A fresh process goes on, and again when there is nothing left to do. The end must be the same.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Agent, agent } from "../../src/core/agent.ts";
import { isHoldpointError } from "../../src/core/errors.ts";
import type { ThreadEvent, Verdict } from "../../src/core/events.ts";
import type { ActionResult } from "../../src/core/flow.ts";
import { gate } from "../../src/core/gate.ts";
import { type RunContext, type Tool, type TypedTool, tool } from "../../src/core/tool.ts";
import { exactInputs } from "../../src/core/window/exact-input.ts";
import { localDispatcher } from "../../src/dispatch/local.ts";
import { tokenEstimator } from "../../src/models/token-estimator.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { ModelInput, ModelOutput } from "../../src/ports/model.ts";
import type { RequestRow, Store } from "../../src/ports/store.ts";
import { sendSignal, startThread } from "../../src/runtime/commands.ts";
import { createRuntime, type Runtime } from "../../src/runtime/runtime.ts";
import { decideRequest } from "../../src/runtime/verdicts.ts";
import { settleThreads } from "../../src/runtime/worker.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import {
  type FaultPoints,
  type Faults,
  faultPoints,
  ProcessStopped,
} from "../../src/testing/fault-points.ts";
import { type ManualClock, manualClock } from "../../src/testing/manual-clock.ts";
import { tempFolder } from "../kit/runtime.ts";

/** A call that only marks a place inside an effect: a process can die there, a disk cannot fail there. */
const pointQuery = { threadId: "th_none" };
const isPoint = (args: readonly unknown[]): boolean => args[0] === pointQuery;

/** What outlives a process: the shop's books, and the time. */
interface World {
  readonly clock: ManualClock;
  /** One entry per effect that took place: tool and idempotency key. */
  readonly ledger: string[];
  modelCalls: number;
}

/** What a process that may die hands to its agents. */
interface Site {
  readonly world: World;
  /** A place where the process may die inside an effect. */
  point(): Promise<unknown>;
}

interface Scenario {
  readonly name: string;
  readonly agents: (site: Site) => readonly Agent[];
  /** What a person says to a request. Default: `verdictOf`. */
  readonly verdict?: (request: RequestRow, world: World) => Verdict;
  /** Who decides, each once. Default: dana@example.com. */
  readonly people?: readonly string[];
  /** Requests that nobody answers yet. Default: none. */
  readonly isEarly?: (request: RequestRow) => boolean;
  /** Sent to the thread from outside, with a fixed id. */
  readonly signals?: readonly string[];
}

interface End {
  readonly output: unknown;
  /** Effects by tool. */
  readonly effects: Readonly<Record<string, number>>;
}

function effectTool(
  site: Site,
  definition: {
    readonly name: string;
    readonly risk?: "low" | "high";
    readonly effect?: "once" | "repeatable";
    readonly verified?: boolean;
  },
): TypedTool<{ n: number }> {
  const { world } = site;
  const entry = (context: RunContext): string => `${definition.name} ${context.idempotencyKey}`;
  return tool({
    name: definition.name,
    description: "Has an effect.",
    input: z.object({ n: z.number() }),
    risk: definition.risk ?? "low",
    effect: definition.effect ?? "once",
    async run({ n }, context) {
      await site.point();
      if (definition.effect !== "repeatable" || !world.ledger.includes(entry(context)))
        world.ledger.push(entry(context));
      await site.point();
      return { n };
    },
    ...(definition.verified
      ? {
          verify: async ({ n }: { n: number }, context: RunContext) => {
            await site.point();
            return world.ledger.includes(entry(context))
              ? { happened: true as const, value: { n } }
              : { happened: false as const };
          },
        }
      : {}),
  });
}

const look = (site: Site): Tool =>
  tool({
    name: "look",
    description: "Reads.",
    input: z.object({ n: z.number() }),
    risk: "low",
    effect: "read",
    run: async ({ n }) => site.point().then(() => n),
  });

/** Retries what a person says did not happen, as a careful flow would. */
const untilDone = async (act: () => Promise<ActionResult>): Promise<string> => {
  for (;;) {
    const { status } = await act();
    if (status !== "failed") return status;
  }
};

const scenarios: readonly Scenario[] = [
  {
    name: "steps, time and randomness",
    agents: (site) => [
      agent({
        name: "a",
        async flow(t) {
          const [first, second] = await Promise.all([
            t.step("one", () => site.point().then(() => 1)),
            t.step("two", () => 2),
          ]);
          await t.sleep("1h");
          await t.uuid();
          return [first, second, await t.step("three", () => site.point().then(() => 3))];
        },
      }),
    ],
  },
  {
    name: "an approved action without verify",
    agents: (site) => {
      const pay = effectTool(site, { name: "pay", risk: "high" });
      return [agent({ name: "a", tools: [pay], flow: async (t) => untilDone(() => t.act(pay, { n: 1 })) })];
    },
  },
  {
    name: "an approved action with verify",
    agents: (site) => {
      const pay = effectTool(site, { name: "pay", risk: "high", verified: true });
      return [
        agent({
          name: "a",
          tools: [pay],
          flow: async (t) => t.act(pay, { n: 1 }).then(({ status }) => status),
        }),
      ];
    },
  },
  {
    name: "an edited and a rejected action",
    agents: (site) => {
      const [pay, mail] = [
        effectTool(site, { name: "pay", risk: "high", verified: true }),
        effectTool(site, { name: "mail", risk: "high", verified: true }),
      ];
      return [
        agent({
          name: "a",
          tools: [pay, mail],
          flow: async (t) =>
            [await t.act(pay, { n: 1 }), await t.act(mail, { n: 2 })].map(({ status }) => status),
        }),
      ];
    },
    verdict: ({ opened }, world) =>
      opened.kind !== "approval"
        ? verdictOf({ opened } as RequestRow, world)
        : opened.action?.tool === "pay"
          ? { kind: "edit", args: { n: 7 } }
          : { kind: "reject", why: "no" },
  },
  {
    name: "an action that two approve, after a reminder and an escalation",
    agents: (site) => {
      const pay = effectTool(site, { name: "pay", risk: "high", verified: true });
      return [
        agent({
          name: "a",
          tools: [pay],
          gate: gate({
            approvers: ["dana@example.com"],
            quorum: 2,
            remindAfter: ["1h"],
            escalate: [{ after: "2h", to: ["kim@example.com"] }],
          }),
          flow: async (t) => t.act(pay, { n: 1 }).then(({ status }) => status),
        }),
      ];
    },
    people: ["dana@example.com", "kim@example.com"],
    isEarly: ({ approvers }) => !approvers.includes("kim@example.com"),
  },
  {
    name: "a batch: read, repeatable, held",
    agents: (site) => {
      const tools = [
        look(site),
        effectTool(site, { name: "note", effect: "repeatable" }),
        effectTool(site, { name: "pay", risk: "high", verified: true }),
      ];
      const calls = ["look", "note", "pay"].map((name) => ({ callId: name, tool: name, args: { n: 1 } }));
      return [
        agent({ name: "a", tools, flow: async (t) => (await t.act(calls)).map(({ status }) => status) }),
      ];
    },
  },
  {
    name: "the default loop, with an unusable output between",
    agents: (site) => [
      agent({
        name: "a",
        prompt: "Work.",
        tools: [look(site), effectTool(site, { name: "pay", risk: "high", verified: true })],
        model: loopModel(site),
      }),
    ],
  },
  {
    name: "a limit, with a person who goes on",
    agents: (site) => [
      agent({
        name: "a",
        prompt: "Work.",
        tools: [look(site), effectTool(site, { name: "pay", verified: true })],
        model: loopModel(site),
        limits: { steps: 2 },
      }),
    ],
  },
  {
    name: "a question and a signal",
    agents: () => [
      agent({
        name: "a",
        flow: async (t) =>
          [await t.ask("Which?"), await t.wait("paid", { expiresIn: "9d" })].map(({ kind }) => kind),
      }),
    ],
    signals: ["paid"],
  },
  {
    name: "notes, and a window that a model sums up",
    agents: (site) => [
      agent({
        name: "a",
        prompt: "Work.",
        tools: [longLook(site)],
        model: roundModel(site),
        limits: { identicalCalls: 100 },
        window: { budget: 700, summary: { model: summaryModel(site) } },
        async flow(t) {
          await t.note("Never on a Sunday.", { pin: true });
          for (let round = 0; round < rounds; round++) {
            const next = await t.decide({ see: { round } });
            if (next.kind === "calls") await t.act(next.calls);
          }
          return (await t.decide({ see: { round: rounds } })).kind;
        },
      }),
    ],
  },
  {
    name: "a child with an action of its own",
    agents: (site) => {
      const pay = effectTool(site, { name: "pay", risk: "high", verified: true });
      return [
        agent({ name: "a", flow: async (t) => t.call("child", { n: 5 }) }),
        agent({
          name: "child",
          tools: [pay],
          flow: async (t) => t.act(pay, { n: 5 }).then(({ status }) => status),
        }),
      ];
    },
  },
];

const rounds = 5;

const longLook = (site: Site): Tool =>
  tool({
    name: "look",
    description: "Reads.",
    input: z.object({ n: z.number() }),
    risk: "low",
    effect: "read",
    run: async ({ n }) => site.point().then(() => `${n} ${"word ".repeat(150)}`),
  });

/** Looks in every round that it is told of, and answers after the last. */
function roundModel(site: Site): { readonly id: string; generate(input: ModelInput): Promise<ModelOutput> } {
  return {
    id: "test/rounds",
    async generate({ messages }) {
      await site.point();
      const round = Number(/"round":(\d+)/.exec(messages.at(-1)?.content ?? "")?.[1]);
      if (!messages.some(({ content }) => content.includes("Never on a Sunday.")))
        throw new Error("it forgot");
      if (round === rounds) return { text: "all done", calls: [], finish: "stop" };
      const calls = [{ callId: "x", tool: "look", args: { n: round } }];
      return { text: "", calls, finish: "calls" };
    },
  };
}

function summaryModel(site: Site): ReturnType<typeof roundModel> {
  return {
    id: "test/summary",
    generate: () => site.point().then(() => ({ text: "It was looked up.", calls: [], finish: "stop" })),
  };
}

/** Decides by what it is shown: look, then something unusable, then pay, then answer. */
function loopModel(site: Site): { readonly id: string; generate(input: ModelInput): Promise<ModelOutput> } {
  return {
    id: "test/loop",
    async generate({ messages }) {
      await site.point();
      site.world.modelCalls += 1;
      const done = messages.filter((message) => message.role === "tool").length;
      const corrected = messages.some(
        (message) => message.role === "user" && message.content.startsWith("Your last output"),
      );
      const call = (name: string) => ({
        text: "",
        calls: [{ callId: "x", tool: name, args: { n: done } }],
        finish: "calls" as const,
      });
      if (done === 0) return call("look");
      if (done === 1) return corrected ? call("pay") : call("nonsense");
      return { text: "all done", calls: [], finish: "stop" };
    },
  };
}

/** What a person says who looks things up before answering. */
function verdictOf({ opened }: RequestRow, world: World): Verdict {
  if (opened.kind === "approval") return { kind: "approve" };
  if (opened.kind === "question") return { kind: "answer", value: "this one" };
  if (opened.reason !== "in_doubt") return { kind: "continue" };
  const happened = world.ledger.some((entry) =>
    opened.question.includes(entry.slice(entry.indexOf(" ") + 1)),
  );
  return happened ? { kind: "done", value: { n: 1 } } : { kind: "not_done", why: "not in the books" };
}

interface Process {
  readonly faults: FaultPoints;
  readonly runtime: Runtime;
  readonly store: Store;
}

async function openProcess(
  path: string,
  scenario: Scenario,
  world: World,
  injected: Faults = {},
): Promise<Process> {
  const store = await openSqliteStore({ path });
  const faults = faultPoints(store, injected);
  const clock = shortPausesPass(world.clock);
  const runtime = createRuntime({
    store: faults.store,
    dispatcher: faults.wrapDispatcher(localDispatcher({ clock })),
    clock,
    counter: tokenEstimator,
    agents: scenario.agents({ world, point: () => faults.store.threads(pointQuery) }),
    resolveModel: async (model) => model as never, // these agents carry a Model
    random: () => 0.5,
    uuid: () => "00000000-0000-4000-8000-000000000000",
  });
  return { faults, runtime, store };
}

/** Waits of a moment, as before another try, take no waiting; the time of leases and timers is the world's to set. */
function shortPausesPass(clock: ManualClock): Clock {
  return {
    now: clock.now,
    sleep: (ms, signal) => {
      if (ms > 200) return clock.sleep(ms, signal);
      clock.set(clock.now() + ms);
      return Promise.resolve();
    },
  };
}

/** Lives until the thread has ended: starts it, lets it run, answers, and lets time pass when nothing else can happen. */
async function live({ runtime, faults }: Process, scenario: Scenario, world: World): Promise<string> {
  const signal = new AbortController().signal;
  const { threadId } = await startThread(runtime, "a", "go", { by: "test", key: "one" });
  for (let round = 0; round < 100; round++) {
    await settleThreads(runtime, [threadId], { signal, patienceMs: 0 });
    faults.stopped.throwIfAborted();
    const row = (await runtime.store.threads({ threadId })).rows[0];
    if (row?.status === "completed" || row?.status === "failed") return threadId;
    const requests = (await runtime.store.requests({ status: "open" })).rows;
    const answered = requests.filter((request) => !scenario.isEarly?.(request));
    for (const request of answered)
      for (const by of scenario.people ?? ["dana@example.com"])
        await decideRequest(runtime, request.requestId, {
          verdict: (scenario.verdict ?? verdictOf)(request, world),
          by,
          via: "test",
        });
    for (const name of scenario.signals ?? [])
      await sendSignal(runtime, threadId, { signal: name, value: 1, by: "test", signalId: name });
    if (answered.length === 0) world.clock.set(world.clock.now() + 3_600_000);
  }
  throw new Error(`the thread is stuck: ${JSON.stringify(await runtime.store.read(threadId), null, 1)}`);
}

/** Runs a scenario in processes that follow one another; the first has the faults. */
async function runScenario(
  scenario: Scenario,
  injected: Faults = {},
): Promise<{ end: End; calls: number; stopped: boolean }> {
  const folder = tempFolder();
  const path = join(folder.path, "holdpoint.db");
  const world: World = { clock: manualClock(), ledger: [], modelCalls: 0 };
  try {
    const first = await openProcess(path, scenario, world, injected);
    const stopped = await live(first, scenario, world).then(() => false, ifFault);
    await first.store.close();
    if (stopped) world.clock.set(world.clock.now() + 31_000); // the lease of the dead runs out
    const second = await openProcess(path, scenario, world);
    const threadId = await live(second, scenario, world);
    const events = await second.store.read(threadId);
    await live(second, scenario, world); // and again, when there is nothing to do
    expect(await second.store.read(threadId)).toEqual(events);
    expect((await second.store.verify({})).problems).toEqual([]);
    for await (const { input } of exactInputs(events, (digest) => second.store.artifact(digest)))
      expect(input.messages.length).toBeGreaterThan(0); // every call's input is still there, whatever died
    await second.store.close();
    return { end: endOf(events, world), calls: first.faults.calls().length, stopped };
  } finally {
    rmSync(folder.path, { recursive: true, force: true });
  }
}

/** A fault may come out where the caller can see it; whoever called does so again. */
function ifFault(error: unknown): boolean {
  if (error instanceof ProcessStopped || isHoldpointError(error, "store_unavailable")) return true;
  throw error;
}

function endOf(events: readonly ThreadEvent[], world: World): End {
  const last = events.at(-1);
  const effects: Record<string, number> = {};
  for (const entry of world.ledger) {
    const name = entry.slice(0, entry.indexOf(" "));
    effects[name] = (effects[name] ?? 0) + 1;
  }
  return { output: last?.type === "thread_completed" ? last.output.value : last, effects };
}

describe.each(scenarios)("a process that dies at any port call: $name", (scenario) => {
  it("leaves a thread that ends the same, with every effect once", async () => {
    const clean = await runScenario(scenario);
    expect(clean.calls).toBeGreaterThan(5);
    let stops = 0;
    for (let call = 1; call <= clean.calls; call++) {
      for (const when of ["before", "after"] as const) {
        const { end, stopped } = await runScenario(scenario, { stopAt: { call, when } });
        expect({ end, call, when }).toEqual({ end: clean.end, call, when });
        stops += Number(stopped);
      }
    }
    expect(stops).toBeGreaterThanOrEqual(clean.calls); // the process really died, nearly everywhere
  });
});

describe.each(scenarios)("a store whose disk fails once, at any call: $name", (scenario) => {
  it("leaves a thread that ends the same, with every effect once", async () => {
    const clean = await runScenario(scenario);
    for (let call = 1; call <= clean.calls; call++) {
      for (const when of ["before", "after"] as const) {
        const { end } = await runScenario(scenario, {
          throwAt: { call: ({ index }, args) => index === call && !isPoint(args), when },
        });
        expect({ end, call, when }).toEqual({ end: clean.end, call, when });
      }
    }
  });
});
