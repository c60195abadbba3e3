// What the world counts of one task in one variant, and how time passes in it.
import type { Draws } from "./draws.ts";
import type { Effect } from "./judge.ts";
import type { Task } from "./tasks.ts";

/** Time of the simulation: nothing waits for real. */
export interface SimulatedTime {
  now(): number;
  advance(ms: number): Promise<void>;
}

/** Counted by the model's server, the tools and the people; never by what is measured. */
export interface TaskRun {
  readonly task: Task;
  readonly draws: Draws;
  readonly time: SimulatedTime;
  readonly effects: Effect[];
  /** Critical actions that people approved, by tool and arguments. */
  readonly approved: { readonly tool: string; readonly args: unknown }[];
  readonly toolRuns: Map<string, number>;
  readonly requests: Map<string, number>;
  modelCalls: number;
  inputTokens: number;
  outputTokens: number;
  overflows: number;
  /** In models and tools. */
  activeMs: number;
  asked: number;
  crashes: number;
  /** The process has been killed: nothing that it does counts any more. */
  isDead: boolean;
  /** It made more calls than anybody would let it. */
  isRunaway: boolean;
}

/** Somebody notices after so many model calls of a task, and stops it. */
export const mostCalls = 100;

export function beginRun(task: Task, draws: Draws, time: SimulatedTime): TaskRun {
  return {
    ...{ task, draws, time, effects: [], approved: [] },
    ...{ toolRuns: new Map(), requests: new Map() },
    ...{ modelCalls: 0, inputTokens: 0, outputTokens: 0, overflows: 0, activeMs: 0, asked: 0, crashes: 0 },
    ...{ isDead: false, isRunaway: false },
  };
}

/** From 1: which of these it is. */
export function countUp(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

/** Adds what this takes to the active time. */
export async function working<T>(run: TaskRun, work: () => Promise<T>): Promise<T> {
  const startedAt = run.time.now();
  try {
    return await work();
  } finally {
    run.activeMs += run.time.now() - startedAt;
  }
}

/** What a killed process ends with. No `catch` of the process itself sees it. */
export class Killed extends Error {
  override readonly name = "Killed";
}
