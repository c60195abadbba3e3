// All tasks of one variant, one after the other, in a world of its own.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  agent,
  gate,
  type Model,
  openSqliteStore,
  readStats,
  type Stats,
  type Tool,
} from "../../src/index.ts";
import { type ManualClock, manualClock } from "../../src/testing/index.ts";
import { bareLoop } from "./bare-loop.ts";
import { deskModel } from "./desk-model.ts";
import { type DrawOptions, type Draws, drawsOf } from "./draws.ts";
import { openProcess, type Process } from "./holdpoint-process.ts";
import { flagWrong, runHoldpointTask } from "./holdpoint-task.ts";
import { instructions } from "./stand-in.ts";
import { isSolved, type TaskResult, taskResult } from "./task-result.ts";
import { beginRun, Killed, type TaskRun } from "./task-run.ts";
import { mostTasks, type Task, taskOf } from "./tasks.ts";
import { answerSchema, type Variant, type VariantName, variants } from "./variants.ts";
import { openWorld } from "./world.ts";

export interface VariantRun {
  readonly name: VariantName;
  readonly tasks: readonly TaskResult[];
  /** From the first start to the last end, by the simulated clock. */
  readonly simulatedMs: number;
  /** What Holdpoint counts itself, from its log; the bare loop has none. */
  readonly own: Stats | null;
}

export interface SimulationOptions extends DrawOptions {
  readonly tasks: number;
  /** An empty folder. */
  readonly folder: string;
  readonly onProgress?: (variant: VariantName, done: number) => void;
}

export async function runVariant(name: VariantName, options: SimulationOptions): Promise<VariantRun> {
  const folder = join(options.folder, name.replaceAll(" ", "-"));
  mkdirSync(folder, { recursive: true });
  const draws = drawsOf(options);
  const tasks = tasksOf(options.tasks, draws);
  const variant = variants.find((each) => each.name === name);
  const desk = openDesk(folder, tasks, draws);
  const onDone = (done: number): void => options.onProgress?.(name, done);
  try {
    return variant
      ? await runOnHoldpoint(desk, variant, join(folder, "holdpoint.db"), onDone)
      : await runBare(desk, onDone);
  } finally {
    desk.close();
  }
}

function tasksOf(count: number, draws: Draws): readonly Task[] {
  if (!Number.isInteger(count) || count < 10 || count > mostTasks)
    throw new Error(`--tasks takes 10 to ${mostTasks}`);
  return Array.from({ length: count }, (_, number) => taskOf(number, draws.parcelTokens(number)));
}

/** What all variants share: world, clock, model, and the task that is being worked on. */
interface Desk {
  readonly tasks: readonly Task[];
  readonly draws: Draws;
  readonly clock: ManualClock;
  readonly model: Model;
  readonly tools: readonly Tool[];
  run: TaskRun | null;
  kill: () => void;
  close(): void;
}

function openDesk(folder: string, tasks: readonly Task[], draws: Draws): Desk {
  const clock = manualClock();
  const runOf = (): TaskRun => {
    if (!desk.run) throw new Error("no task is being worked on");
    return desk.run;
  };
  const world = openWorld({ folder, tasks, runOf, kill: () => desk.kill() });
  const desk: Desk = {
    ...{ tasks, draws, clock, model: deskModel(runOf, clock), tools: world.tools },
    run: null,
    kill: () => {},
    close: () => world.close(),
  };
  return desk;
}

/** What is known when a mail arrives: looked up by code beforehand, for every variant. */
function inputOf({ mail, customer, orders }: Task): unknown {
  const { customerId, name } = customer;
  return {
    mail,
    ticket: {
      customer: { customerId, name },
      orders: orders.map(({ orderId, items, paidCents }) => ({ orderId, items, refundableCents: paidCents })),
    },
  };
}

async function runAll(
  desk: Desk,
  onDone: (done: number) => void,
  runOne: (run: TaskRun) => Promise<unknown>,
): Promise<{ readonly tasks: readonly TaskResult[]; readonly simulatedMs: number }> {
  const results: TaskResult[] = [];
  const begunAt = desk.clock.now();
  for (const task of desk.tasks) {
    const run = beginRun(task, desk.draws, desk.clock);
    desk.run = run;
    const startedAt = desk.clock.now();
    const output = await runOne(run);
    results.push(taskResult(run, output, desk.clock.now() - startedAt));
    onDone(results.length);
  }
  return { tasks: results, simulatedMs: desk.clock.now() - begunAt };
}

/** A job that died is delivered again, after as long as a lease of Holdpoint's takes. */
const redeliveryMs = 30_000;

async function runBare(desk: Desk, onDone: (done: number) => void): Promise<VariantRun> {
  const { clock, model, tools } = desk;
  const answer = {
    name: "answer",
    description: "Gives the answer. It comes alone, without calls beside it.",
    inputSchema: z.toJSONSchema(answerSchema, { io: "input" }),
  };
  const offered = [...tools, answer].map(({ name, description, inputSchema }) => ({
    ...{ name, description, inputSchema: JSON.parse(JSON.stringify(inputSchema)) },
  }));
  let calls = 0;
  const newKey = (): string => {
    calls += 1;
    return `bare ${calls}`;
  };
  const loop = { model, tools, offered, instructions, time: clock, newKey };
  const ran = await runAll(desk, onDone, async (run) => {
    for (;;) {
      try {
        return await bareLoop({ ...loop, input: inputOf(run.task) });
      } catch (error) {
        if (!(error instanceof Killed)) return null;
        run.crashes += 1;
        await clock.advance(redeliveryMs);
      }
    }
  });
  return { name: "bare loop", ...ran, own: null };
}

async function runOnHoldpoint(
  desk: Desk,
  variant: Variant,
  path: string,
  onDone: (done: number) => void,
): Promise<VariantRun> {
  const { clock } = desk;
  const store = await openSqliteStore({ path });
  const definition = agentOf(desk, variant);
  const open = (): Promise<Process> => openProcess(store, definition, clock, variant.artifactBytes);
  let process = await open();
  desk.kill = () => {
    process.kill();
    if (desk.run) desk.run.isDead = true;
  };
  const since = new Date(clock.now()).toISOString();
  const ran = await runAll(desk, onDone, async (run) => {
    const output = await runHoldpointTask(run, {
      ...{ agent: definition.name, input: inputOf(run.task), resumes: variant.resumes },
      process: () => process,
      restart: async () => {
        process = await open();
      },
    });
    await flagWrong(run, process.runtime);
    return output;
  });
  const own = (await readStats(store.numbers, { since }, clock.now())).total;
  await store.close();
  return { name: variant.name, ...ran, own };
}

function agentOf(desk: Desk, variant: Variant) {
  return agent({
    name: "desk",
    model: variant.adapt(desk.model),
    prompt: instructions,
    tools: desk.tools.map(variant.change),
    output: variant.answer,
    gate: gate(variant.gate),
    limits: variant.limits,
    window: variant.window,
    accept: (output) => desk.run !== null && isSolved(desk.run, output),
  });
}
