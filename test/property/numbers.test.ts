// I2. What a store counts as it appends is what its logs say, and the statistics made of it are those of a recount by hand.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ThreadEvent } from "../../src/core/events.ts";
import { spreadOf } from "../../src/core/numbers/spread.ts";
import { type Stats, statsReport } from "../../src/core/numbers/stats.ts";
import { recount } from "../../src/core/numbers/thread-numbers.ts";
import { timeBounds } from "../../src/core/numbers/totals.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/store.ts";
import { appendThreads } from "../kit/append-threads.ts";
import { bruteForce, quantile, total } from "../kit/brute-force-stats.ts";
import { lastDay, randomThreads, startDays } from "../kit/random-threads.ts";
import { type Folder, tempFolder } from "../kit/runtime.ts";

const day = 86_400_000;
const threads = randomThreads("numbers", 10_000);

let folder: Folder;
let stores: readonly SqliteStore[];
let logs: readonly (readonly ThreadEvent[])[];

beforeAll(async () => {
  folder = tempFolder();
  const path = `${folder.path}/holdpoint.db`;
  stores = [await openSqliteStore({ path }), await openSqliteStore({ path })]; // as two processes would
  await appendThreads(stores, threads);
  logs = await Promise.all(threads.map(({ threadId }) => store().read(threadId)));
}, 120_000);

afterAll(async () => {
  for (const opened of stores) await opened.close();
  folder.remove();
});

function store(): SqliteStore {
  return stores[0] as SqliteStore;
}

function summary(stats: Stats) {
  const { threads: ended, misoperation, prevented, people, time, usage } = stats;
  return {
    ended: ended.ended,
    completed: ended.completed,
    failed: ended.failed,
    succeeded: stats.success.count,
    overflows: stats.overflow.reported,
    shrunk: stats.overflow.prevented,
    critical: misoperation.of,
    unapproved: misoperation.unapproved,
    allowed: misoperation.allowedByGate,
    misoperations: misoperation.count,
    flags: misoperation.flags,
    held: prevented.held,
    deniedBy: [
      prevented.deniedByGate,
      prevented.deniedByValidation,
      prevented.rejected,
      prevented.deniedByDeadline,
    ],
    invalidOutputs: prevented.invalidOutputs,
    limits: prevented.limits,
    alone: stats.withoutPerson.count,
    answered: people.answered,
    answeredByStanding: people.answeredByStanding,
    unanswered: people.unanswered,
    answerTimes: people.answerTime,
    wall: time.wall,
    active: time.active,
    waiting: time.waiting,
    calls: usage.modelCalls,
    tokens: [usage.inputTokens, usage.outputTokens],
    usd: usage.usd,
    unpriced: usage.unpricedCalls,
  };
}

/** Lists of values by their mean and percentiles. */
function spreads(counted: ReturnType<typeof bruteForce>) {
  const spread = (sorted: readonly number[]) => ({
    mean: Math.round(total(sorted) / sorted.length),
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
  });
  const { answerTimes, wall, active, waiting } = counted;
  return {
    ...counted,
    answerTimes: spread(answerTimes),
    wall: spread(wall),
    active: spread(active),
    waiting: spread(waiting),
  };
}

describe("statistics over a random store of 10,000 threads", () => {
  it.each([
    { name: "all of it", from: lastDay - 60 * day, until: lastDay + 60 * day },
    { name: "some days", from: lastDay - 5 * day, until: lastDay - 2 * day },
    { name: "a few hours", from: lastDay - 3 * day, until: lastDay - 3 * day + 5 * 3_600_000 },
  ])("equal a count by hand of the raw logs: $name", async (period) => {
    const report = statsReport(await store().numbers.read(period), period);
    expect(summary(report.total)).toEqual(spreads(bruteForce(logs, period.from, period.until)));
    expect(report.total.misoperation.count).toBeGreaterThan(0);
  });

  it("are the same for an agent, for its versions, and by day", async () => {
    const period = { from: lastDay - startDays * day, until: lastDay + 20 * day };
    const of = (match: (agent: string, version: string) => boolean) =>
      logs.filter(([first]) => first?.type === "thread_started" && match(first.agent, first.agentVersion));
    const desk = statsReport(await store().numbers.read({ ...period, agent: "desk" }), period, "version");
    expect(desk.groups.map(({ agentVersion }) => agentVersion)).toEqual(["1", "2", "3"]);
    for (const { agentVersion, stats } of desk.groups) {
      const own = of((agent, version) => agent === "desk" && version === agentVersion);
      expect(summary(stats)).toEqual(spreads(bruteForce(own, period.from, period.until)));
    }
    const days = statsReport(await store().numbers.read(period), period, "day").groups;
    expect(days).toHaveLength(startDays + 20);
    const third = period.from + 3 * day;
    expect(summary(days[3]?.stats as Stats)).toEqual(spreads(bruteForce(logs, third, third + day)));
    expect(total(days.map(({ stats }) => stats.success.count))).toBe(
      desk.total.success.count + total((await others(period)).map(({ success }) => success.count)),
    );
  });

  it("have all-time totals by agent that are those of a count by hand", async () => {
    const totals = await store().numbers.totals();
    expect(totals.map(({ agent }) => agent).sort()).toEqual(["desk", "night-watch", "refunds", "triage"]);
    for (const { agent, ended, facts, times } of totals) {
      const own = logs.filter(([first]) => first?.type === "thread_started" && first.agent === agent);
      const counted = bruteForce(own, 0, lastDay * 2);
      expect(ended).toMatchObject({
        completed: counted.completed,
        failed: counted.failed,
        cancelled: counted.ended - counted.completed - counted.failed,
        notAccepted: counted.completed - counted.succeeded,
        modelCalls: counted.calls,
        unpricedCalls: counted.unpriced,
        inputTokens: counted.tokens[0],
        outputTokens: counted.tokens[1],
      });
      expect(ended?.usd).toBeCloseTo(counted.usd, 9);
      expect([
        facts.get("overflow"),
        facts.get("critical"),
        facts.get("misoperation"),
        facts.get("flagged"),
      ]).toEqual([counted.overflows, counted.critical, counted.misoperations, counted.flags]);
      const lists = {
        activeMs: counted.active,
        wallMs: counted.wall,
        waitingMs: counted.waiting,
        answerMs: counted.answerTimes,
      };
      for (const name of ["activeMs", "wallMs", "waitingMs", "answerMs"] as const)
        expect(times.get(name)).toEqual({
          counts: timeBounds[name].map((bound) => lists[name].filter((value) => value <= bound).length),
          count: lists[name].length,
          sumMs: total(lists[name]),
        });
    }
  });

  it("are what verify computes, and the same after a rebuild", async () => {
    const all = { from: 0, until: lastDay * 2 };
    const before = await store().numbers.read(all);
    expect((await store().verify({ rebuild: true })).problems).toEqual([]);
    expect(await store().numbers.read(all)).toEqual(before);
  }, 120_000);

  it("never count what a standing approval's own thread does", () => {
    const standing = logs.filter(
      ([first]) => first?.type === "thread_started" && first.agent === "standing-approval",
    );
    expect(standing.length).toBeGreaterThan(0);
    for (const log of standing) expect(recount(log)).toEqual({ facts: [], ended: null });
  });
});

async function others(period: { readonly from: number; readonly until: number }): Promise<readonly Stats[]> {
  const names = ["triage", "refunds", "night-watch"];
  return Promise.all(
    names.map(async (agent) => statsReport(await store().numbers.read({ ...period, agent }), period).total),
  );
}

describe("a spread", () => {
  it("names values that occurred, and nothing for none", () => {
    expect(spreadOf([])).toBeNull();
    expect(spreadOf([7])).toEqual({ mean: 7, p50: 7, p95: 7 });
    expect(spreadOf([4, 1, 3, 2])).toEqual({ mean: 3, p50: 2, p95: 4 });
  });
});
