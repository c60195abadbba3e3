import { forkThread } from "../../runtime/fork.ts";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import { withRuntime, withStore } from "../context.ts";
import { addNoRun, exitCodeAfter, type RunOnOptions, ranOnDocument, ranOnLines } from "../give-verdict.ts";
import { withNearIds } from "../near-ids.ts";
import { runOn } from "../run-on.ts";

interface Options extends RunOnOptions {
  readonly at: number;
}

export const addFork: AddCommand = (program, run) => {
  const command = program
    .command("fork")
    .description("start a thread with the first events of another, to go on differently from there")
    .argument("<thread>", "the thread's id")
    .requiredOption("--at <seq>", "the last event to keep, as `holdpoint show` numbers them", wholeNumber);
  addNoRun(command).action(
    run<Options>((context, [threadId = ""], options) =>
      withStore(context, "write", async (store) => {
        const by = context.settings.principal;
        const forkId = await withNearIds(store, { threadId }, () =>
          withRuntime(context, { store, agents: [] }, (runtime) =>
            forkThread(runtime, threadId, { at: options.at, by }),
          ),
        );
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
