import { cancelThread } from "../../runtime/commands.ts";
import { reportThread, threadDocument } from "../../runtime/thread-report.ts";
import type { AddCommand } from "../command-line.ts";
import { withRuntime, withStore } from "../context.ts";
import { describeReport } from "../describe-thread.ts";
import { withNearIds } from "../near-ids.ts";

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
          const report = await reportThread(store, threadId);
          return { document: { thread: threadDocument(report) }, lines: describeReport(context, report) };
        }),
      ),
    );
};
