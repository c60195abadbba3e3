// A process that looks at its schedules once, at a time it is given, and stands still at a place, to be killed there.
import { writeSync } from "node:fs";
import {
  agent,
  closeRuntime,
  fireSchedules,
  openEmbedded,
  openSqliteStore,
  registerSchedules,
  type ScheduleStore,
  type Store,
  schedule,
} from "../../src/index.ts";
import { manualClock } from "../../src/testing/manual-clock.ts";

/** In the order in which a look at a schedule comes by. */
export type Place = "registered" | "claimed" | "listed" | "appended" | "started";

export interface SchedulesProcess {
  readonly path: string;
  readonly nowMs: number;
  readonly place: Place | null;
  /** Stands still the n-th time that it comes by, from 1. */
  readonly pass: number;
}

const { path, nowMs, place, pass } = JSON.parse(process.argv[2] ?? "") as SchedulesProcess; // our own test wrote it
let passes = 0;

function at(here: Place): void {
  if (here !== place || ++passes < pass) return;
  writeSync(1, "here\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // not even a timer goes on
}

async function after<T>(here: Place, done: Promise<T>): Promise<T> {
  const value = await done;
  at(here);
  return value;
}

const file = await openSqliteStore({ path });
const store: Store = { ...file, append: (append) => after("appended", file.append(append)) };
const schedules: ScheduleStore = {
  ...file.schedules,
  claim: (claim) => after("claimed", file.schedules.claim(claim)),
  waiting: (name, limit) => after("listed", file.schedules.waiting(name, limit)),
  started: (tick) => after("started", file.schedules.started(tick)),
};
const report = agent({ name: "report", flow: async () => null });
const often = schedule({
  name: "often",
  agent: "report",
  cron: "*/20 * * * *",
  missed: "all",
  input: inputOf,
});

const runtime = await openEmbedded({ path, store, agents: [report], clock: manualClock(nowMs) });
await registerSchedules(runtime, { schedules: [often], store: schedules });
at("registered");
const signal = new AbortController().signal;
const { problems } = await fireSchedules(runtime, { schedules: [often], store: schedules, signal });
await closeRuntime(runtime);
for (const { error } of problems) throw error;

function inputOf({ at: tick }: { readonly at: string }): unknown {
  return { tick };
}
