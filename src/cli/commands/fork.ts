import type { Store } from "../../ports/store.ts";
import { forkThread } from "../../runtime/fork.ts";
import { threadRow } from "../../runtime/thread-report.ts";
import { loadAgents } from "../agent-library.ts";
import { checkStart, type StartsChecked } from "../check-start.ts";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import { type Context, withRuntime, withStore } from "../context.ts";
import { addNoRun, exitCodeAfter, type RunOnOptions, ranOnDocument, ranOnLines } from "../give-verdict.ts";
import { withNearIds } from "../near-ids.ts";
import { runOn } from "../run-on.ts";

interface Options extends RunOnOptions {
  readonly at: number;
  readonly unchecked?: string;
}

export const addFork: AddCommand = (program, run) => {
  const command = program
    .command("fork")
    .description("start a thread with the first events of another, to go on differently from there")
    .argument("<thread>", "the thread's id")
    .requiredOption("--at <seq>", "the last event to keep, as `holdpoint show` numbers them", wholeNumber)
    .option("--unchecked <reason>", "start although the agent's check fails; the reason is recorded");
  addNoRun(command).action(
    run<Options>((context, [threadId = ""], options) =>
      withStore(context, "write", async (store) => {
        const forkId = await withNearIds(store, { threadId }, () => fork(context, store, threadId, options));
        const ranOn = await runOn(context, store, forkId, options.run);
        return {
          document: { forkedFrom: { threadId, seq: options.at }, ...ranOnDocument(ranOn) },
          lines: [`${forkId} is a fork of ${threadId} at event ${options.at}`, ...ranOnLines(context, ranOn)],
          exitCode: exitCodeAfter(context, ranOn),
        };
      }),
    ),
  );
};

async function fork(context: Context, store: Store, threadId: string, options: Options): Promise<string> {
  const { at, unchecked } = options;
  const checked = await checkFork(context, await threadRow(store, threadId), unchecked);
  return withRuntime(context, { store, agents: [], ...checked }, (runtime) =>
    forkThread(runtime, threadId, { at, by: context.settings.principal }),
  );
}

/** Of an agent whose code is not at hand nothing can be told: then it is copied, and whoever runs it needs its code. */
async function checkFork(
  context: Context,
  { agent: name }: { readonly agent: string },
  unchecked: string | undefined,
): Promise<StartsChecked> {
  const { agents, files } = await loadAgents(context.settings);
  return checkStart(context, {
    agents: agents.filter((agent) => agent.name === name),
    files,
    startedBy: context.settings.principal,
    unchecked,
  });
}
