import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runVariant } from "./run-variant.ts";
import { variantNames } from "./variants.ts";
const folder = join(import.meta.dirname, "../.data/controls");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const name of variantNames) {
  const t = performance.now();
  const run = await runVariant(name, { seed: 1, faults: Number(process.argv[3] ?? 0), approverErrors: 0.02, tasks: Number(process.argv[2] ?? 20), folder });
  const sum = (f: (t: (typeof run.tasks)[number]) => number) => run.tasks.reduce((s, t) => s + f(t), 0);
  console.log(name, Math.round(performance.now() - t), "solved", sum((t) => Number(t.solved)), "crit", sum((t) => t.critical), "wrong", sum((t) => t.wrong), "unappr", sum(t=>t.unapproved), "ovf", sum((t) => t.overflows), "calls", sum((t) => t.modelCalls), "tok", sum(t=>t.tokens), "asked", sum(t=>t.asked), "crash", sum(t=>t.crashes), "active", sum(t=>t.activeMs)/run.tasks.length, "wall", sum(t=>t.wallMs)/run.tasks.length);
  if (run.own) console.log("   own", run.own.success, run.own.misoperation, run.own.overflow, run.own.time.active, run.own.usage);
  console.log("   unsolved", run.tasks.flatMap((t, i) => (t.solved ? [] : [`${i} ${t.kind}`])).slice(0,8).join("; "));
}
