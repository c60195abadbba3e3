// One file, several processes: each has one connection, and may be killed at any time.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runNode, storeProgram } from "../../../test/kit/node-process.ts";
import { append, noted, sound, start } from "../../testing/store-contract/case.ts";
import { openSqliteStore } from "./store.ts";

let folder = "";
let path = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "holdpoint-processes-"));
  path = join(folder, "holdpoint.db");
});
afterEach(() => rm(folder, { recursive: true }));

/** Code of a process that works on the store, with events to append. */
function program(code: string): string {
  return storeProgram(`
    const path = ${JSON.stringify(path)};
    const store = await openSqliteStore({ path });
    const at = "2026-11-23T12:00:00.000Z";
    const started = (threadId) => ({ at, body: { type: "thread_started", v: 1, threadId, agent: "a", agentVersion: "1", input: {}, by: "me" } });
    const noted = (value) => ({ at, body: { type: "step_completed", v: 1, key: "step#1", attempt: 1, durationMs: 1, result: { value } } });
    ${code}`);
}

test("processes append to their own threads and race for one, and no event is lost", async () => {
  const setUp = await openSqliteStore({ path });
  await start(setUp, "shared");
  const worker = (id: number) =>
    program(`
      let wins = 0;
      const own = async () => {
        let head = await store.append({ threadId: "own${id}", expectedSeq: 0, events: [started("own${id}")] });
        while (head < 200) head = await store.append({ threadId: "own${id}", expectedSeq: head, events: [noted(head)] });
      };
      const race = async () => {
        for (let head = 1; head < 200; head = (await store.read("shared")).length) {
          await store.append({ threadId: "shared", expectedSeq: head, events: [noted(${id})] }).then(() => wins++, (error) => {
            if (error.code !== "append_conflict") throw error;
          });
        }
      };
      await Promise.all([own(), race()]);
      await store.close();
      return wins;`);
  const runs = await Promise.all([1, 2, 3].map((id) => runNode(worker(id))));
  expect(runs.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([1, 2, 3].map(() => [0, ""]));
  const wins = runs.reduce((sum, { stdout }) => sum + Number(stdout), 0);
  const shared = await setUp.read("shared");
  expect(wins).toBe(shared.length - 1);
  for (const id of [1, 2, 3]) expect(await setUp.read(`own${id}`)).toHaveLength(200);
  await sound(setUp);
  await setUp.close();
});

test("a process that is killed loses no event that it was told of, and leaves the file sound", async () => {
  const worker = (id: number) =>
    program(`
      await Promise.all(Array.from({ length: 8 }, async (_, lane) => {
        const threadId = "t${id}_" + lane;
        let head = await store.append({ threadId, expectedSeq: 0, events: [started(threadId)] });
        for (;;) {
          head = await store.append({ threadId, expectedSeq: head, events: [noted("x".repeat(head * 10))] });
          process.stdout.write(threadId + " " + head + "\\n");
        }
      }));`);
  for (const id of [1, 2, 3, 4, 5]) {
    const onOutput = (text: string, kill: () => void) => {
      if (text.length > id * 700) kill();
    };
    const { exitCode, stdout } = await runNode(worker(id), { onOutput });
    expect(exitCode).toBe(null);
    const store = await openSqliteStore({ path });
    for (const line of stdout.split("\n").slice(0, -1)) {
      const [threadId = "", head] = line.split(" ");
      expect((await store.read(threadId, { afterSeq: Number(head) - 1 }))[0]?.seq).toBe(Number(head));
    }
    await sound(store);
    await append(store, `t${id}_0`, (await store.read(`t${id}_0`)).length, noted("goes on"));
    await store.close();
  }
});
