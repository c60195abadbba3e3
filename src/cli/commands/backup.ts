import { resolve } from "node:path";
import { backupSqliteStore } from "../../stores/sqlite/backup.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withStore } from "../context.ts";
import { formatCount, formatPath, plural } from "../format.ts";
import type { CommandResult } from "../screen.ts";

export const addBackup: AddCommand = (program, run) => {
  program
    .command("backup")
    .description("copy the store to one file, also while it is in use, and verify the copy")
    .argument("<file>", "the copy: a file that is not there yet")
    .action(run((context, [file = ""]) => backupTo(context, file)));
};

async function backupTo(context: Context, file: string): Promise<CommandResult> {
  const { screen, settings, signal } = context;
  const to = resolve(file);
  const report = await withStore(context, "read", () =>
    backupSqliteStore({ path: settings.storePath, to, signal }),
  );
  const counts = `${plural(report.threads, "thread")}, ${plural(report.events, "event")}, ${formatCount(report.bytes)} bytes`;
  return {
    document: { file: to, ...report },
    lines: [`${formatPath(to)}: ${counts}: ${screen.paint("green", "all sound")}`],
  };
}
