import type { AddCommand } from "../command-line.ts";
import { addNoRun, addThread, giveVerdicts, type ManyOptions } from "../give-verdict.ts";
import { parseJsonArgument } from "../json-argument.ts";
import { usageError } from "../screen.ts";

interface Options extends ManyOptions {
  readonly edit?: string;
  readonly why?: string;
}

export const addApprove: AddCommand = (program, run) => {
  const command = program
    .command("approve")
    .description("let a held action run, exactly as shown or with other arguments")
    .argument("[requests...]", "their ids, from `holdpoint inbox`")
    .option("--edit <json>", "approve with these arguments instead; they are validated first")
    .option("--why <reason>", "the reason, for the log");
  addNoRun(addThread(command)).action(
    run<Options>((context, requestIds, options) => {
      const { edit, thread } = options;
      const why = options.why === undefined ? {} : { why: options.why };
      if (edit === undefined) return giveVerdicts(context, requestIds, options, { kind: "approve", ...why });
      if (requestIds.length !== 1 || thread !== undefined)
        throw usageError("--edit takes one request", "Give the arguments of one action at a time.");
      const args = parseJsonArgument(edit, "the value of --edit");
      return giveVerdicts(context, requestIds, options, { kind: "edit", args, ...why });
    }),
  );
};
