import { type Numbers, numbersOf } from "./numbers.ts";
import { runVariant, type SimulationOptions, type VariantRun } from "./run-variant.ts";
import { variantNames } from "./variants.ts";

/** Runs the same tasks, with the same faults, in each variant. The same options give the same numbers. */
export async function simulate(options: SimulationOptions): Promise<readonly Numbers[]> {
  const runs: VariantRun[] = [];
  for (const name of variantNames) runs.push(await runVariant(name, options));
  const allOn = runs.find(({ name }) => name === "all on");
  if (!allOn) throw new Error("one variant has all controls on");
  return runs.map((run) => numbersOf(run, allOn, options.seed));
}
