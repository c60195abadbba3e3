// A process that delivers is killed again and again, with `SIGKILL`, while requests open and are decided. At the end each
// request that was open long enough was told of, each copy that is out there is closed, and the outbox is empty. What
// came twice came under one id, and never more often than there were kills.
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { answered, append, asked, start } from "../../src/testing/store-contract/case.ts";
import { type Received, startReceiver } from "../kit/http-receiver.ts";
import { progress, seededRandom, soakSeed } from "../kit/process-random.ts";
import { until } from "../kit/process-wait.ts";
import { tempFolder } from "../kit/runtime.ts";

const kills = Number(process.env.HOLDPOINT_SOAK_KILLS ?? 200);
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const program = fileURLToPath(new URL("../kit/outbox-process.ts", import.meta.url));

it(`${kills} SIGKILLs during deliveries lose none, and leave the outbox empty`, async () => {
  const seed = soakSeed();
  const random = seededRandom(seed);
  const folder = tempFolder();
  const path = join(folder.path, "holdpoint.db");
  const store = await openSqliteStore({ path });
  const receiver = await startReceiver(async (_, count) => {
    await new Promise((resolve) => setTimeout(resolve, count % 7)); // so that kills hit deliveries under way
    return 200;
  });
  const opened: string[] = [];
  try {
    for (let round = 0; round < kills; round++) {
      const child = spawnOutbox(path, receiver.url);
      await ready(child);
      const before = receiver.received.length;
      for (let count = 0; count < 10; count++) {
        const requestId = `r_${opened.length}`;
        await start(store, `t${opened.length}`, asked(requestId));
        opened.push(requestId);
      }
      await until("it delivers", () => receiver.received.length > before);
      await new Promise((resolve) => setTimeout(resolve, random.below(15)));
      if (random.percent(50)) await decide(opened.length - 1 - random.below(10));
      child.kill("SIGKILL");
      await ended(child);
      await decide(opened.length - 1 - random.below(10));
      await reclaimable(path);
    }
    const last = spawnOutbox(path, receiver.url);
    await until("the outbox is empty", async () => {
      const { rows } = await store.outbox.deliveries({ status: "pending" });
      return rows.length === 0 && (await store.outbox.unseen("webhook")) === null;
    });
    last.kill("SIGKILL");
    await ended(last);
    inspect(receiver.received, await statuses());
    expect((await store.outbox.deliveries({ status: "dead" })).rows).toEqual([]);
    expect((await store.verify({})).problems).toEqual([]);
    progress(
      `outbox: ${kills} kills, ${opened.length} requests, ${receiver.received.length} received, seed ${seed}`,
    );
  } finally {
    await store.close();
    folder.remove();
  }

  async function decide(index: number): Promise<void> {
    const [row] = (await store.requests({ requestId: `r_${index}` })).rows;
    if (row?.status === "open") await append(store, `t${index}`, 2, answered(`r_${index}`));
  }

  async function statuses(): Promise<ReadonlyMap<string, string>> {
    const found = await Promise.all(opened.map((requestId) => store.requests({ requestId })));
    return new Map(found.flatMap(({ rows }) => rows.map((row) => [row.requestId, row.status] as const)));
  }
});

function inspect(received: readonly Received[], statuses: ReadonlyMap<string, string>): void {
  const events = received.map(({ body }) => JSON.parse(body));
  const subjects = (type: string) =>
    new Map(
      Object.entries(
        Object.groupBy(
          events.filter((event) => event.type === `holdpoint.request.${type}`),
          (event) => event.subject as string,
        ),
      ),
    );
  const [asks, closes] = [subjects("opened"), subjects("closed")];
  for (const [requestId, status] of statuses) {
    if (status === "open") expect(asks.has(requestId), `${requestId} is open, and was told of`).toBe(true);
    if (status === "decided" && asks.has(requestId))
      expect(closes.has(requestId), `${requestId} is out there, and was closed`).toBe(true);
  }
  for (const group of [...asks.values(), ...closes.values()])
    expect(new Set(group?.map((event) => event.id)).size).toBe(1);
  const ids = new Set(received.map(({ headers }) => headers["webhook-id"]));
  const doubles = received.length - ids.size;
  expect(doubles).toBeLessThanOrEqual(kills * 8); // as many as one process has under way
}

/** A dead process's deliveries are held for a minute and a half: what waits for that is let go, as time would. */
async function reclaimable(path: string): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path, { timeout: 5_000 });
  database.exec("UPDATE deliveries SET next_at = 0 WHERE status = 'pending' AND owner IS NOT NULL");
  database.close();
}

function spawnOutbox(path: string, url: string): ChildProcess {
  const args = ["--disable-warning=ExperimentalWarning", program, path, url, secret];
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", () => resolve());
    child.once("close", () => reject(new Error("it ended before it was ready")));
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once("close", resolve));
}
