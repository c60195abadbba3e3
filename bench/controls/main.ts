// `npm run bench:controls`: the four numbers of a bare loop, of Holdpoint with each control switched off in turn, and with
// all on, on the same seeded faults. A simulation: docs/controls.md says of what.
import { rmSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { memoryFolder } from "./memory-folder.ts";
import { report } from "./report.ts";
import { simulate } from "./simulate.ts";

const { values } = parseArgs({
  options: {
    tasks: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    faults: { type: "string", default: "0.1" },
    "approver-errors": { type: "string", default: "0.02" },
    json: { type: "boolean", default: false },
  },
});
const options = {
  tasks: Number(values.tasks),
  seed: Number(values.seed),
  faults: rate(values.faults, "--faults"),
  approverErrors: rate(values["approver-errors"], "--approver-errors"),
};

const folder = memoryFolder();
const startedAt = performance.now();
try {
  const rows = await simulate({ ...options, folder, onProgress: showProgress });
  const took = ((performance.now() - startedAt) / 1_000).toFixed(0);
  if (values.json) process.stdout.write(`${JSON.stringify({ simulation: true, ...options, rows })}\n`);
  else {
    process.stdout.write(`${report(rows, options)}\n`);
    process.stdout.write(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${took} s\n`);
  }
  const isSound = rows.every(
    ({ name, unapproved, ownCountAgrees }) =>
      ownCountAgrees !== false && (unapproved === 0 || name === "bare loop" || name === "no gate"),
  );
  process.exitCode = isSound ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function showProgress(variant: string, done: number): void {
  if (done % 100 === 0 || done === options.tasks)
    process.stderr.write(`${variant}: ${done} of ${options.tasks}\n`);
}

function rate(text: string, option: string): number {
  const value = Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new Error(`${option} takes a number from 0 to 1`);
}
