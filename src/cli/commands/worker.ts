import { once } from "node:events";
import { type ErrorInfo, HoldpointError, toErrorInfo } from "../../core/errors.ts";
import type { Store } from "../../ports/store.ts";
import { agentsAtHand, dueElsewhere, noSuchAgent } from "../../runtime/agents-at-hand.ts";
import { assertNames, type OutboxOptions, settleOutbox, startOutbox } from "../../runtime/outbox.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { settleThreads, startWorker } from "../../runtime/worker.ts";
import type { SqliteStore } from "../../stores/sqlite/store.ts";
import type { Schedule } from "../../triggers/schedule.ts";
import { type AgentLibrary, loadAgents } from "../agent-library.ts";
import { checkStarts } from "../check-start.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withRuntime, withStore } from "../context.ts";
import { formatDistance, formatPath, formatTime, line, plural } from "../format.ts";
import { spellCommands } from "../own-command.ts";
import { showProgress } from "../progress.ts";
import { fireDueSchedules, runSchedules, schedulesHere } from "../schedules-here.ts";
import type { CommandResult } from "../screen.ts";

interface Options {
  readonly once?: boolean;
  readonly unchecked?: string;
}

/** So many threads run at a time with `--once`. */
const concurrency = 64;
/** So many threads are named at most whose agent is not here. */
const maxElsewhere = 1_000;

export const addWorker: AddCommand = (program, run) => {
  program
    .command("worker")
    .description("run threads as they become due, and start those of schedules, until SIGTERM or SIGINT")
    .option("--once", "end when nothing is due")
    .option(
      "--unchecked <reason>",
      "start agents also where their check fails; the reason is recorded with what it starts",
    )
    .action(run<Options>((context, _args, options) => work(context, options)));
};

async function work(context: Context, { once: isOnce = false, ...options }: Options): Promise<CommandResult> {
  const { screen, settings } = context;
  const library = await loadAgents(settings);
  for (const problem of [...library.problems, ...library.stale.values()]) screen.warn(problem.message);
  if (library.agents.length === 0) throw noAgents(library);
  const { people } = settings;
  const channels = await settings.channels();
  const schedules = schedulesHere(context, library);
  const checked = await checkStarts(context, { ...library, channels, unchecked: options.unchecked });
  return withStore(context, "create", async (store) => {
    const sending = { outbox: store.outbox, channels, people };
    const progress = showProgress(screen, { withThreads: true });
    const names = library.agents.map((agent) => agent.name).join(", ");
    screen.note(`worker for ${names} on ${formatPath(settings.storePath)}`);
    try {
      return await withRuntime(
        context,
        { store, agents: library.agents, ...checked, observe: progress.observe },
        (runtime) => {
          const work = { context, runtime, store, schedules, sending };
          return isOnce ? workOnce(work) : workOn(work);
        },
      );
    } finally {
      progress.close();
    }
  });
}

interface Work {
  readonly context: Context;
  readonly runtime: Runtime;
  readonly store: SqliteStore;
  readonly schedules: readonly Schedule[];
  readonly sending: OutboxOptions;
}

async function workOn(work: Work): Promise<CommandResult> {
  const { runtime, store, schedules, sending } = work;
  const { signal } = work.context;
  assertNames(sending.channels); // first: it may refuse
  const running = await runSchedules(runtime, { schedules, store: store.schedules, signal });
  const outbox = startOutbox(runtime, sending);
  const worker = startWorker(runtime);
  if (!signal.aborted) await once(signal, "abort");
  await Promise.all([running.close(), worker.close(), outbox.close()]);
  return { document: { stopped: true }, lines: [] };
}

interface ThreadProblem {
  readonly threadId: string;
  readonly error: ErrorInfo;
}

/** Each thread is settled by itself: what fails in one does not keep the others from being run. */
async function workOnce({ context, runtime, store, schedules, sending }: Work): Promise<CommandResult> {
  const { signal } = context;
  const ran = new Set<string>();
  const problems: ThreadProblem[] = [];

  async function settle(threadId: string): Promise<void> {
    ran.add(threadId);
    try {
      await settleThreads(runtime, [threadId], { signal, patienceMs: 0 });
    } catch (error) {
      problems.push({ threadId, error: toErrorInfo(error, "internal") });
    }
  }

  const ticks = await fireDueSchedules(context, runtime, { schedules, store: store.schedules, signal });
  for (;;) {
    const due = await dueThreads(runtime, store, problems);
    if (due.length === 0 || signal.aborted) break;
    await Promise.all(due.map(settle));
  }
  await settleOutbox(runtime, sending, signal);
  for (const row of await dueElsewhere(runtime, maxElsewhere)) {
    if (ran.has(row.threadId)) continue;
    ran.add(row.threadId);
    problems.push({ threadId: row.threadId, error: toErrorInfo(noSuchAgent(row), "internal") });
  }
  const held = await heldElsewhere(runtime, store);
  return onceResult(ran.size, problems, { ticks, stopped: signal.aborted, held });
}

/** Due threads that can be run here, without those that failed: they come up again later. */
async function dueThreads(
  runtime: Runtime,
  store: Store,
  problems: readonly ThreadProblem[],
): Promise<readonly string[]> {
  const failed = new Set(problems.map((problem) => problem.threadId));
  const { threadIds } = await store.due({
    now: runtime.clock.now(),
    limit: concurrency + failed.size,
    agents: agentsAtHand(runtime),
  });
  return threadIds.filter((threadId) => !failed.has(threadId)).slice(0, concurrency);
}

/** Threads that another worker has, or had when it died: until when, at the latest, the first of them is its own. */
async function heldElsewhere(runtime: Runtime, store: SqliteStore): Promise<Held> {
  const now = runtime.clock.now();
  const held = (await store.leased(now)).filter(({ agent }) => runtime.agents.has(agent));
  const [first] = held;
  return { threads: held.length, until: first ? new Date(first.until).toISOString() : null, now };
}

interface Held {
  readonly threads: number;
  readonly until: string | null;
  readonly now: number;
}

function heldLine({ threads, until, now }: Held): readonly string[] {
  if (until === null) return [];
  const free = `${formatTime(until)} UTC (${formatDistance(until, now)})`;
  return [
    `another worker has ${plural(threads, "thread")}; should it have died, run this again after ${free}`,
  ];
}

function problemLines({ threadId, error }: ThreadProblem): readonly string[] {
  const { message, code, fix } = error;
  const head = `  ${threadId}: ${line(message, 400)} (${code})`;
  return fix === undefined ? [head] : [head, `    → ${spellCommands(line(fix, 400))}`];
}

function onceResult(
  threads: number,
  problems: readonly ThreadProblem[],
  { ticks, stopped, held }: { readonly ticks: number; readonly stopped: boolean; readonly held: Held },
): CommandResult {
  return {
    document: {
      threads,
      ticks,
      problems,
      ...(held.threads > 0 ? { held: held.threads } : {}),
      ...(stopped ? { stopped: true } : {}),
    },
    lines: [
      `${plural(threads, "thread")} had work; ${problems.length === 0 ? "nothing is due now" : plural(problems.length, "problem")}`,
      ...problems.flatMap(problemLines),
      ...heldLine(held),
    ],
    exitCode: problems.length > 0 ? 1 : stopped ? 3 : 0,
  };
}

function noAgents({ problems, stale }: AgentLibrary): HoldpointError {
  return (
    problems[0] ??
    [...stale.values()][0] ??
    new HoldpointError("agent_not_found", "there is no agent whose threads could be run", {
      fix: "Name the agents' files: --agent <file>, or `agents` in holdpoint.config.json.",
    })
  );
}
