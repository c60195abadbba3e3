// What the window costs: for one more event of a long thread, in a fresh process, and as the thread grows.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { tokenEstimator } from "../src/models/token-estimator.ts";
import { median, type Row } from "./row.ts";
import { buildFor, growThread, newThread, takeTurn } from "./window-thread.ts";

const child = new URL("./window-child.ts", import.meta.url);
const lengths = [100, 1_000, 10_000] as const;

export async function benchWindow(folder: string): Promise<readonly Row[]> {
  const threads = lengths.map((events) => {
    const log = newThread();
    growThread(log, events);
    return { events, log };
  });
  writeFileSync(join(folder, "window.json"), JSON.stringify(threads.at(-1)?.log.events));
  return [...incrementalRows(stepTimes(threads)), ...coldRows(folder), countingRow()];
}

interface Thread {
  readonly events: number;
  readonly log: ReturnType<typeof newThread>;
}

/** Milliseconds of folding a turn and building the window after it; of the building; of its messages as JSON. */
interface Steps {
  readonly events: number;
  readonly whole: number[];
  readonly builds: number[];
  readonly floors: number[];
}

/** Each thread takes 200 turns more, all in turn, so that they have the same weather. Some compact: p50 is between them. */
function stepTimes(threads: readonly Thread[]): readonly Steps[] {
  const runs = threads.map(({ events, log }) => ({
    log,
    window: buildFor(log.state),
    steps: { events, whole: [], builds: [], floors: [] } as Steps,
  }));
  for (let turn = 0; turn < 200; turn++)
    for (const run of runs) {
      const startedAt = performance.now();
      takeTurn(run.log, run.window);
      const appendedAt = performance.now();
      run.window = buildFor(run.log.state);
      const builtAt = performance.now();
      JSON.stringify(run.window.input.messages);
      run.steps.floors.push(performance.now() - builtAt);
      run.steps.builds.push(builtAt - appendedAt);
      run.steps.whole.push(builtAt - startedAt);
    }
  return runs.map(({ steps }) => steps);
}

function incrementalRows(steps: readonly Steps[]): readonly Row[] {
  const [, middle, longest] = steps;
  if (!middle || !longest) return [];
  const value = median(longest.builds);
  const flat = median(longest.whole) <= 1.5 * median(middle.whole);
  const told = { unit: "ms", target: "none", reached: true } as const;
  return [
    {
      what: "window of 10,000 events for one more, p50",
      value,
      unit: "ms",
      floor: median(longest.floors),
      target: "≤ 5 ms",
      reached: value <= 5,
    },
    {
      what: "(apart: the worst of 200, some with a compaction)",
      value: Math.max(...longest.builds),
      ...told,
    },
    ...steps.map(
      ({ events, whole, floors }): Row => ({
        what: `folding a turn, then the window, at ${events.toLocaleString("en")} events, p50`,
        value: median(whole),
        floor: median(floors),
        ...told,
        ...(events === longest.events ? { target: "≤ 1.5 × at 1,000", reached: flat } : {}),
      }),
    ),
  ];
}

interface Cold {
  readonly foldMs: number;
  readonly windowMs: number;
  readonly floorMs: number;
}

/** Compiled code is kept between runs, as the command line does. */
function coldRows(folder: string): readonly Row[] {
  const times = Array.from({ length: 7 }, (): Cold => {
    const { stdout, status, stderr } = spawnSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", fileURLToPath(child), join(folder, "window.json")],
      { encoding: "utf8", env: { ...process.env, NODE_COMPILE_CACHE: join(folder, "compiled") } },
    );
    if (status !== 0) throw new Error(`${child.pathname} failed: ${stderr}`);
    return JSON.parse(stdout) as Cold; // as window-child.ts writes it
  });
  const of = (member: keyof Cold): number => median(times.map((each) => each[member]));
  const value = of("windowMs");
  return [
    {
      what: "window of 10,000 events in a fresh process",
      value,
      unit: "ms",
      floor: of("floorMs"),
      target: "≤ 150 ms",
      reached: value <= 150,
    },
    {
      what: "(apart: folding the 10,000 events before)",
      value: of("foldMs"),
      unit: "ms",
      target: "none",
      reached: true,
    },
  ];
}

/** Prose, code and JSON: the project's own. */
function countingRow(): Row {
  const root = join(import.meta.dirname, "..");
  const paths = ["README.md", "docs/**/*.md", "src/**/*.ts", "package-lock.json"];
  const files = globSync(paths, { cwd: root }).sort();
  const text = files.map((file) => readFileSync(join(root, file), "utf8")).join("\n");
  const megabytes = Buffer.byteLength(text) / 1e6;
  const rate = (work: () => unknown): number => {
    const times = Array.from({ length: 15 }, () => {
      const startedAt = performance.now();
      work();
      return performance.now() - startedAt;
    });
    return megabytes / (median(times) / 1_000);
  };
  const value = rate(() => tokenEstimator.count(text));
  const floor = rate(() => JSON.stringify(text));
  const what = `estimating the tokens of ${megabytes.toFixed(1)} MB of prose, code and JSON`;
  return { what, value, unit: "MB/s", floor, target: "≥ 20 MB/s", reached: value >= 20 };
}
