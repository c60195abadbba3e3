// Runs threads until each has come to its event boundary or to its end; then this process dies by SIGKILL. It says on
// stdout, a line each, where its threads are. With nothing left to stop it ends by itself.
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { closeRuntime } from "../../src/index.ts";
import { type Boundary, type Stop, stopAt } from "./boundaries.ts";
import { threadIdOf } from "./desk-agent.ts";
import { type DeskRuntimeOptions, openDesk, runThread } from "./desk-runtime.ts";
import type { Recording } from "./recordings.ts";

export interface ChildOptions extends Omit<DeskRuntimeOptions, "wrapStore"> {
  /** Holds each recording in a file of its own. */
  readonly recordingsFolder: string;
  readonly threads: readonly { readonly id: string; readonly boundary: Boundary | null }[];
}

/** What the child says of a thread. */
export type Said =
  | { readonly kind: "stopped"; readonly stop: Stop }
  | { readonly kind: "ended"; readonly id: string };

const options = JSON.parse(process.argv[2] ?? "") as ChildOptions; // the bench wrote it
const recordings = options.threads.map(
  ({ id }) => JSON.parse(readFileSync(join(options.recordingsFolder, `${id}.json`), "utf8")) as Recording, // as above
);
const boundaries = new Map(
  options.threads.flatMap(({ id, boundary }) => (boundary ? [[threadIdOf({ id }), boundary] as const] : [])),
);
let [running, stopped] = [recordings.length, 0];

const { signal } = new AbortController();
const runtime = await openDesk(recordings, {
  ...options,
  wrapStore: (store) =>
    stopAt(store, boundaries, (stop) => {
      stopped += 1;
      settle({ kind: "stopped", stop });
    }),
});
await Promise.all(
  recordings.map(async (recording) => {
    await runThread(runtime, recording, { approver: "all", signal });
    settle({ kind: "ended", id: recording.id });
  }),
);
await closeRuntime(runtime);

function settle(said: Said): void {
  writeSync(1, `${JSON.stringify(said)}\n`);
  running -= 1;
  if (running === 0 && stopped > 0) process.kill(process.pid, "SIGKILL");
}
