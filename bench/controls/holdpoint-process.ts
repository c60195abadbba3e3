// A process with a Holdpoint runtime on a store that outlives it. Killed, it writes nothing any more, in the middle of
// whatever it does: `test/crash` and `test/soak` do the same with real processes and SIGKILL.
import type { Agent, Clock, Runtime, SqliteStore } from "../../src/index.ts";
import { openEmbedded } from "../../src/index.ts";
import { faultPoints } from "../../src/testing/index.ts";

export interface Process {
  readonly runtime: Runtime;
  kill(): void;
}

export async function openProcess(
  store: SqliteStore,
  agent: Agent,
  clock: Clock,
  artifactBytes: number | undefined,
): Promise<Process> {
  let isKilled = false;
  const points = faultPoints(store, { stopAt: { call: () => isKilled, when: "before" } });
  const runtime = await openEmbedded({
    path: "", // the store is given
    store: points.store,
    agents: [agent],
    clock,
    stream: false,
    random: () => 0.5,
    maxValueBytes: 64 * 1024 * 1024,
    ...(artifactBytes !== undefined && { artifactBytes }),
  });
  return {
    runtime,
    kill: () => {
      isKilled = true;
    },
  };
}
