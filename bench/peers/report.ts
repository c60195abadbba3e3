// What was measured, as a page: one table a row of the work, a sentence of reading under each.
import type { Cell, PeerFacts, PeerName } from "./peers.ts";

export interface MeasuredRow {
  readonly name: string;
  readonly how: string;
  readonly reading: string;
  readonly cells: ReadonlyMap<PeerName, Cell>;
}

export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly load: { readonly before: number; readonly after: number };
  readonly minutes: number;
  readonly peers: ReadonlyMap<PeerName, PeerFacts & { readonly versions: readonly string[] }>;
  readonly rows: readonly MeasuredRow[];
  /** Rows that are still to be measured. */
  readonly missing: number;
}

export function renderReport(report: Report): string {
  return [
    "# Holdpoint beside others",
    "",
    "Written by `npm run bench:peers` (`-- --json` prints the same as JSON, `-- --only langgraph,bare` measures some).",
    `Measured on ${report.date} in ${report.minutes.toFixed(1)} minutes: ${report.machine}, ${report.node}; load average ${report.load.before.toFixed(1)} before, ${report.load.after.toFixed(1)} after.`,
    ...(report.missing > 0 ? ["", `**Stopped before its end: ${report.missing} rows are missing.**`] : []),
    "",
    "Every peer is used as its documentation recommends; the pages are named at the top of its file in `bench/peers`.",
    "The model is the same for all: a `fetch` function that answers as an OpenAI-compatible endpoint at once, behind each",
    "peer's own OpenAI package. Every measurement has a process of its own, with a time limit. **Best** marks the best figure",
    "of a row among those that compare, whoever has it.",
    "",
    ...peersTable(report),
    ...report.rows.flatMap((row) => rowLines(row, report)),
    ...limits,
    "",
  ].join("\n");
}

/** The rows for a terminal. */
export function renderText({ rows, peers }: Report): string {
  return rows
    .map(({ name, cells }) =>
      [name, ...[...cells].map(([peer, { text }]) => `  ${titleOf(peers, peer).padEnd(14)}  ${text}`)].join(
        "\n",
      ),
    )
    .join("\n\n");
}

function peersTable({ peers }: Report): string[] {
  const lines = [...peers.values()].map(
    ({ title, versions, storage, guard }) =>
      `| ${title} | ${versions.join(", ") || "—"} | ${storage} | ${guard} |`,
  );
  return [
    "| peer | versions | what is stored, where | means against overflow |",
    "| --- | --- | --- | --- |",
    ...lines,
    "",
  ];
}

function rowLines({ name, how, reading, cells }: MeasuredRow, { peers }: Report): string[] {
  const best = Math.min(...[...cells.values()].map(({ score }) => score ?? Number.POSITIVE_INFINITY));
  const lines = [...cells].map(
    ([peer, { text, score }]) =>
      `| ${titleOf(peers, peer)}${score === best ? " (**best**)" : ""} | ${cellOf(text)} |`,
  );
  const table = ["| peer | measured |", "| --- | --- |", ...lines];
  return [`## ${name}`, "", how, "", ...table, "", ...(reading === "" ? [] : [reading, ""])];
}

const titleOf = (peers: Report["peers"], peer: PeerName): string => peers.get(peer)?.title ?? peer;

const cellOf = (text: string): string => text.replaceAll("|", "\\|");

const limits = [
  "## Limits of this comparison",
  "",
  "- A scripted model says what happens in the code around a model, not how a real one would have answered.",
  "- One machine, shared with other work; figures of milliseconds move by a factor of two and more with its load, processor times by less, repeated effects by a few from run to run. Run it on a quiet machine.",
  "- In the steps Holdpoint's window is opened so far that it sends the whole history, as the peers do; by default it sends at most 16,000 tokens and its steps do not grow with the history.",
  "- In the kills Holdpoint's lease is 1 s (30 s by default): how long a killed process's run waits for another is not measured. Kills are of a process, not of the machine.",
  "- OpenAI Agents can hand an unknown tool back to the model by `toolNotFoundBehavior`; its default is measured.",
  "- Peers ask for idempotent tools in their documentation; with one, a repeated call is harmless. The ledger here shows calls, so it counts them.",
  "- AI SDK and OpenAI Agents leave storage to the application; the file that the bench keeps for them is the simplest that their documentation shows. AI SDK's WorkflowAgent needs a compiler plugin and a workflow server around it and is not measured; nor are hosted services or other stores (PostgreSQL, Redis, Temporal, DBOS, Inngest).",
  "- better-sqlite3 is pinned to 13, which comes with its binaries: 12, which LangGraph's checkpointer asks for, downloads one by an install script.",
];
