// The support desk on a model of which three calls in ten go wrong. The same over 1,000 threads is in test/soak.
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type DeskRun, runFaultyDesk } from "../kit/faulty-desk.ts";
import {
  findForeignActions,
  findForeignDecisions,
  findForeignEffects,
  findOverruns,
  findPoisonedWindows,
  findStuck,
} from "../kit/inspect-faulty-desk.ts";
import { tempFolder } from "../kit/runtime.ts";

const threads = 40;

describe(`${threads} threads of the support desk with 30 % faults per model call`, () => {
  let clean: DeskRun;
  let faulty: DeskRun;

  beforeAll(async () => {
    const folder = tempFolder();
    [clean, faulty] = await Promise.all([
      runFaultyDesk({ data: join(folder.path, "clean"), threads, seed: 1, rate: 0 }),
      runFaultyDesk({ data: join(folder.path, "faulty"), threads, seed: 1, rate: 0.3 }),
    ]);
    folder.remove();
  });

  it("are what they should be without faults", () => {
    expect(clean.model.counts()).toEqual({});
    expect([findStuck(clean), findForeignDecisions(clean), findOverruns(clean)]).toEqual([[], [], []]);
    expect(clean.threads.flatMap(({ row }) => (row.status === "failed" ? [row.threadId] : []))).toEqual([]);
    expect(clean.happened.length).toBeGreaterThan(threads);
  });

  it("have the faults they were to have", () => {
    const injected = Object.values(faulty.model.counts()).reduce((sum, count) => sum + count, 0);
    expect(injected / faulty.model.calls.length).toBeCloseTo(0.3, 1);
  });

  it("decide nothing that the model did not mean", () => expect(findForeignDecisions(faulty)).toEqual([]));

  it("start nothing that the model did not mean", async () =>
    expect(await findForeignActions(faulty)).toEqual([]));

  it("do nothing that they would not do without faults", () =>
    expect(findForeignEffects(faulty, clean)).toEqual([]));

  it("end, or wait for a person", () => expect(findStuck(faulty)).toEqual([]));

  it("show a model nothing of what it got wrong", () => expect(findPoisonedWindows(faulty)).toEqual([]));

  it("call the model no more often than their limits grant", () => expect(findOverruns(faulty)).toEqual([]));
});
