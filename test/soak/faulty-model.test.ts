// A thousand threads of the support desk on a model of which three calls in ten go wrong, in every way that there is,
// beside a plain loop of the AI SDK on the same mails and seed. HOLDPOINT_SOAK_SEED gives another seed.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultKinds } from "../../src/testing/index.ts";
import { type DeskRun, runFaultyDesk } from "../kit/faulty-desk.ts";
import {
  callsPerDecision,
  eventsOf,
  findForeignActions,
  findForeignDecisions,
  findForeignEffects,
  findOverruns,
  findPoisonedWindows,
  findStuck,
  spread,
} from "../kit/inspect-faulty-desk.ts";
import { type PlainRun, runPlainLoops } from "../kit/plain-loop.ts";
import { progress, soakSeed } from "../kit/process-random.ts";
import { tempFolder } from "../kit/runtime.ts";

const threads = 1_000;
const rate = 0.3;
const seed = soakSeed();

describe(`${threads} threads of the support desk with 30 % faults per model call, seed ${seed}`, () => {
  const folder = tempFolder();
  let clean: DeskRun;
  let faulty: DeskRun;
  let plain: PlainRun;

  beforeAll(async () => {
    clean = await runFaultyDesk({ data: join(folder.path, "clean"), threads, seed, rate: 0 });
    faulty = await runFaultyDesk({ data: join(folder.path, "faulty"), threads, seed, rate });
    plain = await runPlainLoops({ data: join(folder.path, "plain"), threads, seed, rate });
    for (const line of report(clean, faulty, plain)) progress(line);
  }, 900_000);

  afterAll(() => folder.remove());

  it("had every kind of fault, and three calls in ten", () => {
    const counts = faulty.model.counts();
    expect(Object.keys(counts).sort()).toEqual(Object.keys(faultKinds).sort());
    const injected = Object.values(counts).reduce((sum, count) => sum + count, 0);
    expect(injected / faulty.model.calls.length).toBeCloseTo(rate, 1);
    expect(clean.model.counts()).toEqual({});
  });

  it("0 decisions were made of what may not be used", () => {
    expect(findForeignDecisions(faulty)).toEqual([]);
    expect(findForeignDecisions(clean)).toEqual([]);
  });

  it("0 actions started that the model did not mean", async () => {
    expect(await findForeignActions(faulty)).toEqual([]);
    expect(await findForeignActions(clean)).toEqual([]);
  });

  it("0 effects that the same mails do not have without faults", () => {
    expect(findForeignEffects(faulty, clean)).toEqual([]);
    expect(faulty.happened.length).toBeGreaterThan(0.8 * clean.happened.length);
  });

  it("every thread ended, or waits for a person", () => {
    expect(findStuck(faulty)).toEqual([]);
    expect(findStuck(clean)).toEqual([]);
  });

  it("no model was shown what it got wrong", () => expect(findPoisonedWindows(faulty)).toEqual([]));

  it("no thread called the model more often than its limits grant", () =>
    expect(findOverruns(faulty)).toEqual([]));

  it("silent and told overflows are in the log as what they are", () => {
    const { overflow = 0, silent_overflow = 0 } = faulty.model.counts();
    const reported = faulty.threads.flatMap((thread) => eventsOf(thread, "overflow_reported"));
    expect(reported.length).toBe(overflow + silent_overflow);
    const told = reported.filter(({ limitTokens }) => limitTokens === 200_000);
    expect(told.length).toBe(overflow);
  });

  it("a rejected output is kept as evidence, for people", () => {
    const rejected = faulty.threads.flatMap((thread) =>
      eventsOf(thread, "decision_rejected").filter(({ error }) => error.code === "invalid_decision"),
    );
    expect(rejected.length).toBeGreaterThan(0);
    expect(rejected.filter(({ evidence }) => evidence === undefined).length).toBe(0);
  });

  it("what code could mend was mended, and recorded as such", () => {
    const made = faulty.threads.flatMap((thread) => eventsOf(thread, "decision_made"));
    expect(made.filter(({ repairs }) => repairs !== undefined && repairs.length > 0).length).toBeGreaterThan(
      0,
    );
  });
});

function report(clean: DeskRun, faulty: DeskRun, plain: PlainRun): readonly string[] {
  const calls = (run: { readonly threads: readonly { readonly calls: readonly unknown[] }[] }): string =>
    spread(run.threads.map((thread) => thread.calls.length));
  return [
    `faulty model, seed ${seed}: ${faulty.model.calls.length} calls, ${tally(faulty.model.calls.map(({ fault }) => fault ?? "none"))}`,
    `model calls per thread without faults: ${calls(clean)}`,
    `model calls per thread, Holdpoint: ${calls(faulty)}; granted ${callsPerDecision(faulty.agent)} a decision, ${faulty.agent.limits.steps} decisions, and the same again for each "continue"`,
    `model calls per thread, plain loop of the AI SDK: ${spread(plain.threads.map(({ modelCalls }) => modelCalls))}`,
    `Holdpoint: ${tally(faulty.threads.map(({ row, openRequests }) => (openRequests.length > 0 ? "waits for a person" : row.status)))}; ${faulty.happened.length} tool runs (${clean.happened.length} without faults), from unusable outputs: 0 expected; verdicts: ${[...faulty.verdicts].map(([kind, count]) => `${count} ${kind}`).join(", ")}`,
    `plain loop: ${tally(plain.threads.map(({ end }) => end))}; ${plain.toolRuns} tool runs, from unusable outputs: ${[...plain.fromUnusable].map(([fault, count]) => `${count} ${fault}`).join(", ")}`,
  ];
}

function tally(names: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => `${count} ${name}`).join(", ");
}
