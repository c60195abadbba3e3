import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openLedger } from "./bench-tools.ts";
import { startChild } from "./child.ts";
import type { Outcome } from "./peer.ts";
import type { Cell, PeerRow } from "./peers.ts";
import { payments } from "./roles.ts";

const kills = 24;
const limitMs = 30_000;

export const killsRow: PeerRow = {
  name: `Repeated effects after kill -9 (${kills} kills)`,
  how: `An agent makes ${payments} payments, each an fsynced line in a ledger outside the peer's store. The process is killed by SIGKILL at a seeded moment of the run; a fresh one goes on with the run as the documentation says. Repeated: payments made more than once. Lost: runs that did not reach their end with all payments.`,
  isTimed: false,
  reading:
    "Between an effect and the record of it there is a moment that no store can close. A peer that runs the tool again repeats the effect then, unless the tool is idempotent, as their documentation asks; Holdpoint asks the tool's `verify`, or, where there is none, a person.",
  async measure(peer, facts, folder) {
    if (facts.durable !== "step") return { text: "no durability: n/a", data: null };
    const checked = await killed(peer, folder);
    if (peer === "mastra") {
      const agent = withKnownBug(checked);
      const workflow = await killed("mastra-workflow", `${folder}-workflow`);
      const text = `durable agent: ${agent.text}; workflow with restart(): ${workflow.text}`;
      return { text, data: { agent: agent.data, workflow: workflow.data }, ...scoreOf(workflow) };
    }
    if (peer !== "holdpoint") return checked;
    const unchecked = await killed("holdpoint-unverified", `${folder}-unverified`);
    return {
      text: `with verify: ${checked.text}; without: ${unchecked.text}`,
      data: { checked: checked.data, unchecked: unchecked.data },
      ...scoreOf(checked),
    };
  },
};

/** mastra-ai/mastra#22636, open when this was written. It says itself when it no longer applies. */
function withKnownBug(cell: Cell): Cell {
  const isThere = JSON.stringify(cell.data).includes("reading 'messages'");
  return isThere
    ? { ...cell, text: `${cell.text}: its recover() fails after a restart, known as mastra-ai/mastra#22636` }
    : cell;
}

const scoreOf = ({ score }: Cell) => (score === undefined ? {} : { score });

interface KillCounts {
  kills: number;
  finishedBefore: number;
  repeated: number;
  lost: string[];
  /** Runs that wait for a person, who says what happened: neither repeated nor lost. */
  asked: string[];
}

async function killed(peer: string, folder: string): Promise<Cell> {
  mkdirSync(folder, { recursive: true });
  const random = seeded(20_261_124);
  const runMs = await wholeRun(peer, folder);
  const counts: KillCounts = { kills: 0, finishedBefore: 0, repeated: 0, lost: [], asked: [] };
  const runs: string[] = [];
  let unfinished: string | undefined; // whoever got a run's answer has no reason to go on with it
  for (let number = 0; counts.kills < kills && number < 2 * kills; number++) {
    const runId = `run-${number}`;
    const child = startChild<Outcome>(peer, "pay", { folder, runId, ...previousOf(unfinished) }, { limitMs });
    const recovered = await child.started.catch(failed);
    if (unfinished !== undefined) note(counts, unfinished, recovered as Outcome); // a recovery's
    const hasEnded = await Promise.race([
      sleep(random() * runMs, false),
      child.result.then(
        () => true,
        () => true,
      ),
    ]);
    child.process.kill("SIGKILL");
    await child.result.catch(() => {});
    if (hasEnded) counts.finishedBefore += 1;
    else counts.kills += 1;
    runs.push(runId);
    unfinished = hasEnded ? undefined : runId;
  }
  const last = startChild<null>(peer, "pay", { folder, runId: "", ...previousOf(unfinished) }, { limitMs });
  const recovered = (await last.started.catch(failed)) as Outcome | null;
  if (unfinished !== undefined) note(counts, unfinished, recovered);
  return summary(folder, runs, counts);
}

function summary(folder: string, runs: readonly string[], counts: KillCounts): Cell {
  const entries = openLedger(folder).entries();
  const times = new Map<string, number>();
  for (const entry of entries) times.set(entry, (times.get(entry) ?? 0) + 1);
  counts.repeated = [...times.values()].reduce((sum, count) => sum + count - 1, 0);
  for (const run of runs) {
    const made = [...times.keys()].filter((entry) => entry.startsWith(`${run}:`)).length;
    if (
      made < payments &&
      !counts.lost.some((one) => one.startsWith(`${run}:`)) &&
      !counts.asked.includes(run)
    )
      counts.lost.push(`${run}: ${made} payments`);
  }
  const asked = counts.asked.length > 0 ? `, a person is asked in ${counts.asked.length}` : "";
  const text = `${counts.repeated} repeated, ${counts.lost.length} lost${asked} (${counts.kills} kills)`;
  const score = counts.repeated + counts.lost.length;
  return { text, data: { ...counts, effects: entries.length }, score };
}

function note(counts: KillCounts, run: string, outcome: Outcome | null): void {
  if (outcome?.kind === "ended" || outcome === null) return;
  if (outcome.kind === "failed" && outcome.error.startsWith("a person is asked")) {
    counts.asked.push(run);
    return;
  }
  counts.lost.push(`${run}: ${JSON.stringify(outcome).slice(0, 200)}`);
}

async function wholeRun(peer: string, folder: string): Promise<number> {
  const child = startChild<Outcome>(peer, "pay", { folder, runId: "whole" }, { limitMs });
  await child.started;
  const startedAt = performance.now();
  const outcome = await child.result;
  if (outcome.kind !== "ended") throw new Error(`an unkilled run: ${JSON.stringify(outcome)}`);
  return performance.now() - startedAt;
}

const previousOf = (previous: string | undefined) => (previous === undefined ? {} : { previous });

const failed = (error: unknown): Outcome => ({ kind: "failed", error: String(error) });

/** The same moments in every run of the bench, for every peer, as parts of a whole run's time. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
