import type { Command } from "commander";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import type { EvalOptions } from "../evaluate.ts";
import { usageError } from "../screen.ts";

export const addEval: AddCommand = (program, run) => {
  const command: Command = program
    .command("eval")
    .description("run a suite of cases, several times each, and say how often they go as they should")
    .argument("<suite>", "YAML, or TypeScript that exports one (docs/eval.md)")
    .option("-k, --trials <n>", "how often each case is run (default: the suite's, else 1)", wholeNumber)
    .option("--parallel <n>", "trials at once", wholeNumber, 4)
    .option("--filter <text>", "only cases whose name has it")
    .option(
      "--model <model>",
      "instead of the suite's and the agents' own: provider/model, or a file that exports one",
    )
    .option("--prompt <file>", "instead of the agent's own")
    .option("--faults <rate>", "let so many model calls go wrong, from 0 to 1", share)
    .option("--seed <seed>", "of all that is left to chance", "1")
    .option("--record <file>", "record the model's calls")
    .option("--replay <file>", "play recorded calls instead of a model")
    .option(
      "--resume <folder>",
      "the run's folder: a run that is there goes on (default: a new one beside the store)",
    )
    .option("--min-success <share>", "what each case must reach, from 0 to 1", share, 1)
    .option("--compare <folder>", "another run: what got better and worse since")
    .option("--fail-on-worse", "exit code 1 when something got worse beyond noise")
    .option("--junit <file>", "write JUnit XML")
    .option("--html <file>", "write a page with charts");
  command.action(
    run<EvalOptions>(async (context, [suite = ""], options) => {
      const { evaluate } = await import("../evaluate.ts"); // no other command needs what comes with it
      return evaluate(context, suite, options);
    }),
  );
};

function share(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw usageError(
    `${JSON.stringify(text)} is no share`,
    "Give --faults and --min-success a number from 0 to 1, such as 0.3.",
  );
}
