import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "./child.ts";
import type { Cell, PeerRow } from "./peers.ts";
import type { StepsTaken } from "./roles.ts";

/** Runs of each length, of which the median counts; long ones are run once. */
const lengths = [
  { steps: 10, repeats: 3, limitMs: 30_000 },
  { steps: 200, repeats: 1, limitMs: 60_000 },
  { steps: 1_000, repeats: 1, limitMs: 90_000 },
] as const;

export const stepsRow: PeerRow = {
  name: "Durable steps: decide and act, 1 KB results",
  how: "Steps per second of one run of 10, 200 and 1,000 steps on a model that answers at once, in a process that is warm; every prompt holds the whole history. Growth: time per step at 1,000 steps over that at 10.",
  reading: () =>
    "Peers that store nothing while they run are measured in memory and marked so: their figure is no durable one. Growth far above 1 means that a step costs more the longer the run: serialising the whole history for each request is part of it for all (the bare loop shows how much), writing the whole state for each step is not.",
  async measure(peer, facts, folder) {
    const rates: string[] = [];
    const taken: Record<number, StepsTaken | string> = {};
    for (const length of lengths) {
      const result = await medianOf(peer, folder, length);
      taken[length.steps] = result;
      rates.push(typeof result === "string" ? result : show(1_000 / result.msPerStep));
    }
    const mark = facts.durable === "step" ? "" : " (in memory: no durability)";
    return { text: `${rates.join(" · ")} /s${growth(taken)}${mark}`, data: taken };
  },
};

/** Reads what `stepsRow` measured, so that nothing is run twice. */
export function bytesOf(steps: Cell | undefined): Cell {
  const taken = (steps?.data as Readonly<Record<number, StepsTaken | string>> | undefined)?.[200];
  if (taken === undefined || typeof taken === "string") return { text: taken ?? "not measured", data: null };
  const { bytesPerStep } = taken;
  if (bytesPerStep === null) return { text: "no durability: n/a", data: null };
  return { text: `${Math.round(bytesPerStep).toLocaleString("en")} B`, data: bytesPerStep };
}

async function medianOf(
  peer: string,
  folder: string,
  { steps, repeats, limitMs }: (typeof lengths)[number],
): Promise<StepsTaken | string> {
  try {
    const all: StepsTaken[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const own = join(folder, `${steps}-${repeat}`);
      mkdirSync(own, { recursive: true });
      const taken = await startChild<StepsTaken>(peer, "steps", { folder: own, steps }, { limitMs }).result;
      if (taken.outcome.kind !== "ended" || taken.outcome.text.includes("xxx"))
        return `did not reach its end (${JSON.stringify(taken.outcome).slice(0, 200)})`;
      all.push(taken);
    }
    all.sort((left, right) => left.msPerStep - right.msPerStep);
    return all[Math.floor(all.length / 2)] as StepsTaken; // of at least one
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function growth(taken: Readonly<Record<number, StepsTaken | string>>): string {
  const [short, long] = [taken[10], taken[1_000]];
  if (typeof short !== "object" || typeof long !== "object") return "";
  return `, growth ${(long.msPerStep / short.msPerStep).toFixed(1)}×`;
}

function show(rate: number): string {
  return rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en");
}
