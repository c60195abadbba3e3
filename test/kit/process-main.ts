// The process under test. It does what its options say: runs threads, starts them from the inbox, answers requests; it
// obeys commands on stdin; and it says on descriptor 3 what it does. It ends with its stdin, so that it outlives no test.
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import {
  closeRuntime,
  decideRequest,
  isHoldpointError,
  type Runtime,
  startThread,
  startWorker,
  type Verdict,
  type Worker,
} from "../../src/index.ts";
import { answerRequests } from "./process-person.ts";
import { seededRandom } from "./process-random.ts";
import { describe, report, reportHint } from "./process-report.ts";
import { settleMails } from "./process-settle.ts";
import { mailsOf, openBooks, openWorld, type WorldOptions } from "./process-world.ts";

export interface ProcessOptions extends WorldOptions {
  readonly seed: number;
  /** `work` runs threads as a worker; `settle` runs what there is until all has ended, and then ends. */
  readonly roles: readonly ("work" | "settle" | "feed" | "answer")[];
  /** What `feed` and `settle` start. */
  readonly mails?: number;
  /** Mean time between two mails of `feed`. */
  readonly feedMs?: number;
  /** The longest pause at each place. */
  readonly pauseMs?: number;
  /** Stops itself there with SIGSTOP, the first time. */
  readonly stopAt?: string;
  /** Says that it is there, the first time, and waits for the command `release`. */
  readonly holdAt?: string;
}

export type Command = { readonly id: number } & (
  | { readonly do: "start"; readonly input: unknown; readonly key: string }
  | {
      readonly do: "decide";
      readonly requestId: string;
      readonly verdict: Verdict;
      readonly by: string;
      readonly times: number;
    }
  | { readonly do: "shiftClock"; readonly ms: number }
  | { readonly do: "release" }
);

const options = JSON.parse(process.argv[2] ?? "") as ProcessOptions; // our own test wrote it
const random = seededRandom(options.seed);
/** So many rounds in which nothing works, and `settle` gives up: a disk that stays full. */
const maxFailures = 10;
const released = Promise.withResolvers<void>();
let place: string | undefined = options.stopAt ?? options.holdAt;
let clockShiftMs = 0;
let stopping = false;

await main();

async function main(): Promise<void> {
  try {
    await live();
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    if (stopping && error.code === "usage") return; // the store was closed under a call that was on its way
    report({ kind: "problem", threadId: "", ...describe(error) });
    process.exit(error.retryable ? 3 : 1);
  }
}

async function live(): Promise<void> {
  const runtime = await openWorld(options, { at, observe: reportHint, clockShiftMs: () => clockShiftMs });
  const worker = options.roles.includes("work") ? startWorker(runtime) : null;
  process.on("SIGTERM", () => void stop(runtime, worker));
  obey(runtime);
  report({ kind: "ready", pid: process.pid, owner: runtime.owner });
  const feeding = options.roles.includes("feed") ? feed(runtime) : Promise.resolve();
  if (options.roles.includes("answer")) await answer(runtime);
  if (options.roles.includes("settle")) await settle(runtime);
  await feeding;
}

async function stop(runtime: Runtime, worker: Worker | null): Promise<void> {
  stopping = true;
  await worker?.close();
  await closeRuntime(runtime);
  process.exit(0);
}

/** What happens at a place: a stop or a wait where the options say so, else a pause of random length. */
async function at(here: string): Promise<void> {
  if (here === place) {
    place = undefined;
    if (options.stopAt === here) return void process.kill(process.pid, "SIGSTOP"); // at once: it may not go on to its first `await`
    report({ kind: "at", place: here });
    await released.promise;
  } else if (here === "fenced") report({ kind: "at", place: here });
  else if (options.pauseMs !== undefined && isSlow(here)) await sleep(random.below(options.pauseMs));
}

/** Where the world outside takes its time. */
function isSlow(here: string): boolean {
  return here === "model" || here.startsWith("effect:");
}

/** Mail comes in. A process that follows one that died starts from the first again: keys make that harmless. */
async function feed(runtime: Runtime): Promise<void> {
  for (const { file, key } of mailsOf(options.mails ?? 0)) {
    if (stopping) return;
    const { created } = await startThread(runtime, options.agent, { file }, { by: "inbox", key });
    if (created) await sleep(random.below(2 * (options.feedMs ?? 0)));
  }
}

async function answer(runtime: Runtime): Promise<void> {
  const books = openBooks(options);
  while (!stopping) {
    await answerRequests(runtime, books, options.seed);
    await sleep(20 + random.below(60));
  }
}

/** Works until all has ended, and then ends itself. A disk that fails for a moment is no reason to give up. */
async function settle(runtime: Runtime): Promise<void> {
  const books = openBooks(options);
  for (let failures = 0; ; ) {
    try {
      await settleMails(runtime, { mails: options.mails ?? 0, seed: options.seed, books });
      break;
    } catch (error) {
      if (!isHoldpointError(error) || !error.retryable || ++failures > maxFailures) throw error;
      report({ kind: "problem", threadId: "", ...describe(error) });
      await sleep(100);
    }
  }
  books.close();
  await closeRuntime(runtime);
  process.exit(0);
}

function obey(runtime: Runtime): void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => void carryOut(runtime, JSON.parse(line) as Command)); // our own test wrote it
  lines.on("close", () => process.exit(1));
}

async function carryOut(runtime: Runtime, command: Command): Promise<void> {
  report({ kind: "result", id: command.id, value: await resultOf(runtime, command) });
}

async function resultOf(runtime: Runtime, command: Command): Promise<unknown> {
  switch (command.do) {
    case "start":
      return startThread(runtime, options.agent, command.input, { by: "test", key: command.key });
    case "decide":
      return Promise.all(Array.from({ length: command.times }, () => decideOnce(runtime, command)));
    case "shiftClock":
      clockShiftMs = command.ms;
      return null;
    case "release":
      return released.resolve();
    default:
      return command satisfies never;
  }
}

/** What one caller learned of one delivery. */
export type Learned =
  | {
      readonly first: boolean;
      readonly verdict: Verdict | null;
      readonly by: string | null;
      readonly decidedAt: string | null;
    }
  | { readonly code: string; readonly message: string };

async function decideOnce(
  runtime: Runtime,
  { requestId, verdict, by }: Extract<Command, { do: "decide" }>,
): Promise<Learned> {
  try {
    const { first, request } = await decideRequest(runtime, requestId, { verdict, by, via: "test" });
    return { first, verdict: request.verdict, by: request.by, decidedAt: request.decidedAt };
  } catch (error) {
    return describe(error);
  }
}
