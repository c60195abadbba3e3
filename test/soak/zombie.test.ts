// A worker is stopped (SIGSTOP) until its lease is over, and goes on (SIGCONT) when another has its thread. It is told by
// the lease alone: in half of the cases the other one has appended nothing yet, so the log is as the zombie left it.
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { closeRuntime, decideRequest, type Hint, type Runtime, startThread } from "../../src/index.ts";
import { type Child, startChild } from "../kit/process-child.ts";
import {
  Acknowledged,
  inspectWorld,
  nothing,
  openThreads,
  readLedger,
  readLogs,
} from "../kit/process-inspect.ts";
import type { Report } from "../kit/process-report.ts";
import { isStopped, until, whyNoStopping } from "../kit/process-wait.ts";
import { openWorld, storePath, type WorldOptions } from "../kit/process-world.ts";
import { type Folder, tempFolder } from "../kit/runtime.ts";

const why = whyNoStopping;
const leaseMs = 1_200;

/**
 * Where the first worker stops, where the second one waits when it is to have the thread and not to append, and how often
 * the first one may have called its tool in the end.
 */
const places = [
  { name: "during a model call", stopAt: "model", holdAt: "model", calls: 0 },
  {
    name: "before the append of an intent",
    stopAt: "append:action_started",
    holdAt: "append:action_started",
    calls: 0,
  },
  { name: "between intent and effect", stopAt: "appended:action_started", holdAt: "verify", calls: 0 },
  { name: "in a tool, before its effect", stopAt: "effect:before", holdAt: "verify", calls: 1 },
  { name: "in a tool, after its effect", stopAt: "effect:after", holdAt: "verify", calls: 1 },
  { name: "before the append of a result", stopAt: "append:action_completed", holdAt: "verify", calls: 1 },
] as const;

describe.each(places)("a worker that sleeps past its lease $name", ({ stopAt, holdAt, calls }) => {
  it("commits nothing while another one has its thread, though the log is as it left it", async ({
    skip,
  }) => {
    skip(why !== null, why ?? "");
    await using world = await ZombieWorld.open(stopAt);
    const other = startChild({ ...world.options, seed: 2, roles: ["work"], holdAt });
    await other.until(`the other worker at ${holdAt}`, (report) =>
      report.kind === "at" && report.place === holdAt ? true : undefined,
    );
    expect(world.lease()).toBe(world.leaseBefore + 1);
    const before = world.log();
    await world.wake();
    expect(world.log()).toEqual(before);
    expect(world.lease()).toBe(world.leaseBefore + 1);
    await other.command({ do: "release" });
    expect(world.zombieCalls()).toBe(calls);
    await world.end(other);
  });

  it("commits nothing after another one has ended its thread", async ({ skip }) => {
    skip(why !== null, why ?? "");
    await using world = await ZombieWorld.open(stopAt);
    const other = startChild({ ...world.options, seed: 2, roles: ["work"] });
    await world.allEnd();
    const taken = world.lease();
    expect(taken).toBeGreaterThan(world.leaseBefore);
    const before = world.log();
    await world.wake();
    expect(world.log()).toEqual(before);
    expect(world.lease()).toBe(taken);
    expect(world.zombieCalls()).toBe(calls);
    await world.end(other);
  });
});

it("a worker that sleeps while it holds the file's lock makes the others wait, and nothing else", async ({
  skip,
}) => {
  skip(why !== null, why ?? "");
  await using world = await ZombieWorld.open("commit:6", { threads: 12, cents: 50 }); // which nobody approves: a person's verdict would wait for the lock
  const other = startChild({ ...world.options, seed: 2, roles: ["work"] });
  await other.ready();
  const started = world.startAnother();
  await sleep(2 * leaseMs); // time for the other one to come to the lock, and for the lease to run out
  world.zombie.kill("SIGCONT");
  await started; // it has waited, and was not refused with `store_busy`
  await world.allEnd();
  await world.end(other);
  expect(other.reports.filter((report) => report.kind === "problem")).toEqual([]);
});

interface Parts {
  readonly folder: Folder;
  readonly options: WorldOptions;
  readonly person: Runtime;
  readonly acknowledged: Acknowledged;
  readonly cents: number;
}

/** Threads with one payment each, approved where it has to be, and the worker that has stopped while it ran them. */
class ZombieWorld {
  readonly options: WorldOptions;
  readonly zombie: Child;
  readonly #parts: Parts;
  readonly #threadIds: string[];
  /** Of the first thread, when the zombie stopped. */
  leaseBefore = 0;
  #headBefore = 0;

  static async open(stopAt: string, { threads, cents } = { threads: 1, cents: 500 }): Promise<ZombieWorld> {
    const folder = tempFolder();
    const options: WorldOptions = { folder: folder.path, agent: "clerk", leaseMs };
    const acknowledged = new Acknowledged();
    const observe = (hint: Hint) => hint.kind === "appended" && acknowledged.take([hint]);
    const parts = { folder, options, person: await openWorld(options, { observe }), acknowledged, cents };
    const threadIds: string[] = [];
    for (let number = 0; number < threads; number++) threadIds.push(await startPayment(parts));
    const world = new ZombieWorld(
      parts,
      threadIds,
      startChild({ ...options, seed: 1, roles: ["work"], stopAt }),
    );
    await world.#zombieStops(stopAt);
    return world;
  }

  private constructor(parts: Parts, threadIds: string[], zombie: Child) {
    this.#parts = parts;
    this.options = parts.options;
    this.#threadIds = threadIds;
    this.zombie = zombie;
  }

  async #zombieStops(stopAt: string): Promise<void> {
    await this.zombie.ready();
    await until(`the zombie at ${stopAt}`, () => isStopped(this.zombie.pid) || this.#approveAll());
    this.leaseBefore = this.lease();
    this.#headBefore = this.log().size;
  }

  async startAnother(): Promise<void> {
    this.#threadIds.push(await startPayment(this.#parts));
  }

  /** The first thread's log. */
  log(): ReadonlyMap<number, string> {
    const [threadId = ""] = this.#threadIds;
    return readLogs(this.options.folder).get(threadId)?.texts ?? new Map();
  }

  /** The number of the first thread's lease. */
  lease(): number {
    const db = new DatabaseSync(storePath(this.options.folder), { readOnly: true });
    const select = db.prepare(
      "SELECT lease_number AS number FROM heads JOIN threads USING (thread_num) WHERE thread_id = ?",
    );
    const row = select.get(this.#threadIds[0] ?? "");
    db.close();
    return Number(row?.number);
  }

  allEnd(): Promise<void> {
    return until("all threads end", () => openThreads(this.options.folder) === 0 || this.#approveAll());
  }

  /** Lets the zombie go on, until the store has refused it something for want of the lease. */
  async wake(): Promise<void> {
    const since = this.zombie.reports.length;
    this.zombie.kill("SIGCONT");
    const isRefused = (report: Report) =>
      report.kind === "at" && report.place === "fenced" ? true : undefined;
    await this.zombie.until("a refusal", isRefused, { since });
  }

  /** How often the zombie has called the tool. */
  zombieCalls(): number {
    return readLedger(this.options.folder).filter(
      (line) => line.phase === "called" && line.pid === this.zombie.pid,
    ).length;
  }

  /** All is as it must be, all that was appended since the zombie stopped is others' work, and it is itself as good a worker as any. */
  async end(other: Child): Promise<void> {
    await this.allEnd();
    other.kill("SIGTERM");
    expect(await other.ended).toEqual({ code: 0, signal: null });
    const { folder } = this.options;
    const { acknowledged } = this.#parts;
    acknowledged.take(other.reports);
    if (this.#threadIds.length === 1)
      expect(acknowledged.unmentioned(readLogs(folder), this.#headBefore)).toEqual([]);
    acknowledged.take(this.zombie.reports);
    expect(acknowledged.unmentioned(readLogs(folder))).toEqual([]);
    const zombies = [this.zombie.pid];
    expect(await inspectWorld({ ...this.options, acknowledged, zombies })).toEqual(nothing);
    expect(this.#paid()).toBe(this.#threadIds.length);
    await this.#aloneAgain();
  }

  async #aloneAgain(): Promise<void> {
    await this.startAnother();
    await this.allEnd();
    expect(this.#paid()).toBe(this.#threadIds.length);
    this.zombie.kill("SIGTERM");
    expect(await this.zombie.ended).toEqual({ code: 0, signal: null });
  }

  #paid(): number {
    return readLedger(this.options.folder).filter((line) => line.phase === "happened").length;
  }

  /** @returns false, for those who wait for what comes of it. */
  async #approveAll(): Promise<false> {
    const { rows } = await this.#parts.person.store.requests({ status: "open", limit: 100 });
    for (const { requestId } of rows) {
      await decideRequest(this.#parts.person, requestId, {
        verdict: { kind: "approve" },
        by: "dana@example.com",
        via: "test",
      });
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeRuntime(this.#parts.person);
    this.#parts.folder.remove();
  }
}

async function startPayment({ person, cents }: Parts): Promise<string> {
  return (await startThread(person, "clerk", { cents }, { by: "test" })).threadId;
}
