import { isHoldpointError } from "../../core/errors.ts";
import type { Problem, VerifyReport } from "../../ports/store.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withStore } from "../context.ts";
import { line, plural } from "../format.ts";
import { withNearIds } from "../near-ids.ts";
import { ownCommand } from "../own-command.ts";
import type { CommandResult } from "../screen.ts";

interface Options {
  readonly rebuild?: boolean;
}

export const addVerify: AddCommand = (program, run) => {
  program
    .command("verify")
    .description("check the file, every log's chain and events, and that all lists equal what the logs say")
    .argument("[thread]", "only this thread")
    .option("--rebuild", "replace lists that differ by what the logs say; events are never changed")
    .action(run<Options>((context, [threadId], { rebuild = false }) => verify(context, threadId, rebuild)));
};

async function verify(
  context: Context,
  threadId: string | undefined,
  rebuild: boolean,
): Promise<CommandResult> {
  try {
    return await withStore(context, rebuild ? "write" : "read", async (store) => {
      const query = threadId === undefined ? {} : { threadId };
      const found = await withNearIds(store, query, () => store.verify({ ...query, rebuild }));
      const left = rebuild && found.problems.length > 0 ? await store.verify(query) : found;
      return verifyResult(context, left, rebuild ? found.problems.length - left.problems.length : null);
    });
  } catch (error) {
    if (!isHoldpointError(error, "store_corrupt")) throw error;
    const problem: Problem = { kind: "file", threadId: null, seq: null, message: error.message };
    const unread = { threads: 0, events: 0, problems: [problem] };
    return verifyResult(context, unread, null, unreadableAdvice);
  }
}

function verifyResult(
  { screen }: Context,
  report: VerifyReport,
  mended: number | null,
  advice: readonly string[] = adviceFor(report.problems),
): CommandResult {
  const { problems } = report;
  const counts = `${plural(report.threads, "thread")}, ${plural(report.events, "event")}`;
  const mendedLines =
    mended === null || mended === 0 ? [] : [`${plural(mended, "difference")} mended from the logs`];
  const verdict =
    problems.length === 0
      ? screen.paint("green", "all sound")
      : screen.paint("red", plural(problems.length, "problem"));
  return {
    document: { ...report, ...(mended === null ? {} : { mended }) },
    lines: [`${counts}: ${verdict}`, ...mendedLines, ...problems.map(problemLine), ...advice],
    exitCode: problems.length === 0 ? 0 : 1,
  };
}

function problemLine({ kind, threadId, seq, message }: Problem): string {
  const place = [kind, threadId, seq === null ? null : `event ${seq}`]
    .filter((part) => part !== null)
    .join(" ");
  return `  ${place}: ${line(message, 1_000)}`;
}

/** Of a file that ends the reading: `export` would meet the same. */
const unreadableAdvice: readonly string[] = [
  "  → Stop what uses the file, keep a copy of it, and restore a backup: it cannot be read as it is (docs/operations.md#store_corrupt).",
];

function adviceFor(problems: readonly Problem[]): readonly string[] {
  if (problems.length === 0) return [];
  if (problems.every((problem) => problem.kind === "projection"))
    return [`  → The logs are sound: \`${ownCommand("verify --rebuild")}\` makes the lists anew.`];
  return [
    `  → Stop what uses the file, keep a copy of it, and restore a backup; sound threads can be saved with \`${ownCommand("export")}\`.`,
  ];
}
