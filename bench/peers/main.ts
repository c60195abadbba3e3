// `npm run bench:peers`: the same work on Holdpoint and on others, side by side. Writes bench/RESULTS.md.
//   --json             prints the report as JSON instead of a table
//   --only a,b         measures these peers only, and writes nothing
//   --rows part        measures the rows whose name contains this only, and writes nothing
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startChild } from "./child.ts";
import { installPeers, versionOf } from "./install.ts";
import { type Cell, type PeerFacts, type PeerName, type PeerRow, peerNames } from "./peers.ts";
import { type MeasuredRow, type Report, renderReport, renderText } from "./report.ts";
import { approvalsRow } from "./row-approvals.ts";
import { invalidRows, persistentRow } from "./row-invalid.ts";
import { killsRow } from "./row-kills.ts";
import { overflowRow } from "./row-overflow.ts";
import { pauseRow } from "./row-pause.ts";
import { bytesOf, stepsRow } from "./row-steps.ts";

const { values } = parseArgs({
  options: { json: { type: "boolean" }, only: { type: "string" }, rows: { type: "string" } },
});
const data = join(import.meta.dirname, "../.data-peers"); // on the disk, not in a folder that may be memory
rmSync(data, { recursive: true, force: true });

const startedAt = performance.now();
const before = loadavg()[0] ?? 0;
const installFailure = installPeers();
if (installFailure !== null) process.stderr.write(`bench:peers: ${installFailure}\n`);

const names = peerNames.filter((name) => values.only === undefined || values.only.split(",").includes(name));
const peers = new Map<PeerName, PeerFacts & { readonly versions: readonly string[] }>();
for (const name of names) peers.set(name, await describe(name));

const wanted: readonly PeerRow[] = [
  stepsRow,
  bytesRow(),
  pauseRow,
  killsRow,
  approvalsRow,
  ...invalidRows,
  persistentRow,
  overflowRow,
].filter(({ name }) => values.rows === undefined || name.includes(values.rows));

const isWhole = values.only === undefined && values.rows === undefined;
const rows: MeasuredRow[] = [];
for (const row of wanted) {
  rows.push(await measureRow(row, rows.length));
  if (isWhole) writeFileSync(join(import.meta.dirname, "../RESULTS.md"), renderReport(reportNow())); // what there is, if it is stopped
}
rmSync(data, { recursive: true, force: true });
process.stdout.write(values.json ? `${toJson(reportNow())}\n` : `${renderText(reportNow())}\n`);

function reportNow(): Report {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
    node: `Node ${process.version}, SQLite ${process.versions.sqlite}`,
    load: { before, after: loadavg()[0] ?? 0 },
    minutes: (performance.now() - startedAt) / 60_000,
    peers,
    rows,
    missing: wanted.length - rows.length,
  };
}

/** In another process too: a peer that cannot be loaded is a row that says so. */
async function describe(name: PeerName): Promise<PeerFacts & { readonly versions: readonly string[] }> {
  try {
    const facts = await startChild<PeerFacts>(name, "describe", {}).result;
    return { ...facts, versions: facts.packages.map(versionOf) };
  } catch (error) {
    const storage = `cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
    return { title: name, packages: [], versions: [], storage, durable: "step", guard: "—" };
  }
}

/** One peer after the other where times are measured; two at a time where things are counted. */
async function measureRow(row: PeerRow, index: number): Promise<MeasuredRow> {
  const cells = new Map<PeerName, Cell>();
  const waiting = [...peers];
  const workThrough = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [name, facts] = next;
      cells.set(name, await measureCell(row, name, facts, join(data, `${index}-${name}`)));
    }
  };
  await Promise.all(row.isTimed ? [workThrough()] : [workThrough(), workThrough()]);
  const inOrder = new Map([...peers.keys()].map((name) => [name, cells.get(name) ?? failedCell("no cell")]));
  return { name: row.name, how: row.how, reading: row.reading, cells: inOrder };
}

async function measureCell(row: PeerRow, name: PeerName, facts: PeerFacts, folder: string): Promise<Cell> {
  mkdirSync(folder, { recursive: true });
  const since = performance.now();
  const cell = await row.measure(name, facts, folder).catch(failedCell);
  const seconds = ((performance.now() - since) / 1_000).toFixed(1);
  process.stderr.write(`${row.name}, ${facts.title}: ${cell.text} (${seconds} s)\n`);
  return cell;
}

function failedCell(error: unknown): Cell {
  const why = error instanceof Error ? error.message : String(error);
  return { text: `not measured: ${why}`, data: { error: why } };
}

/** Measured with the steps. */
function bytesRow(): PeerRow {
  return {
    name: "Stored per step, at 200 steps",
    how: "Growth of the store's files, after what is in their write-ahead log was moved into them, over the steps of the 200-step run above.",
    isTimed: true,
    reading:
      "Each step's result has 1 KB. What is above it is what the peer keeps besides: the events, or the whole state again at each step.",
    measure: async (name) => bytesOf(rows[0]?.cells.get(name)),
  };
}

function toJson({ peers: described, rows: measured, ...rest }: Report): string {
  const rowsJson = measured.map(({ cells, ...row }) => ({ ...row, cells: Object.fromEntries(cells) }));
  return JSON.stringify({ ...rest, peers: Object.fromEntries(described), rows: rowsJson });
}
