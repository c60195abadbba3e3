import { Option } from "commander";
import { nearest } from "../../core/nearest.ts";
import type { StatsGrouping } from "../../core/numbers/stats.ts";
import { readStats } from "../../runtime/read-stats.ts";
import type { SqliteStore } from "../../stores/sqlite/store.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withStore } from "../context.ts";
import { describeStats, describeTrend } from "../describe-stats.ts";
import { line } from "../format.ts";
import { type CommandResult, type Screen, usageError } from "../screen.ts";
import { statsCsv } from "../stats-csv.ts";

interface Options {
  readonly since?: string;
  readonly until?: string;
  /** An agent's name here, not a file. */
  readonly agent?: string;
  readonly by?: StatsGrouping;
  readonly csv?: boolean;
}

const groupings: readonly StatsGrouping[] = ["agent", "version", "day"];

export const addStats: AddCommand = (program, run) => {
  program
    .command("stats")
    .description("success, time, overflows and misoperation of threads, counted from their logs")
    .option("--since <when>", "so long back, such as 24h, or from a date on (default: 7d)")
    .option("--until <when>", "up to then (default: now)")
    .option("--agent <name>", "only threads of this agent")
    .addOption(new Option("--by <what>", "also each by itself").choices(groupings))
    .option("--csv", "a table for programs")
    .action(
      run<Options>((context, _args, options) => {
        if (options.csv && context.screen.json)
          throw usageError("--csv and --json are two forms of one answer", "Take one of them.");
        return withStore(context, "read", (store) => stats(context, store, options));
      }),
    );
};

async function stats(
  { screen }: Context,
  store: SqliteStore,
  { csv = false, ...query }: Options,
): Promise<CommandResult> {
  const now = Date.now();
  const report = await readStats(store.numbers, query, now);
  if (query.agent !== undefined && report.total.threads.ended === 0)
    await noteUnknown(screen, store, query.agent);
  if (csv) return { document: report, lines: statsCsv(report) };
  const isTerminal = screen.columns !== null;
  const days = isTerminal ? (await readStats(store.numbers, { ...query, by: "day" }, now)).groups : [];
  return {
    document: report,
    lines: [...describeStats(report, screen.paint), ...describeTrend(days, screen.paint)],
  };
}

/** Zeros of an agent that was never here look like those of one that did nothing. */
async function noteUnknown({ note }: Screen, store: SqliteStore, agent: string): Promise<void> {
  if ((await store.threads({ agent, limit: 1 })).rows.length > 0) return; // maybe one that nothing is counted of yet
  const names = [...new Set((await store.numbers.totals()).map((totals) => totals.agent))].sort();
  if (names.includes(agent)) return;
  const near = nearest(agent, names);
  const told = (near.length > 0 ? near : names.slice(0, 20)).map((name) => line(name, 64)).join(", ");
  const hint = near.length > 0 ? `did you mean ${told}?` : `there are: ${told}`;
  note(`no thread of agent ${line(agent, 64)}${names.length === 0 ? "" : `; ${hint}`}`);
}
