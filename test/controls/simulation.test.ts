// A small share of `npm run bench:controls`, with what must hold of it whatever the faults are. Figures are not asserted.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryFolder } from "../../bench/controls/memory-folder.ts";
import type { Numbers } from "../../bench/controls/numbers.ts";
import { report } from "../../bench/controls/report.ts";
import { runVariant } from "../../bench/controls/run-variant.ts";
import { simulate } from "../../bench/controls/simulate.ts";
import { type VariantName, variantNames } from "../../bench/controls/variants.ts";

const folder = memoryFolder();
const options = { seed: 6, faults: 0.25, approverErrors: 0.02 };
const fresh = (name: string): string => join(folder, name);

let rows: readonly Numbers[];
const row = (name: VariantName): Numbers => {
  const found = rows.find((each) => each.name === name);
  if (!found) throw new Error(`there is no variant ${name}`);
  return found;
};

beforeAll(async () => {
  rows = await simulate({ ...options, tasks: 30, folder: fresh("all") });
}, 240_000); // some seconds, on a machine that does nothing else

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("30 tasks, of whose model calls a quarter goes wrong", () => {
  test("no critical action runs without the approval that it needs, wherever the gate is on", () => {
    for (const name of variantNames.filter((each) => each !== "bare loop" && each !== "no gate"))
      expect([name, row(name).unapproved]).toEqual([name, 0]);
    expect(row("no gate").unapproved).toBeGreaterThan(0);
  });

  test("the log counts what the world counts: tasks solved, actions wrong", () => {
    for (const { name, ownCountAgrees } of rows)
      expect([name, ownCountAgrees]).toEqual([name, name === "bare loop" ? null : true]);
  });

  test("the bare loop errs more often than all controls, and so does Holdpoint without a gate", () => {
    const allOn = row("all on");
    expect(row("bare loop").misoperation.value).toBeGreaterThan(allOn.misoperation.value);
    expect(row("no gate").misoperation.value).toBeGreaterThan(allOn.misoperation.value);
    expect(row("bare loop").solved).toBeLessThan(allOn.solved);
  });

  test("no input overflows where there is a window, and some do where there is none", () => {
    for (const { name, overflows } of rows)
      if (name !== "bare loop" && name !== "no window") expect([name, overflows]).toEqual([name, 0]);
    expect(row("no window").overflows).toBeGreaterThan(0);
  });

  test("it says what it is", () => {
    const text = report(rows, options);
    expect(text.split("\n")[0]).toMatch(/^Simulation: /);
    expect(text).toContain("cannot show");
    for (const name of variantNames) expect(text).toContain(`\n${name} `);
  });
});

test("the same seed gives the same, task by task", async () => {
  for (const name of ["bare loop", "all on"] as const) {
    const run = (place: string) => runVariant(name, { ...options, tasks: 10, folder: fresh(place) });
    expect(await run("first")).toEqual(await run("second"));
  }
}, 120_000);

test("without faults, and with people who do not err, every variant solves every task", async () => {
  const sound = { seed: 1, faults: 0, approverErrors: 0, tasks: 10 };
  const clean = await simulate({ ...sound, folder: fresh("sound") });
  for (const { name, solved, wrong } of clean) expect([name, solved, wrong]).toEqual([name, 10, 0]);
}, 120_000);
