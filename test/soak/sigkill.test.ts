// Real processes are killed at random moments while they run the support desk's threads: workers, the process that takes
// in mail and answers requests, or all at once. After each kill the file is opened again and looked at; when a world has
// seen enough, what is left is run to its end, and everything is compared: log, ledger, books, and what was promised.
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { openSqliteStore } from "../../src/index.ts";
import { type Child, startChild } from "../kit/process-child.ts";
import {
  Acknowledged,
  inspectNow,
  inspectWorld,
  nothing,
  openThreads,
  readLedger,
  readLogs,
} from "../kit/process-inspect.ts";
import { progress, type Random, seededRandom, soakSeed } from "../kit/process-random.ts";
import type { Report } from "../kit/process-report.ts";
import { storePath, type WorldOptions } from "../kit/process-world.ts";
import { tempFolder } from "../kit/runtime.ts";

const targetKills = Number(process.env.HOLDPOINT_SOAK_KILLS ?? 300);
/** Each world sees so many, and more mail than it has time for. */
const killsPerWorld = 30;
const maxMails = 2_000;
const workers = 2;

interface World {
  readonly options: WorldOptions;
  readonly seed: number;
  readonly random: Random;
  readonly acknowledged: Acknowledged;
  readonly counts: Counts;
  /** Lines of the ledger that were looked at. */
  seenLines: number;
}

interface Counts {
  worlds: number;
  /** Of workers that were running threads. */
  kills: number;
  /** Of workers that had nothing to run. */
  idleKills: number;
  personKills: number;
  allAtOnce: number;
  threads: number;
  acknowledged: number;
  effects: number;
  /** Actions that a kill left with an intent and no result. */
  leftInDoubt: number;
  settledByVerify: number;
  settledByPerson: number;
  crashLoops: number;
  readonly hits: Map<string, number>;
}

it(`${targetKills} SIGKILLs lose nothing, do nothing twice, and leave nothing stuck`, async () => {
  const seed = soakSeed();
  const startedAt = performance.now();
  progress(`sigkill: HOLDPOINT_SOAK_SEED=${seed}`);
  const counts: Counts = {
    worlds: 0,
    kills: 0,
    idleKills: 0,
    personKills: 0,
    allAtOnce: 0,
    threads: 0,
    acknowledged: 0,
    effects: 0,
    leftInDoubt: 0,
    settledByVerify: 0,
    settledByPerson: 0,
    crashLoops: 0,
    hits: new Map(),
  };
  while (counts.kills < targetKills) {
    await runWorld(seed + counts.worlds, counts);
    progress(
      `sigkill: ${counts.kills} of ${targetKills} kills in ${counts.worlds} worlds, ${Math.round((performance.now() - startedAt) / 1_000)} s`,
    );
  }
  printTable(seed, counts);
  expect(counts.effects).toBeGreaterThan(counts.worlds * 10);
  expect(counts.leftInDoubt).toBeGreaterThan(0); // else the kills missed what they are here for
}, 600_000);

async function runWorld(seed: number, counts: Counts): Promise<void> {
  const folder = tempFolder();
  counts.worlds += 1;
  const options: WorldOptions = {
    folder: folder.path,
    agent: "support-desk",
    leaseMs: 1_500,
    withoutVerify: counts.worlds % 2 === 0,
  };
  const world: World = {
    options,
    seed,
    random: seededRandom(seed),
    acknowledged: new Acknowledged(),
    counts,
    seenLines: 0,
  };
  try {
    await killForAWhile(world);
    await runToTheEnd(world);
    const findings = await inspectWorld({ ...options, acknowledged: world.acknowledged });
    expect({ seed, ...findings }).toEqual({ seed, ...nothing });
    count(world);
  } finally {
    folder.remove();
  }
}

function start({ options, seed, random }: World, role: "worker" | "person", mails = 0): Child {
  const own = { ...options, seed: seed + random.below(1_000_000) };
  return role === "worker"
    ? startChild({ ...own, roles: ["work"], pauseMs: 160 })
    : startChild({ ...own, seed, roles: ["feed", "answer"], mails, feedMs: 50 });
}

async function killForAWhile(world: World): Promise<void> {
  const { random, counts } = world;
  const enough = Math.min(counts.kills + killsPerWorld, targetKills);
  const slots: (Child | null)[] = Array.from({ length: workers + 1 }, () => null); // the last one is the person
  while (counts.kills < enough) {
    const fresh = slots.map(
      (child, slot) => child ?? start(world, slot < workers ? "worker" : "person", maxMails),
    );
    if (!random.percent(8)) await Promise.all(fresh.slice(0, workers).map(atWork)); // else it hits processes that are just starting
    await sleep(random.below(250));
    const victims = chooseVictims(world, fresh);
    for (const victim of victims) victim.kill("SIGKILL");
    for (const victim of victims) await buried(world, victim, fresh.indexOf(victim) < workers);
    for (const [slot, child] of fresh.entries()) slots[slot] = victims.includes(child) ? null : child;
    await look(world, victims, victims.length === fresh.length);
  }
  for (const child of slots) child?.kill("SIGKILL");
  for (const child of slots) {
    await child?.ended;
    world.acknowledged.take(child?.reports ?? []);
  }
}

/** Until it runs a thread, or for a while: there may be none to run. */
function atWork(worker: Child): Promise<unknown> {
  const busy = worker.until("work", (report) => (report.kind === "performing" ? true : undefined));
  return Promise.race([busy.catch(() => {}), sleep(1_000)]);
}

function chooseVictims({ random, counts }: World, children: readonly Child[]): readonly Child[] {
  const dice = random.below(100);
  if (dice < 30) {
    counts.allAtOnce += 1;
    return children; // as when the machine goes down: the next process has to recover the file
  }
  if (dice < 50) return children.slice(0, workers);
  const victim = children[dice < 58 ? workers : random.below(workers)];
  return victim ? [victim] : [];
}

/** Waits for its end, and counts where the kill hit. */
async function buried(
  { acknowledged, counts, options }: World,
  victim: Child,
  isWorker: boolean,
): Promise<void> {
  const { signal, code } = await victim.ended;
  if (signal !== "SIGKILL")
    throw new Error(`process ${victim.pid} ended by itself (${signal ?? code}): ${victim.stderr()}`);
  acknowledged.take(victim.reports);
  if (!isWorker) {
    counts.personKills += 1;
    return;
  }
  if (leasesOf(options.folder, victim) === 0) {
    counts.idleKills += 1;
    return;
  }
  counts.kills += 1;
  const where = describeLast(victim.reports.at(-1));
  counts.hits.set(where, (counts.hits.get(where) ?? 0) + 1);
}

/** How many threads it was running. */
function leasesOf(folder: string, { reports }: Child): number {
  const ready = reports.find((report) => report.kind === "ready");
  if (!ready) return 0;
  const db = new DatabaseSync(storePath(folder), { timeout: 10_000 });
  const row = db.prepare("SELECT count(*) AS leases FROM heads WHERE lease_owner = ?").get(ready.owner);
  db.close();
  return Number(row?.leases);
}

function describeLast(last: Report | undefined): string {
  switch (last?.kind) {
    case "appended":
      return `after ${last.events.at(-1)?.type}`;
    case "performing":
      return `performing ${last.key.replace(/#.*/, "").replace(/^step:.*/, "step")}`;
    default:
      return last?.kind ?? "nothing yet";
  }
}

/** The cheap look after each kill. When nobody else has the file open, it is also opened as the next worker would. */
async function look(world: World, victims: readonly Child[], isAlone: boolean): Promise<void> {
  const { folder } = world.options;
  const lines = readLedger(folder).slice(world.seenLines);
  world.seenLines += lines.length;
  if (isAlone) await (await openSqliteStore({ path: storePath(folder) })).close();
  const told = new Acknowledged();
  for (const victim of victims) told.take(victim.reports);
  const threadIds = [...told.threadIds(), ...lines.map((line) => line.idempotencyKey.split("/")[0] ?? "")];
  const findings = inspectNow(told, lines, readLogs(folder, new Set(threadIds)));
  expect({ seed: world.seed, ...findings }).toEqual({ seed: world.seed, ...nothing });
}

async function runToTheEnd(world: World): Promise<void> {
  const children = [start(world, "worker"), start(world, "worker"), start(world, "person")];
  for (const child of children) await child.ready();
  const deadline = performance.now() + 90_000;
  while (openThreads(world.options.folder) > 0 && performance.now() < deadline) await sleep(100);
  for (const child of children) child.kill("SIGTERM");
  for (const child of children) {
    expect(await child.ended, child.lastWords()).toEqual({ code: 0, signal: null });
    world.acknowledged.take(child.reports);
  }
}

function count({ options, acknowledged, counts }: World): void {
  const events = [...readLogs(options.folder).values()].flatMap((log) => log.events);
  const ledger = readLedger(options.folder);
  const results = events.filter(
    (event) => event.type === "action_completed" || event.type === "action_failed",
  );
  counts.threads += readLogs(options.folder).size;
  counts.acknowledged += acknowledged.count;
  counts.effects += ledger.filter((line) => line.phase === "happened").length;
  counts.settledByVerify += results.filter((event) => event.settledBy === "verify").length;
  counts.settledByPerson += results.filter(
    (event) => event.settledBy !== undefined && event.settledBy !== "verify",
  ).length;
  const called = new Map<string, number>();
  for (const line of ledger)
    if (line.phase === "called") called.set(line.idempotencyKey, (called.get(line.idempotencyKey) ?? 0) + 1);
  counts.leftInDoubt +=
    results.filter((event) => event.settledBy !== undefined).length +
    [...called.values()].reduce((sum, calls) => sum + calls - 1, 0);
  counts.crashLoops += events.filter(
    (event) => event.type === "request_opened" && event.reason === "crash_loop",
  ).length;
}

function printTable(seed: number, { hits, ...counts }: Counts): void {
  const rows = [
    ...Object.entries(counts),
    ...[...hits]
      .sort((one, other) => other[1] - one[1])
      .map(([where, kills]) => [`  killed ${where}`, kills] as const),
  ];
  progress(`sigkill, seed ${seed}:`);
  for (const [name, value] of rows) progress(`  ${name.padEnd(44)} ${String(value).padStart(7)}`);
}
