import type { AddCommand } from "../command-line.ts";
import { addNoRun, giveVerdict, type RunOnOptions } from "../give-verdict.ts";

interface Options extends RunOnOptions {
  readonly why: string;
}

export const addReject: AddCommand = (program, run) => {
  const command = program
    .command("reject")
    .description("refuse a held action or a question; the agent sees the reason")
    .argument("<request>", "its id, from `holdpoint inbox`")
    .requiredOption("--why <reason>", "the reason, which the agent sees");
  addNoRun(command).action(
    run<Options>((context, [requestId = ""], options) =>
      giveVerdict(context, requestId, options, () => ({ kind: "reject", why: options.why })),
    ),
  );
};
