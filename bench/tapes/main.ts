// `npm run bench:tapes`: recorded real runs through Holdpoint, with everything else real. docs/tapes.md says what they
// show. `--mode plain,kill,window,gold` (default: all), `--every n` of each desk's recordings, `--kills n`, `--json`.
import { mkdirSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runKilled } from "./killed.ts";
import { runGold, runPlain, runSmallWindow } from "./plain.ts";
import { hasTapes, readRecordings } from "./recordings.ts";
import { holds, type Report, table } from "./report.ts";

const { values } = parseArgs({
  options: {
    mode: { type: "string", default: "plain,window,gold,kill" },
    every: { type: "string", default: "1" },
    kills: { type: "string", default: "2000" },
    "per-kill": { type: "string", default: "8" },
    json: { type: "boolean", default: false },
  },
});

if (!hasTapes) {
  process.stderr.write("There are no recordings: ../shared/data is not beside the project.\n");
  process.exit(2);
}

// Beside the project, not in the system's folder for temporary files, which may be memory that no fsync waits for.
const data = join(import.meta.dirname, "../.data-tapes");
rmSync(data, { recursive: true, force: true });
mkdirSync(data, { recursive: true });

const recordings = readRecordings(Number(values.every));
const { signal } = new AbortController();
const progress = (line: string): void => void process.stderr.write(`${line}\n`);
const kills = Number(values.kills);
const threadsPerKill = Number(values["per-kill"]);
const modes: { readonly [mode: string]: (folder: string) => Promise<Report> } = {
  plain: (folder) => runPlain(recordings, { folder, signal }),
  window: (folder) => runSmallWindow(recordings, { folder, signal }),
  gold: (folder) => runGold(recordings, { folder, signal }),
  kill: (folder) => runKilled(recordings, { folder, signal, kills, threadsPerKill, progress }),
};

const reports: Report[] = [];
for (const mode of values.mode.split(",")) {
  const run = modes[mode];
  if (!run) throw new Error(`there is no mode ${mode}: ${Object.keys(modes).join(", ")}`);
  progress(`${mode} …`);
  reports.push(await run(join(data, mode)));
}
rmSync(data, { recursive: true, force: true });

if (values.json) process.stdout.write(`${JSON.stringify(reports)}\n`);
else {
  const { version, versions } = process;
  process.stdout.write(
    `Node ${version}, SQLite ${versions.sqlite}, ${cpus().length} × ${cpus()[0]?.model}, synchronous=FULL\n`,
  );
  for (const report of reports) process.stdout.write(`\n${table(report)}\n`);
}
process.exitCode = reports.every(holds) ? 0 : 1;
