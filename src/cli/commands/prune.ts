import { existsSync } from "node:fs";
import { type Duration, durationMs } from "../../core/duration.ts";
import { type PruneProgress, type PruneReport, pruneSqliteStore } from "../../stores/sqlite/prune.ts";
import type { KeptReason, KeptTree } from "../../stores/sqlite/remove-tree.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, noStore } from "../context.ts";
import { formatCount, plural } from "../format.ts";
import { ownCommand } from "../own-command.ts";
import { type CommandResult, usageError } from "../screen.ts";

interface Options {
  readonly endedBefore: string;
  readonly dryRun?: boolean;
}

export const addPrune: AddCommand = (program, run) => {
  program
    .command("prune")
    .description(
      "remove threads that ended long ago, with their children, and values that nothing refers to then",
    )
    .requiredOption("--ended-before <age>", "only what ended so long ago or longer, such as 90d")
    .option("--dry-run", "only say what would be removed")
    .action(run<Options>((context, _args, options) => prune(context, options)));
};

async function prune(context: Context, { endedBefore, dryRun = false }: Options): Promise<CommandResult> {
  const { screen, settings, signal } = context;
  const now = new Date();
  const before = timeOf(endedBefore, now);
  if (!existsSync(settings.storePath)) throw noStore(settings.storePath);
  const options = { path: settings.storePath, endedBefore: before, now, dryRun, signal };
  const report = await pruneSqliteStore({ ...options, onProgress: noteProgress(screen.note) }).catch(
    (error: unknown) => {
      if (signal.aborted && error === signal.reason) return null;
      throw error;
    },
  );
  const asked = { dryRun, endedBefore: before.toISOString() };
  if (report === null)
    return {
      document: { ...asked, stopped: true },
      lines: ["Stopped before the end. What was removed stays so; run it again for the rest."],
      exitCode: 3,
    };
  return {
    document: { ...asked, ...report },
    lines: [summaryOf(report, before, dryRun), ...keptLines(report.kept)],
  };
}

function timeOf(age: string, now: Date): Date {
  const ms = /^\d.*[a-z]$/.test(age) ? durationMs(age as Duration) : Number.NaN; // which checks it
  const time = new Date(now.getTime() - ms);
  if (!Number.isNaN(time.getTime())) return time;
  throw usageError(
    `--ended-before ${age} is no age`,
    "Say how long ago, as a number with a unit, such as 90d or 12h. Dates are not taken.",
  );
}

/** Between two notes, in milliseconds: a run over a large store takes minutes. */
const noteEveryMs = 5_000;

function noteProgress(note: (text: string) => void): (progress: PruneProgress) => void {
  let next = Date.now() + noteEveryMs;
  return (progress) => {
    if (Date.now() < next) return;
    next = Date.now() + noteEveryMs;
    note(describeProgress(progress));
  };
}

function describeProgress(progress: PruneProgress): string {
  switch (progress.phase) {
    case "threads":
      return `removed ${plural(progress.threads, "thread")} so far`;
    case "events":
      return `reading what is left for values that it refers to: ${Math.floor((100 * progress.at) / Math.max(1, progress.of))} %`;
    case "artifacts":
      return `removed ${plural(progress.artifacts, "value")} so far`;
    default:
      return progress satisfies never;
  }
}

function summaryOf(report: PruneReport, before: Date, dryRun: boolean): string {
  const { threads, events, artifacts, artifactBytes } = report;
  const what = `${plural(threads, "thread")} (${plural(events, "event")}) that ended before ${before.toISOString().slice(0, 16)}Z`;
  const values = `${plural(artifacts, "value")} that nothing refers to (${formatCount(artifactBytes)} bytes)`;
  return `${dryRun ? "Would remove" : "Removed"} ${what}, and ${values}.`;
}

const reasons: Readonly<Record<KeptReason, (tree: KeptTree) => string>> = {
  open: ({ threadId }) => `${threadId} has not ended`,
  later: ({ threadId }) => `${threadId} ended, or took an event, later`,
  held: ({ threadId }) => `a worker still holds ${threadId}`,
  counted: ({ threadId }) => `actions of ${threadId} count towards a limit of today`,
  newest: ({ threadId }) => `${threadId} is the newest of the store, and goes once there is a newer one`,
  damaged: ({ threadId }) => `the log of ${threadId} is damaged: see \`${ownCommand(`verify ${threadId}`)}\``,
};

const maxListed = 20;

function keptLines(kept: readonly KeptTree[]): readonly string[] {
  if (kept.length === 0) return [];
  const lines = kept.slice(0, maxListed).map((tree) => {
    const size = tree.threads === 1 ? "" : ` and its ${plural(tree.threads - 1, "descendant")}`;
    return `  ${tree.rootId}${size}: ${reasons[tree.why](tree)}`;
  });
  const more = kept.length > maxListed ? [`  … ${kept.length - maxListed} more, see --json`] : [];
  return ["Kept, though a thread of it ended before:", ...lines, ...more];
}
