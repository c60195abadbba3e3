import { HoldpointError } from "../../core/errors.ts";
import type { Verdict } from "../../core/events.ts";
import { evolve } from "../../core/evolve.ts";
import { nearest } from "../../core/nearest.ts";
import { initialState, type Operation } from "../../core/state.ts";
import type { Store } from "../../ports/store.ts";
import { handleOperation, settleAction } from "../../runtime/commands.ts";
import { threadRow } from "../../runtime/thread-report.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withRuntime, withStore } from "../context.ts";
import {
  addNoRun,
  exitCodeAfter,
  giveVerdict,
  type RunOnOptions,
  ranOnDocument,
  ranOnLines,
} from "../give-verdict.ts";
import { parseJsonArgument } from "../json-argument.ts";
import { withNearIds } from "../near-ids.ts";
import { runOn } from "../run-on.ts";
import { type CommandResult, usageError } from "../screen.ts";

interface Options extends RunOnOptions {
  readonly done?: string;
  readonly notDone?: boolean;
  readonly handled?: boolean;
  readonly why?: string;
}

export const addResolve: AddCommand = (program, run) => {
  const command = program
    .command("resolve")
    .description("settle an action in doubt, or an operation that changed code no longer makes")
    .argument("<thread>", "the thread's id")
    .argument("<action>", "the operation, such as act:issue_refund#1")
    .option("--done <json>", "it happened, with this result")
    .option("--not-done", "it did not happen; needs --why")
    .option("--handled", "the log holds it and the code does not: go on without it; needs --why")
    .option("--why <reason>", "how you know, for the log");
  addNoRun(command).action(
    run<Options>((context, [threadId = "", key = ""], options) => resolve(context, threadId, key, options)),
  );
};

async function resolve(
  context: Context,
  threadId: string,
  key: string,
  options: Options,
): Promise<CommandResult> {
  const ways = [options.done !== undefined, options.notDone, options.handled].filter(Boolean).length;
  if (ways !== 1)
    throw usageError(
      "resolve takes one of --done, --not-done and --handled",
      "Look at what happened, then say which.",
    );
  if (options.handled) return handle(context, threadId, key, whyOf(options, "--handled"), options);
  const verdict = verdictOf(options);
  const requestId = await withStore(context, "read", (store) => findRequest(store, threadId, key));
  if (requestId === null) return settle(context, threadId, key, verdict);
  return giveVerdict(context, requestId, options, () => verdict);
}

/** The thread has ended, and its requests with it; what became of the action is still recorded. */
async function settle(
  context: Context,
  threadId: string,
  key: string,
  verdict: Settlement,
): Promise<CommandResult> {
  const { principal: by, roles } = context.settings;
  await withStore(context, "write", (store) =>
    withRuntime(context, { store, agents: [] }, (runtime) =>
      settleAction(runtime, threadId, key, { verdict, by, roles }),
    ),
  );
  return {
    document: { settled: { threadId, key, verdict, by } },
    lines: [`${key} is settled: ${verdict.kind === "done" ? "it happened" : "it did not happen"}`],
  };
}

type Settlement = Extract<Verdict, { kind: "done" | "not_done" }>;

function verdictOf(options: Options): Settlement {
  if (options.done === undefined) return { kind: "not_done", why: whyOf(options, "--not-done") };
  return { kind: "done", value: parseJsonArgument(options.done, "the value of --done") };
}

function whyOf({ why }: Options, option: string): string {
  if (why !== undefined) return why;
  throw usageError(`${option} needs --why`, "Say how you know: it stays in the log.");
}

/**
 * The request by which the runtime asks about this action: the newest one, so that a second answer meets the first.
 * `null` when the thread has ended with the action still in doubt.
 */
async function findRequest(store: Store, threadId: string, key: string): Promise<string | null> {
  await withNearIds(store, { threadId }, () => threadRow(store, threadId));
  const { operations, end } = (await store.read(threadId)).reduce(evolve, initialState());
  const operation = operations.get(key);
  if (!operation) throw operationNotFound(threadId, key, [...operations.keys()]);
  if (end && operation.start && !operation.settled) return null;
  if (operation.request?.reason === "in_doubt") return operation.request.opened.requestId;
  throw notInDoubt(operation, threadId);
}

function operationNotFound(threadId: string, key: string, known: readonly string[]): HoldpointError {
  const near = nearest(key, known);
  return new HoldpointError("operation_not_found", `thread ${threadId} has no operation ${key}`, {
    fix:
      near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `\`holdpoint show ${threadId}\` lists them.`,
  });
}

function notInDoubt({ key, start, settled }: Operation, threadId: string): HoldpointError {
  const isOpen = start !== null && settled === null;
  return new HoldpointError("verdict_invalid", `${key} of thread ${threadId} is not in doubt`, {
    fix: isOpen
      ? "It has started and may be under way. After a crash, `holdpoint worker --once` finds out first, and asks if need be."
      : `\`holdpoint show ${threadId}\` says how it stands.`,
  });
}

async function handle(
  context: Context,
  threadId: string,
  key: string,
  why: string,
  options: RunOnOptions,
): Promise<CommandResult> {
  const { principal: by, roles } = context.settings;
  return withStore(context, "write", async (store) => {
    await withNearIds(store, { threadId }, () =>
      withRuntime(context, { store, agents: [] }, (runtime) =>
        handleOperation(runtime, threadId, key, { by, roles, why }),
      ),
    );
    const ranOn = await runOn(context, store, threadId, options.run);
    return {
      document: { handled: { threadId, key, by, why }, ...ranOnDocument(ranOn) },
      lines: [`${key} is marked as handled`, ...ranOnLines(context, ranOn)],
      exitCode: exitCodeAfter(context, ranOn),
    };
  });
}
