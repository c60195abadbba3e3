// Every recording's thread is killed again and again, at event boundaries, each time with the process that runs it, and
// goes on in a fresh process. What was recorded is compared at the end, and after every kill what the log holds.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Boundary, Stop } from "./boundaries.ts";
import { threadIdOf } from "./desk-agent.ts";
import { compareLedger, decisionsIn, type Logs, readLogs, stepDifferences } from "./judge.ts";
import type { ChildOptions, Said } from "./killed-child.ts";
import { type ModelServer, openModelServer } from "./model-server.ts";
import { type ModeOptions, wholeBudget } from "./plain.ts";
import { callsOf, type Recording, writesOf } from "./recordings.ts";
import type { Figure, Report } from "./report.ts";
import { compiled, startTools, type ToolProcess } from "./tool-process.ts";

export interface KillOptions extends ModeOptions {
  /** At least so many boundaries are hit, over all threads. */
  readonly kills: number;
  /** Threads that one SIGKILL ends, each at a boundary of its own. 1: a process for every boundary. */
  readonly threadsPerKill: number;
  /** Where each thread is hit first. Default: at different events. */
  readonly first?: Boundary;
  readonly progress: (line: string) => void;
}

/** Processes at once, each with a store of its own. */
const lanes = 2;
/** The lease of a killed process runs on; the next process's clock is past it. */
const leaseMs = 31_000;

interface World extends KillOptions {
  readonly tools: ToolProcess;
  readonly model: ModelServer;
  /** Events from one boundary of a thread to the next. */
  readonly stride: number;
  readonly stops: Stop[];
  sigkills: number;
  readonly startedAt: number;
}

export async function runKilled(recordings: readonly Recording[], options: KillOptions): Promise<Report> {
  const { folder, kills } = options;
  mkdirSync(join(folder, "recordings"), { recursive: true });
  for (const recording of recordings)
    writeFileSync(join(folder, "recordings", `${recording.id}.json`), JSON.stringify(recording));
  const tools = await startTools(folder, recordings);
  const model = await openModelServer(recordings, { matching: "whole" });
  const stride = Math.max(2, Math.floor(expectedEvents(recordings) / kills + 0.5)); // a kill before an event loses it
  const world: World = {
    ...options,
    tools,
    model,
    stride,
    stops: [],
    sigkills: 0,
    startedAt: performance.now(),
  };
  try {
    const shares = Array.from({ length: lanes }, (_, lane) =>
      recordings.filter((_, index) => index % lanes === lane),
    );
    await Promise.all(shares.map((share, lane) => runLane(share, join(folder, `lane-${lane}.db`), world)));
    const logs = new Map(
      (
        await Promise.all(shares.map((share, lane) => readLogs(join(folder, `lane-${lane}.db`), share)))
      ).flatMap((read) => [...read]),
    );
    return reportOf(recordings, logs, world);
  } finally {
    await model.close();
    await tools.close();
  }
}

/**
 * A start and an end; a decision a turn; a question and its answer; an action's proposal and result, of writes also
 * request, verdict and start.
 */
function expectedEvents(recordings: readonly Recording[]): number {
  const replies = recordings.flatMap(({ turns }) => turns.filter(({ kind }) => kind === "reply")).length;
  const turns = recordings.flatMap((recording) => recording.turns).length;
  const calls = recordings.flatMap(callsOf).length;
  const writes = recordings.flatMap(writesOf).length;
  return recordings.length * 2 + turns + replies * 2 + calls * 2 + writes * 3;
}

interface Going {
  readonly recording: Recording;
  readonly boundary: Boundary;
}

/** One process after another, each with some of the threads, until all have ended. */
async function runLane(recordings: readonly Recording[], path: string, world: World): Promise<void> {
  const left = recordings.map(
    (recording, index): Going => ({ recording, boundary: firstBoundary(index, world) }),
  );
  let going: readonly Going[] = [];
  for (let life = 0; ; life++) {
    going = [...going, ...left.splice(0, world.threadsPerKill - going.length)];
    if (going.length === 0) return;
    const { said, isKilled } = await runChild(going, path, life, world);
    if (isKilled) world.sigkills += 1;
    for (const { recording } of going)
      world.model.noteRecorded(recording.id, decisionsIn(path, threadIdOf(recording)));
    const stops = said.flatMap((one) => (one.kind === "stopped" ? [one.stop] : []));
    world.stops.push(...stops);
    report(world, stops.length);
    const ended = new Set(said.flatMap((one) => (one.kind === "ended" ? [one.id] : [])));
    going = going
      .filter(({ recording }) => !ended.has(recording.id))
      .map(({ recording, boundary }) => ({ recording, boundary: nextBoundary(boundary, world) }));
  }
}

/** Threads differ in where they are hit first, so that all kinds of events are. */
function firstBoundary(index: number, { stride, first }: World): Boundary {
  return first ?? { event: 1 + (index % stride), when: index % 2 === 0 ? "after" : "before" };
}

/** Before and after in turns: what is before the first event of a life would be there for ever. */
function nextBoundary({ when }: Boundary, { stride }: World): Boundary {
  return { event: stride, when: when === "after" ? "before" : "after" };
}

interface Life {
  readonly said: readonly Said[];
  readonly isKilled: boolean;
}

async function runChild(going: readonly Going[], path: string, life: number, world: World): Promise<Life> {
  const options: ChildOptions = {
    path,
    recordingsFolder: join(world.folder, "recordings"),
    toolsUrl: world.tools.url,
    modelUrl: world.model.url,
    budget: wholeBudget,
    clockOffsetMs: life * leaseMs,
    threads: going.map(({ recording, boundary }) => ({ id: recording.id, boundary })),
  };
  const child = spawnChild(options, world);
  const [stdout, stderr] = [child.stdout as Readable, child.stderr as Readable]; // both are pipes
  const [out, errors, code] = await Promise.all([text(stdout), text(stderr), endOf(child)]);
  if (child.signalCode !== "SIGKILL" && code !== 0)
    throw new Error(`a process ended with ${child.signalCode ?? code}: ${errors}`);
  const lines = out.split("\n").filter((line) => line !== "");
  const said = lines.map((line) => JSON.parse(line) as Said); // the child wrote them whole
  if (said.length !== going.length)
    throw new Error(
      `a process ended (${child.signalCode ?? code}) before its threads stood where they should: ${errors}`,
    );
  return { said, isKilled: child.signalCode === "SIGKILL" };
}

const script = fileURLToPath(new URL("./killed-child.ts", import.meta.url));
/** A process that hangs is a failure, not a kill. */
const maxLifeMs = 120_000;

function spawnChild(options: ChildOptions, { signal }: World): ChildProcess {
  const { PATH, HOME, TMPDIR } = process.env; // no settings, no keys
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE: compiled },
    timeout: maxLifeMs,
    killSignal: "SIGTERM",
    signal,
  });
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}

function report({ stops, sigkills, startedAt, progress, kills }: World, news: number): void {
  const step = 200;
  if (Math.floor(stops.length / step) === Math.floor((stops.length - news) / step)) return;
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  progress(`kill: ${stops.length} boundaries of at least ${kills}, ${sigkills} SIGKILLs, ${seconds} s`);
}

function reportOf(recordings: readonly Recording[], logs: Logs, world: World): Report {
  const writeNames = new Set(recordings.flatMap(({ writes }) => writes));
  const { model, stops, sigkills, kills, startedAt } = world;
  const written = compareLedger(recordings, world.tools.ledger());
  const differing = stepDifferences(recordings, logs);
  const events = [...logs.values()].flatMap((log) => log.events);
  const unrecorded = stops.filter(({ when, type }) => when === "before" && type === "decision_made").length;
  const ends = new Set(["thread_completed", "thread_failed", "thread_cancelled"]);
  const ended = [...logs.values()].filter((log) => ends.has(log.events.at(-1)?.type ?? "")).length;
  return {
    mode: "kill",
    seconds: (performance.now() - startedAt) / 1_000,
    figures: [
      { what: "recorded runs", value: recordings.length },
      {
        what: "event boundaries at which a thread's process was killed",
        value: stops.length,
        want: kills,
        atLeast: true,
      },
      { what: "  SIGKILLs for them", value: sigkills },
      ...byPlace(stops),
      {
        what: "  of them after a write took place, before its result was recorded",
        value: stops.filter((stop) => isWriteInDoubt(stop, writeNames)).length,
      },
      { what: "threads that did not end", value: recordings.length - ended, want: 0 },
      { what: "threads with another result sequence", value: differing.length, want: 0 },
      { what: "requests that differ from the recording", value: model.differences.length, want: 0 },
      { what: "model calls", value: model.asked },
      {
        what: "  asked again, since the kill came before the answer was recorded",
        value: model.askedAgain,
        want: unrecorded,
      },
      { what: "  asked again after the answer was recorded", value: model.paidAgain.length, want: 0 },
      { what: "events", value: events.length },
      { what: "writes in the ledger", value: written.lines },
      { what: "ledgers that differ from the recorded writes", value: written.differences.length, want: 0 },
      { what: "writes that took place twice", value: written.twice.length, want: 0 },
    ],
    problems: [
      ...model.differences,
      ...model.paidAgain,
      ...differing,
      ...written.differences,
      ...written.twice,
    ],
  };
}

/** What the ledger had and the log had not: the one place where a write could happen twice. */
function isWriteInDoubt({ when, type, key }: Stop, writeNames: ReadonlySet<string>): boolean {
  return (
    when === "before" && type === "action_completed" && writeNames.has(/^act:(.+)#/.exec(key)?.[1] ?? "")
  );
}

function byPlace(stops: readonly Stop[]): readonly Figure[] {
  const places = Map.groupBy(stops, ({ type, when }) => `  ${when} ${type}`);
  return [...places]
    .map(([what, at]) => ({ what, value: at.length }))
    .toSorted((left, right) => right.value - left.value);
}
