import { Option } from "commander";
import { standingAgent } from "../../core/standing.ts";
import type { ThreadRow, ThreadStatus } from "../../ports/store.ts";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import { withStore } from "../context.ts";
import { paintStatus } from "../describe-thread.ts";
import { formatCount, formatDistance, line, plural } from "../format.ts";
import type { Screen } from "../screen.ts";

interface Options {
  readonly status?: ThreadStatus;
  /** An agent's name here, not a file. */
  readonly agent?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

const statuses: readonly ThreadStatus[] = ["running", "waiting", "completed", "failed", "cancelled"];

export const addThreads: AddCommand = (program, run) => {
  program
    .command("threads")
    .description("list threads, newest first")
    .addOption(new Option("--status <status>", "only these").choices(statuses))
    .option("--agent <name>", "only threads of this agent")
    .option("--limit <count>", "at most so many, 1 to 1000 (default: 50)", wholeNumber)
    .option("--cursor <cursor>", "the next page, as the page before names it")
    .action(
      run<Options>((context, _args, { status, agent, limit, cursor }) =>
        withStore(context, "read", async (store) => {
          const query = {
            ...(status && { status }),
            ...(agent ? { agent } : { exceptAgent: standingAgent }),
            ...(limit !== undefined && { limit }),
            ...(cursor && { cursor }),
          };
          const { rows, nextCursor } = await store.threads(query);
          return { document: { threads: rows, nextCursor }, lines: table(rows, nextCursor, context.screen) };
        }),
      ),
    );
};

function table(rows: readonly ThreadRow[], nextCursor: string | null, screen: Screen): readonly string[] {
  if (rows.length === 0) return ["No threads."];
  const now = Date.now();
  const cells = rows.map((row) => cellsOf(row, now));
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  const head = screen.paint("dim", joined(columns, widths, screen));
  const body = rows.map((row, index) => joined(cells[index] ?? [], widths, screen, row.status));
  const more = nextCursor === null ? [] : [screen.paint("dim", `More: --cursor ${nextCursor}`)];
  return [head, ...body, ...more];
}

const columns: readonly string[] = [
  "THREAD",
  "STATUS",
  "AGENT",
  "CHANGED",
  "DECISIONS",
  "TOKENS",
  "WAITS FOR",
  "INPUT",
];

function cellsOf(row: ThreadRow, now: number): readonly string[] {
  const waits = [
    ...(row.openRequests > 0 ? [plural(row.openRequests, "request")] : []),
    ...row.waits.map((key) => line(key, 40)),
  ];
  return [
    row.threadId,
    row.status,
    line(row.agent, 40),
    formatDistance(row.updatedAt, now),
    formatCount(row.decisions),
    formatCount(row.inputTokens + row.outputTokens),
    line(waits.join(", "), 60) || "-",
    line(row.title, 120),
  ];
}

/** The last column is as long as it is, or as the terminal leaves room for. */
function joined(
  cells: readonly string[],
  widths: readonly number[],
  screen: Screen,
  status?: ThreadStatus,
): string {
  const last = cells.length - 1;
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
  const room = screen.columns === null ? Number.POSITIVE_INFINITY : Math.max(10, screen.columns - before);
  return cells
    .map((cell, index) => {
      if (index === last) return cell.slice(0, room);
      const padded = cell.padEnd(widths[index] ?? 0);
      return status !== undefined && cell === status
        ? padded.replace(status, paintStatus(status, screen.paint))
        : padded;
    })
    .join("  ")
    .trimEnd();
}
