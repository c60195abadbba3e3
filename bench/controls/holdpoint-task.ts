// One task on Holdpoint: its thread is run, people are asked, killed processes are started again, until it has ended.
import {
  decideRequest,
  flagAction,
  type Runtime,
  settleThreads,
  startThread,
  type ThreadRow,
} from "../../src/index.ts";
import type { Process } from "./holdpoint-process.ts";
import { judge } from "./judge.ts";
import { thinkingMs, verdictOn } from "./people.ts";
import type { TaskRun } from "./task-run.ts";

export interface TaskPlace {
  readonly agent: string;
  readonly input: unknown;
  readonly resumes: boolean;
  /** The process that lives now; after a kill a new one. */
  readonly process: () => Process;
  readonly restart: () => Promise<void>;
}

/** @returns what the thread ended with; `null` when it failed. */
export async function runHoldpointTask(run: TaskRun, place: TaskPlace): Promise<unknown> {
  let threadId = await start(run, place);
  for (;;) {
    const isAlive = await settle(run, place, threadId);
    if (!isAlive && !place.resumes) threadId = await start(run, place); // from the beginning, as if there were no log
    const { runtime } = place.process();
    const row = await rowOf(runtime, threadId);
    if (row.status === "completed") return outputOf(runtime, threadId);
    if (row.status === "failed" || row.status === "cancelled") return null;
    if (await answer(run, runtime, threadId)) continue;
    const dueAt = row.dueAt === null ? null : Date.parse(row.dueAt);
    if (dueAt === null) throw new Error(`task ${run.task.number} waits for nothing`);
    await run.time.advance(Math.max(0, dueAt - run.time.now()));
  }
}

async function start({ task, crashes }: TaskRun, { agent, input, process }: TaskPlace): Promise<string> {
  const key = `task ${task.number}, run ${crashes}`;
  return (await startThread(process().runtime, agent, input, { by: "shop", key })).threadId;
}

/** False when the process was killed meanwhile; another one runs then. */
async function settle(run: TaskRun, { process, restart }: TaskPlace, threadId: string): Promise<boolean> {
  const signal = new AbortController().signal;
  try {
    await settleThreads(process().runtime, [threadId], { signal, patienceMs: 0 });
  } catch (error) {
    if (!run.isDead) throw error;
  }
  if (!run.isDead) return true;
  run.isDead = false;
  run.crashes += 1;
  await restart();
  return false;
}

async function rowOf(runtime: Runtime, threadId: string): Promise<ThreadRow> {
  const row = (await runtime.store.threads({ threadId })).rows[0];
  if (!row) throw new Error(`there is no thread ${threadId}`);
  return row;
}

async function outputOf(runtime: Runtime, threadId: string): Promise<unknown> {
  const end = (await runtime.store.read(threadId)).at(-1);
  return end?.type === "thread_completed" ? end.output.value : null;
}

/** Has one open request decided. */
async function answer(run: TaskRun, runtime: Runtime, threadId: string): Promise<boolean> {
  const request = (await runtime.store.requests({ threadId, status: "open", limit: 1 })).rows[0];
  if (!request) return false;
  run.asked += 1;
  await run.time.advance(thinkingMs(run));
  const verdict = verdictOn(run, request);
  await decideRequest(runtime, request.requestId, {
    ...{ verdict, by: "dana@example.com", roles: ["support-lead"], via: "simulation" },
  });
  return true;
}

/** Tells the log which actions were wrong, as people would who found out. */
export async function flagWrong({ task, effects }: TaskRun, runtime: Runtime): Promise<void> {
  for (const { idempotencyKey } of judge(task.wanted, effects).wrong) {
    const [, threadId = "", key = ""] = /^([^/]+)\/(act:[^/]+)/.exec(idempotencyKey) ?? [];
    await flagAction(runtime, threadId, key, { by: "audit@example.com", why: "not what was wanted" });
  }
}
