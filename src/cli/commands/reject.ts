import type { AddCommand } from "../command-line.ts";
import { addNoRun, addThread, giveVerdicts, type ManyOptions } from "../give-verdict.ts";

interface Options extends ManyOptions {
  readonly why: string;
}

export const addReject: AddCommand = (program, run) => {
  const command = program
    .command("reject")
    .description("refuse a held action or a question; the agent sees the reason")
    .argument("[requests...]", "their ids, from `holdpoint inbox`")
    .requiredOption("--why <reason>", "the reason, which the agent sees");
  addNoRun(addThread(command)).action(
    run<Options>((context, requestIds, options) =>
      giveVerdicts(context, requestIds, options, { kind: "reject", why: options.why }),
    ),
  );
};
