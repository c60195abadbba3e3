// I2. Whatever legal logs were appended, in whatever order and groups, the projections are what a rebuild makes of them.
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ThreadEvent } from "../../src/core/events.ts";
import { event } from "../../src/core/events.ts";
import type { Store } from "../../src/ports/store.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { hostileJson, programs, runLog } from "../kit/programs.ts";
import { tempFolder } from "../kit/runtime.ts";

const scenarios = fc.record({
  logs: fc.array(
    fc.record({
      program: programs,
      choices: fc.array(fc.nat(1_000), { minLength: 1, maxLength: 15 }),
      values: fc.array(hostileJson, { minLength: 1, maxLength: 3 }),
      ends: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  ),
  turns: fc.array(fc.tuple(fc.nat(10), fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 60 }),
});

/** Appends the logs piece by piece, in the order that `turns` say, many pieces at once. */
async function appendAll(
  store: Store,
  logs: readonly (readonly ThreadEvent[])[],
  turns: readonly (readonly [number, number])[],
): Promise<void> {
  const done = logs.map(() => 0);
  const pending: Promise<unknown>[] = [];
  for (const [pick, length] of [
    ...turns,
    ...logs.flatMap((log, index) => log.map(() => [index, 1] as const)),
  ]) {
    const index = pick % logs.length;
    const from = done[index] ?? 0;
    const piece = (logs[index] ?? []).slice(from, from + length);
    if (piece.length === 0) continue;
    done[index] = from + piece.length;
    const events = piece.map(({ seq: _seq, at, ...body }) => ({
      body: (body.type === "thread_started" ? { ...body, threadId: `th_${index}` } : body) as never,
      at,
    }));
    pending.push(store.append({ threadId: `th_${index}`, expectedSeq: from, events }));
  }
  await Promise.all(pending);
}

it("projections equal their rebuild, and every chain holds", async () => {
  const folder = tempFolder();
  let file = 0;
  await fc.assert(
    fc.asyncProperty(scenarios, async ({ logs, turns }) => {
      const histories = await Promise.all(
        logs.map(async ({ program, choices, values, ends }, index) => {
          const log = [...(await runLog(program, choices, values))].map((stored) => renamed(stored, index));
          return ends
            ? [
                ...log,
                {
                  ...event("thread_cancelled", { by: "test", why: "end" }),
                  seq: log.length + 1,
                  at: log.at(-1)?.at ?? "",
                } as ThreadEvent,
              ]
            : log;
        }),
      );
      const store = await openSqliteStore({ path: join(folder.path, `${file++}.db`) });
      await appendAll(store, histories, turns);
      const before = await everything(store);
      expect((await store.verify({})).problems).toEqual([]);
      await store.verify({ rebuild: true });
      expect(await everything(store)).toEqual(before);
      for (const [index, history] of histories.entries())
        expect((await store.read(`th_${index}`)).length).toBe(history.length);
      await store.close();
    }),
    { numRuns: 40 },
  );
  folder.remove();
});

/** Request ids follow from their thread, so those of different threads differ. */
function renamed(stored: ThreadEvent, index: number): ThreadEvent {
  return "requestId" in stored ? { ...stored, requestId: `${stored.requestId} of ${index}` } : stored;
}

async function everything(store: Store): Promise<unknown> {
  const threads = (await store.threads({ limit: 1_000 })).rows.map(({ dueAt: _, ...row }) => row);
  return { threads, requests: (await store.requests({ limit: 1_000 })).rows };
}
