import { buffer } from "node:stream/consumers";
import type { Agent } from "../../core/agent.ts";
import { defaultFlow } from "../../core/default-flow.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { modelResolver } from "../../models/resolve-model.ts";
import type { Channel } from "../../ports/channel.ts";
import { type Started, startThread, wasStartedWith } from "../../runtime/commands.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { type ThreadReport, threadDocument } from "../../runtime/thread-report.ts";
import { validateWithin } from "../../runtime/validate-within.ts";
import { type ChosenAgent, chooseAgent } from "../agent-library.ts";
import { rememberAgents } from "../agent-memory.ts";
import { checkStart } from "../check-start.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withRuntime, withStore } from "../context.ts";
import { decodeText } from "../decode-text.ts";
import { describeReport } from "../describe-thread.ts";
import { jsonOrText } from "../json-argument.ts";
import { showProgress } from "../progress.ts";
import { runThread } from "../run-on.ts";
import { type CommandResult, usageError } from "../screen.ts";
import { principalIn, readText } from "../settings.ts";

interface Options {
  readonly inputFile?: string;
  readonly text?: boolean;
  readonly key?: string;
  readonly unchecked?: string;
  /** False with `--no-ask`. */
  readonly ask: boolean;
}

export const addRun: AddCommand = (program, run) => {
  program
    .command("run")
    .description("start a thread of an agent, and run it until it ends or waits")
    .argument("<agent>", "a file (its default export), file#export, or an agent's name")
    .argument("[input]", "JSON, or text when the agent takes text; - reads stdin")
    .option("--input-file <file>", "read the input from a file")
    .option("--text", "take the input as text, also when it reads like JSON")
    .option("--key <key>", "starting twice with one key starts once, and goes on where it was")
    .option("--unchecked <reason>", "start although the agent's check fails; the reason is recorded")
    .option("--no-ask", "never ask in the terminal: park, and say how to answer")
    .action(
      run<Options>((context, [reference = "", input], options) =>
        runAgent(context, reference, input, options),
      ),
    );
};

async function runAgent(
  context: Context,
  reference: string,
  argument: string | undefined,
  options: Options,
): Promise<CommandResult> {
  const chosen = await chooseAgent(reference, context.settings);
  for (const problem of chosen.library.problems) context.screen.warn(problem.message);
  await checkModel(context, chosen.agent);
  const checked = await checkStart(context, {
    agents: [chosen.agent],
    files: chosen.library.files,
    startedBy: context.settings.principal,
    unchecked: options.unchecked,
  });
  const input = await inputFor(context, chosen.agent, argument, options);
  return withStore(context, "create", async (store) => {
    const progress = showProgress(context.screen, { withThreads: false });
    const { agents } = chosen.library;
    try {
      return await withRuntime(
        context,
        { store, agents, ...checked, observe: progress.observe },
        async (runtime) => {
          const { key, ask } = options;
          const started = await startThread(runtime, chosen.agent.name, input, {
            by: context.settings.principal,
            ...(key !== undefined && { key }),
            signal: context.signal,
          });
          if (!started.created)
            await assertSameStart(context, runtime, started, { agent: chosen.agent.name, input });
          await remember(context, chosen);
          sayStarted(context, started);
          const channel = ask && context.screen.canAsk ? await openTerminal(context) : undefined;
          const report = await runThread(runtime, started.threadId, {
            signal: context.signal,
            progress,
            principal: principalIn(context.settings),
            ...(channel && { channel }),
          });
          return runResult(context, started, report);
        },
      );
    } finally {
      progress.close();
    }
  });
}

/** @throws `model_unavailable`, `model_not_installed`: what a first call would fail with is said before there is a thread. */
async function checkModel({ settings }: Context, { model, flow }: Agent): Promise<void> {
  if (model === undefined && flow !== defaultFlow) return; // such a flow may make no decision
  const { defaultModel, providers } = settings;
  await modelResolver({ defaultModel, providers }).check(model);
}

/** @throws `key_conflict`: the key stands for a thread that does something else. */
async function assertSameStart(
  { signal }: Context,
  runtime: Runtime,
  { threadId }: Started,
  start: { readonly agent: string; readonly input: Json | undefined },
): Promise<void> {
  if (await wasStartedWith(runtime, threadId, { ...start, signal })) return;
  throw new HoldpointError("key_conflict", `this key started thread ${threadId} with another input`, {
    fix: `Give each start a key of its own. \`holdpoint show ${threadId}\` says what that thread does.`,
  });
}

function sayStarted({ screen }: Context, { threadId, created }: Started): void {
  if (!created) screen.note(`thread ${threadId}, started with this key before, goes on`);
}

/** A convenience, so its failure is told and no more. */
async function remember({ screen, settings }: Context, { named }: ChosenAgent): Promise<void> {
  try {
    await rememberAgents(settings.storePath, named);
  } catch (error) {
    screen.warn(
      `the agent's file is not remembered beside the store (${String(error)}): name it with --agent later`,
    );
  }
}

/** Imported when it is needed: most commands ask nothing. */
async function openTerminal({ settings }: Context): Promise<Channel> {
  const { terminalChannel } = await import("../../channels/terminal.ts");
  const { principal, roles } = settings;
  return terminalChannel({ input: process.stdin, output: process.stdout, principal, roles });
}

async function inputFor(
  context: Context,
  agent: Agent,
  argument: string | undefined,
  options: Options,
): Promise<Json | undefined> {
  const { inputFile, text = false } = options;
  if (argument !== undefined && inputFile !== undefined)
    throw usageError("the input is given twice", "Give [input] or --input-file.");
  const given =
    argument === "-"
      ? await readStdin(context)
      : inputFile === undefined
        ? argument
        : await readText(inputFile);
  if (given === undefined || text) return given;
  const { input } = agent;
  return jsonOrText(
    given,
    `the input of agent ${agent.name}`,
    input ? async (value) => (await validateWithin(systemClock, context.signal)(input, value)).ok : null,
  );
}

/** @throws `usage` when it is stopped before the input has ended. */
async function readStdin({ screen, signal }: Context): Promise<string> {
  screen.note("reading the input from stdin");
  const onAbort = (): void =>
    void process.stdin.destroy(usageError("stopped before the input had ended", "Run it again."));
  signal.addEventListener("abort", onAbort);
  try {
    return decodeText(await buffer(process.stdin), "the input on stdin");
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function runResult(context: Context, { created }: Started, report: ThreadReport): CommandResult {
  const { status } = report.row;
  const isStopped = context.signal.aborted && (status === "running" || status === "waiting");
  return {
    document: { ...threadDocument(report), created, ...(isStopped ? { stopped: true } : {}) },
    lines: describeReport(context, report),
    exitCode: status === "failed" || status === "cancelled" ? 1 : status === "running" ? 3 : 0,
  };
}
