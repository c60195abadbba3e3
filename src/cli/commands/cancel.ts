import { cancelThread } from "../../runtime/commands.ts";
import type { AddCommand } from "../command-line.ts";
import { withRuntime, withStore } from "../context.ts";
import { ranOnDocument, ranOnLines } from "../give-verdict.ts";
import { withNearIds } from "../near-ids.ts";
import { runOn } from "../run-on.ts";

interface Options {
  readonly why: string;
}

export const addCancel: AddCommand = (program, run) => {
  program
    .command("cancel")
    .description("end a thread, and the children it waits for; what it did stays done and logged")
    .argument("<thread>", "the thread's id")
    .requiredOption("--why <reason>", "the reason, for the log")
    .action(
      run<Options>((context, [threadId = ""], { why }) =>
        withStore(context, "write", async (store) => {
          const by = context.settings.principal;
          await withNearIds(store, { threadId }, () =>
            withRuntime(context, { store, agents: [] }, (runtime) =>
              cancelThread(runtime, threadId, { by, why }),
            ),
          );
          const ranOn = { ...(await runOn(context, store, threadId, false)), whyNot: null };
          return { document: ranOnDocument(ranOn), lines: ranOnLines(context, ranOn) };
        }),
      ),
    );
};
