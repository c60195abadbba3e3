import { sendSignal } from "../../runtime/commands.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withRuntime, withStore } from "../context.ts";
import { line } from "../format.ts";
import { addNoRun, exitCodeAfter, type RunOnOptions, ranOnDocument, ranOnLines } from "../give-verdict.ts";
import { parseJsonArgument } from "../json-argument.ts";
import { withNearIds } from "../near-ids.ts";
import { runOn } from "../run-on.ts";
import type { CommandResult } from "../screen.ts";

interface Options extends RunOnOptions {
  readonly id?: string;
}

export const addSignal: AddCommand = (program, run) => {
  const command = program
    .command("signal")
    .description("send a signal to a thread, which `t.wait(name)` takes")
    .argument("<thread>", "the thread's id")
    .argument("<name>", "the signal's name")
    .argument("[json]", "its value (default: null)")
    .option("--id <id>", "the same id twice of one sender is one signal");
  addNoRun(command).action(
    run<Options>((context, [threadId = "", name = "", text], options) =>
      signal(context, { threadId, name, text }, options),
    ),
  );
};

interface SignalArguments {
  readonly threadId: string;
  readonly name: string;
  readonly text: string | undefined;
}

async function signal(
  context: Context,
  { threadId, name, text }: SignalArguments,
  { id, run }: Options,
): Promise<CommandResult> {
  const value = text === undefined ? null : parseJsonArgument(text, "the signal's value");
  const sent = {
    signal: name,
    value,
    by: context.settings.principal,
    ...(id === undefined ? {} : { signalId: id }),
  };
  return withStore(context, "write", async (store) => {
    await withNearIds(store, { threadId }, () =>
      withRuntime(context, { store, agents: [] }, (runtime) => sendSignal(runtime, threadId, sent)),
    );
    const ranOn = await runOn(context, store, threadId, run);
    return {
      document: { signal: sent, ...ranOnDocument(ranOn) },
      lines: [`signal ${line(name, 80)} sent to ${threadId}`, ...ranOnLines(context, ranOn)],
      exitCode: exitCodeAfter(context, ranOn),
    };
  });
}
