import type { AddCommand } from "../command-line.ts";
import { addNoRun, giveVerdict, type RunOnOptions } from "../give-verdict.ts";
import { parseJsonArgument } from "../json-argument.ts";

interface Options extends RunOnOptions {
  readonly edit?: string;
}

export const addApprove: AddCommand = (program, run) => {
  const command = program
    .command("approve")
    .description("let a held action run, exactly as shown or with other arguments")
    .argument("<request>", "its id, from `holdpoint inbox`")
    .option("--edit <json>", "approve with these arguments instead; they are validated first");
  addNoRun(command).action(
    run<Options>((context, [requestId = ""], options) => {
      const { edit } = options;
      const args = edit === undefined ? undefined : parseJsonArgument(edit, "the value of --edit");
      return giveVerdict(context, requestId, options, () =>
        args === undefined ? { kind: "approve" } : { kind: "edit", args },
      );
    }),
  );
};
