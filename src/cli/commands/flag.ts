import { flagAction } from "../../runtime/flag-action.ts";
import type { AddCommand } from "../command-line.ts";
import { withRuntime, withStore } from "../context.ts";
import { line } from "../format.ts";
import { withNearIds } from "../near-ids.ts";

interface Options {
  readonly why: string;
}

export const addFlag: AddCommand = (program, run) => {
  program
    .command("flag")
    .description("say that an action which ran was wrong; `stats` counts it")
    .argument("<thread>", "the thread's id")
    .argument("<action>", "the action, such as act:issue_refund#1")
    .requiredOption("--why <reason>", "what was wrong with it, for the log")
    .action(
      run<Options>((context, [threadId = "", key = ""], { why }) =>
        withStore(context, "write", async (store) => {
          const by = context.settings.principal;
          const first = await withNearIds(store, { threadId }, () =>
            withRuntime(context, { store, agents: [] }, (runtime) =>
              flagAction(runtime, threadId, key, { by, why }),
            ),
          );
          const said = first
            ? `${line(key, 120)} is flagged as wrong`
            : `you had flagged ${line(key, 120)} before`;
          return { document: { flagged: { threadId, key, by, why }, first }, lines: [said] };
        }),
      ),
    );
};
