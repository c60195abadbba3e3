// Trials over a real store, in one process: people, time, limits and faults.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import type { TrialResult } from "../../src/eval/figures/eval-report.ts";
import { runEval, trialThreadId } from "../../src/eval/run-eval.ts";
import type { OpenedWorld, TrialHost, TrialPlan } from "../../src/eval/trial.ts";
import {
  type Agent,
  agent,
  type Clock,
  gate,
  type Model,
  openEmbedded,
  openSqliteStore,
  systemClock,
  tool,
} from "../../src/index.ts";
import {
  type EvalCase,
  evalSuite,
  type FaultyModel,
  type FaultyModelOptions,
  faultyModel,
  manualClock,
  scriptedModel,
} from "../../src/testing/index.ts";

const { signal } = new AbortController();

interface Options {
  readonly trials?: number;
  readonly clock?: Clock;
  readonly rates?: FaultyModelOptions["rates"];
}

/** Runs each case, all at once; by the case's name and the trial's number. */
async function run(
  agents: readonly Agent[],
  cases: readonly EvalCase[],
  { trials = 1, clock = systemClock, rates }: Options = {},
) {
  const folder = mkdtempSync(join(tmpdir(), "holdpoint-eval-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const store = await openSqliteStore({ path: join(folder, "eval.db") });
  onTestFinished(() => store.close());
  const suite = evalSuite({ name: "suite", agent: agents[0]?.name ?? "", cases });
  const host: TrialHost = {
    suite,
    store,
    clock,
    openWorld: async (plan) => worldOf(agents, plan, rates),
    openRuntime: ({ seed: _, ...parts }) => openEmbedded({ path: "", store, graceMs: 100, ...parts }),
  };
  const plans = cases.flatMap((each) =>
    Array.from(
      { length: trials },
      (_, index): TrialPlan => ({
        each,
        number: index + 1,
        threadId: trialThreadId(each.name, index + 1),
        seed: `${each.name} ${index}`,
        folder,
      }),
    ),
  );
  const progress = { started: () => {}, ended: () => {} };
  const results = await runEval(host, plans, { parallel: 8, signal, progress });
  const told = (name: string, trial = 1): TrialResult | undefined =>
    results.find((result) => result.case === name && result.trial === trial);
  const findings = (name: string): readonly string[] | undefined =>
    told(name)?.findings.map(({ rule, message }) => `${rule}: ${message}`);
  return { host, plans, progress, results, told, findings, store };
}

function worldOf(
  agents: readonly Agent[],
  { seed, each }: TrialPlan,
  rates: FaultyModelOptions["rates"] = {},
): OpenedWorld {
  const faulty: FaultyModel[] = [];
  const [first] = agents;
  if (!first) throw new Error("there are agents");
  return {
    agents,
    agent: agents.find(({ name }) => name === each.agent) ?? first,
    isLive: false,
    isStuck: () => faulty.some(({ waiting }) => waiting > 0),
    async resolveModel(model, clock) {
      const made = faultyModel(model as Model, { seed, rates, clock }); // the agents below carry models of ours
      faulty.push(made);
      return made;
    },
    close: async () => {},
  };
}

const pay = tool({
  name: "pay",
  description: "Pays.",
  input: z.object({ cents: z.number() }),
  risk: "high",
  effect: "once",
  run: ({ cents }) => ({ cents }),
});
const payModel = scriptedModel(({ messages }) =>
  messages.some(({ role }) => role === "tool") ? "done" : { calls: [{ tool: "pay", args: { cents: 5 } }] },
);

it("as many people approve as it takes, whom the request names or who have a role", async () => {
  const payer = (name: string, policy: Parameters<typeof gate>[0]): Agent =>
    agent({ name, prompt: "Pay.", model: payModel, tools: [pay], gate: gate(policy) });
  const agents = [
    payer("two", { approvers: ["role:lead", "dana@example.com"], quorum: 2 }),
    payer("one-of-two", {
      approvers: ["dana@example.com", "eval"],
      quorum: 2,
      requesterMayDecide: false,
      expiresIn: "1h",
    }),
    payer("role", { approvers: ["role:lead"], requesterMayDecide: false }),
  ];
  const people = [{ tool: "pay", say: "approve" as const }];
  const paid = { actions: [{ tool: "pay", times: 1, status: "completed" as const }] };
  const { findings, told } = await run(agents, [
    { name: "quorum", agent: "two", people, expect: paid, never: [{ tool: "pay", withoutApproval: true }] },
    { name: "role", agent: "role", people, expect: paid },
    {
      name: "too few",
      agent: "one-of-two",
      people,
      expect: { actions: [{ tool: "pay", status: "denied" }] },
    },
    {
      name: "somebody else",
      agent: "two",
      people: [{ say: "approve", by: "mallory@example.net" }],
      expect: paid,
    },
    {
      name: "once",
      agent: "two",
      people: [{ say: "reject", times: 1 }],
      expect: { actions: [{ tool: "pay", status: "denied" }] },
    },
  ]);
  for (const name of ["quorum", "role", "too few", "once"]) expect(findings(name), name).toEqual([]);
  expect(told("quorum")?.numbers).toMatchObject({ asked: 1, critical: 1, misoperations: 0 });
  expect(findings("somebody else")).toEqual([]); // a person whom a case names is taken to have the role
});

it("the clock begins when the case says, and passes over deadlines, timers and retries", async () => {
  const sleeper = agent({
    name: "sleeper",
    flow: async (t) => {
      await t.sleep("30d");
      const answer = await t.ask("Are you there?", { expiresIn: "12h" });
      await t.step("third time lucky", ({ attempt }) => {
        if (attempt < 3) throw new Error("not yet");
      });
      return answer.kind;
    },
  });
  const { findings, told, store } = await run(
    [sleeper],
    [{ name: "sleeps", clock: "2030-01-01T00:00:00Z", expect: { result: "expired" } }],
  );
  expect(findings("sleeps")).toEqual([]);
  expect(told("sleeps")?.numbers.wallMs).toBeGreaterThanOrEqual(30.5 * 86_400_000);
  const events = await store.read(trialThreadId("sleeps", 1));
  expect(events[0]?.at.slice(0, 16)).toBe("2030-01-01T00:00");
  expect(events.at(-1)?.at.slice(0, 10)).toBe("2030-01-31");
});

it("what called agents do and use counts, and their requests are answered", async () => {
  const child = agent({ name: "child", prompt: "Pay.", model: payModel, tools: [pay] });
  const parent = agent({ name: "parent", flow: (t) => t.call("child", "pay") });
  const { findings, told } = await run(
    [parent, child],
    [
      {
        name: "calls",
        people: [{ tool: "pay", say: "approve" }],
        expect: { actions: [{ tool: "pay", times: 1 }] },
        never: [{ modelCalls: 2 }],
      },
      { name: "spends", people: [{ tool: "pay", say: "approve" }], never: [{ modelCalls: 1 }] },
    ],
  );
  expect(findings("calls")).toEqual([]);
  expect(findings("spends")).toEqual(["never[0]: there were 2 model calls; 1 are allowed"]);
  expect(told("calls")?.numbers).toMatchObject({ modelCalls: 2, critical: 1, asked: 1 });
});

it("an agent that cannot be run fails its trial, and no other", async () => {
  const lost = agent({ name: "lost", flow: (t) => t.call("nobody", 1) });
  const fine = agent({ name: "fine", flow: async () => "fine" });
  const { findings } = await run(
    [lost, fine],
    [{ name: "lost" }, { name: "fine", agent: "fine", expect: { result: "fine" } }],
  );
  expect(findings("lost")).toEqual([
    expect.stringMatching(/^stopped: thread th_\w+ cannot go on here: there is no agent "nobody" here/),
  ]);
  expect(findings("fine")).toEqual([]);
});

it("a trial that comes to no end is cancelled at its limit of time", async () => {
  const clock = manualClock();
  const hangs = agent({ name: "hangs", prompt: "x", model: scriptedModel(() => ({ never: true })) });
  const running = run([hangs], [{ name: "hangs", limits: { time: "30s" } }], { clock });
  const passing = new AbortController();
  const pass = async (): Promise<void> => {
    while (!passing.signal.aborted) await clock.advance(100);
  };
  const passed = pass();
  const { findings, told } = await running;
  passing.abort();
  await passed;
  expect(told("hangs")?.outcome).toBe("cancelled");
  expect(findings("hangs")).toEqual(["stopped: the limit of 30000 ms was reached"]);
});

it("faults follow from the seed, and nobody waits for a model that does not come back", async () => {
  const answers = agent({ name: "answers", prompt: "x", model: scriptedModel(() => "fine") });
  const cases = [
    { name: "a", input: 1 },
    { name: "b", input: 2 },
  ];
  const options = { trials: 10, rates: { timeout: 0.3, slow_first_token: 0.1, empty: 0.2 } };
  const [one, other] = await Promise.all([run([answers], cases, options), run([answers], cases, options)]);
  const summary = ({ results }: typeof one): readonly string[] =>
    results
      .map(({ case: name, trial, passed, numbers }) => `${name}${trial} ${passed} ${numbers.modelCalls}`)
      .sort();
  expect(summary(one)).toEqual(summary(other));
  expect(new Set(one.results.map(({ numbers }) => numbers.modelCalls)).size).toBeGreaterThan(1);
  expect(one.results.some(({ numbers }) => numbers.activeMs > 60_000)).toBe(true); // a timeout of two minutes, passed over
});

it("trials that have ended are judged again, and not run", async () => {
  let runs = 0;
  const counts = agent({ name: "counts", flow: async (t) => t.step("count", () => (runs += 1)) });
  const { host, plans, progress } = await run([counts], [{ name: "one" }], { trials: 3 });
  const again = await runEval(host, plans, { parallel: 2, signal, progress });
  expect([runs, again.length]).toEqual([3, 3]);
});
