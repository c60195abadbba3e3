// `npm run bench`: the figures, each beside its floor in the same run. `--json` prints the rows.
import { mkdirSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { benchDecision } from "./decision.ts";
import { benchParked } from "./parked.ts";
import { benchResume } from "./resume.ts";
import { type Row, table } from "./row.ts";
import { benchStats } from "./stats.ts";
import { benchLoop, benchThroughput } from "./throughput.ts";
import { benchWindow } from "./window.ts";

// Beside the project, not in the system's folder for temporary files, which may be memory that no fsync waits for.
const folder = join(import.meta.dirname, ".data");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const rows: Row[] = [];
for (const bench of [
  benchThroughput,
  benchLoop,
  benchDecision,
  benchResume,
  benchParked,
  benchWindow,
  benchStats,
]) {
  process.stderr.write(`${bench.name} …\n`);
  rows.push(...(await bench(folder)));
}
rmSync(folder, { recursive: true, force: true });

if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify(rows)}\n`);
else {
  process.stdout.write(
    `Node ${process.version}, SQLite ${process.versions.sqlite}, ${cpus().length} × ${cpus()[0]?.model}, synchronous=FULL\n\n`,
  );
  process.stdout.write(`${table(rows)}\n`);
}
process.exitCode = rows.every((row) => row.reached) ? 0 : 1;
