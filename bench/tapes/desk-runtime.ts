import {
  closeRuntime,
  openEmbedded,
  openSqliteStore,
  type Runtime,
  type Store,
  settleThreads,
  startThread,
  systemClock,
} from "../../src/index.ts";
import { customer, type DeskOptions, deskAgents, threadIdOf } from "./desk-agent.ts";
import { type Approver, answerRequests } from "./people.ts";
import type { Recording } from "./recordings.ts";

export interface DeskRuntimeOptions extends DeskOptions {
  /** The SQLite file. */
  readonly path: string;
  readonly modelUrl: string;
  /** How far this process's clock is ahead of the machine's. */
  readonly clockOffsetMs?: number;
  readonly wrapStore?: (store: Store) => Store;
}

/** Holdpoint as anyone would set it up: its own provider package, its window, its gate, its SQLite store. */
export async function openDesk(
  recordings: readonly Recording[],
  options: DeskRuntimeOptions,
): Promise<Runtime> {
  const { path, modelUrl, clockOffsetMs = 0, wrapStore = (store) => store } = options;
  return openEmbedded({
    path,
    agents: deskAgents(recordings, options),
    providers: { tapes: { baseURL: modelUrl } },
    store: wrapStore(await openSqliteStore({ path })),
    clock: { ...systemClock, now: () => systemClock.now() + clockOffsetMs },
  });
}

/** Starts the recording's thread where there is none, and runs it to its end, with people who answer at once. */
export async function runThread(
  runtime: Runtime,
  recording: Recording,
  { approver, signal }: { readonly approver: Approver; readonly signal: AbortSignal },
): Promise<void> {
  const threadId = threadIdOf(recording);
  await startThread(runtime, recording.id, recording.input, { by: customer, key: recording.id, threadId });
  do await settleThreads(runtime, [threadId], { signal });
  while ((await answerRequests(runtime, recording, approver)) > 0);
}

export interface RunAllOptions extends DeskRuntimeOptions {
  readonly approver: Approver;
  readonly signal: AbortSignal;
  /** Threads at once. Default 8. */
  readonly atOnce?: number;
}

export async function runAll(recordings: readonly Recording[], options: RunAllOptions): Promise<void> {
  const runtime = await openDesk(recordings, options);
  const left = [...recordings];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) await runThread(runtime, next, options);
  };
  await Promise.all(Array.from({ length: options.atOnce ?? 8 }, lane));
  await closeRuntime(runtime);
}
