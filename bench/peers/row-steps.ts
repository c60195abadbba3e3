import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { startChild } from "./child.ts";
import { type Cell, median, type PeerFacts, type PeerRow } from "./peers.ts";
import type { StepsTaken } from "./roles.ts";

/** Runs of each length, of which the median counts; long ones are run once. */
const lengths = [
  { steps: 10, repeats: 2, limitMs: 120_000 },
  { steps: 200, repeats: 1, limitMs: 120_000 },
  { steps: 1_000, repeats: 1, limitMs: 120_000 },
] as const;

export const stepsRow: PeerRow = {
  name: "Durable steps: decide and act, 1 KB results",
  how: "Steps per second of one run of 10, 200 and 1,000 steps on a model that answers at once, in a process that is warm, for at most 45 s; every prompt holds the whole history. Growth: processor time of a step of the longest run over that of the shortest.",
  isTimed: true,
  reading:
    "Peers that store nothing while they run are measured in memory and marked so: their figure is no durable one. Growth far above 1 means that a step costs more the longer the run: serialising the whole history for each request is part of it for all (the bare loop shows how much), writing the whole state for each step is not.",
  async measure(peer, facts, folder) {
    const rates: string[] = [];
    const taken: Record<number, StepsTaken | string> = {};
    for (const length of lengths) {
      const result = await medianOf(peer, folder, length);
      taken[length.steps] = result;
      rates.push(typeof result === "string" ? result : show(result, length.steps));
      if (typeof result === "string" || result.taken < length.steps) break; // a longer run would take no more steps
    }
    const floor = `; a bare commit took ${commitMs(folder).toFixed(1)} ms then`;
    const mark = facts.durable === "step" ? "" : " (in memory: no durability)";
    return {
      text: `${rates.join(" · ")} /s${processorTime(taken)}${mark}${floor}`,
      data: taken,
      ...scoreOf(taken, facts),
    };
  },
};

/** The disk's weather: a row of 1 KB in bare SQLite, WAL and synchronous=FULL, in milliseconds; the median of 50. */
function commitMs(folder: string): number {
  const database = new DatabaseSync(join(folder, "floor.db"));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (body TEXT)");
  const insert = database.prepare("INSERT INTO rows VALUES (?)");
  const times = Array.from({ length: 50 }, () => {
    const startedAt = performance.now();
    insert.run("x".repeat(1_000));
    return performance.now() - startedAt;
  });
  database.close();
  return median(times);
}

/** Reads what `stepsRow` measured, so that nothing is run twice. */
export function bytesOf(steps: Cell | undefined): Cell {
  const taken = (steps?.data as Readonly<Record<number, StepsTaken | string>> | undefined)?.[200];
  if (taken === undefined || typeof taken === "string") return { text: taken ?? "not measured", data: null };
  const { bytesPerStep, taken: count } = taken;
  if (bytesPerStep === null) return { text: "no durability: n/a", data: null };
  return {
    text: `${Math.round(bytesPerStep).toLocaleString("en")} B${count < 200 ? ` (of ${count} steps)` : ""}`,
    data: bytesPerStep,
    score: bytesPerStep,
  };
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

/** Time of a step at 200; only what is durable compares. */
function scoreOf(taken: Readonly<Record<number, StepsTaken | string>>, { durable }: PeerFacts) {
  const at200 = taken[200];
  return durable === "step" && typeof at200 === "object" ? { score: at200.msPerStep } : {};
}

function processorTime(taken: Readonly<Record<number, StepsTaken | string>>): string {
  const measured = lengths.flatMap(({ steps }) => {
    const one = taken[steps];
    return typeof one === "object" ? [one.cpuMsPerStep] : [];
  });
  const [first, last] = [measured[0], measured.at(-1)];
  if (first === undefined || last === undefined) return "";
  const times = measured.map((ms) => ms.toFixed(1)).join(" · ");
  return `; processor time ${times} ms a step, growth ${(last / first).toFixed(1)}×`;
}

function show({ msPerStep, taken }: StepsTaken, steps: number): string {
  const rate = 1_000 / msPerStep;
  const text = rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString("en");
  return taken < steps ? `${text} (stopped after ${taken} of ${steps} steps: 45 s)` : text;
}
