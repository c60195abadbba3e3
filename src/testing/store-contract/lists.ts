import assert from "node:assert/strict";
import type { Page } from "../../ports/store.ts";
import {
  answered,
  append,
  asked,
  at,
  completed,
  noon,
  placed,
  refused,
  rule,
  type StoreCase,
  start,
  started,
} from "./case.ts";

export const listCases: readonly StoreCase[] = [
  rule("threads come newest first, page by page, each once", async (store) => {
    for (let index = 0; index < 7; index++) await start(store, `t${index}`);
    const pages = await allPages((cursor) => store.threads({ limit: 3, ...cursor }));
    assert.deepEqual(
      pages.map((rows) => rows.map((row) => row.threadId)),
      [["t6", "t5", "t4"], ["t3", "t2", "t1"], ["t0"]],
    );
  }),

  rule("a thread that is started while someone turns pages moves nobody to another page", async (store) => {
    for (let index = 0; index < 4; index++) await start(store, `t${index}`);
    const first = await store.threads({ limit: 2 });
    await start(store, "newer");
    const second = await store.threads({ limit: 2, cursor: first.nextCursor ?? "" });
    assert.deepEqual(
      second.rows.map((row) => row.threadId),
      ["t1", "t0"],
    );
    assert.equal(second.nextCursor, null);
  }),

  rule("threads are found by id, agent, status and parent, alone and together", async (store) => {
    const parent = { threadId: "a", key: "call:b#1" };
    await start(store, "a", asked("r1"));
    await append(store, "b", 0, started("b", { agent: "other", parent }), completed());
    await append(store, "c", 0, started("c", { agent: "other", parent }));
    const find = async (query: Parameters<typeof store.threads>[0]) =>
      (await store.threads(query)).rows.map((row) => row.threadId);
    assert.deepEqual(await find({ threadId: "b" }), ["b"]);
    assert.deepEqual(await find({ agent: "other" }), ["c", "b"]);
    assert.deepEqual(await find({ exceptAgent: "other" }), ["a"]);
    assert.deepEqual(await find({ exceptAgent: "desk", status: "running" }), ["c"]);
    assert.deepEqual(await find({ status: "waiting" }), ["a"]);
    assert.deepEqual(await find({ status: "running" }), ["c"]);
    assert.deepEqual(await find({ parentId: "a" }), ["c", "b"]);
    assert.deepEqual(await find({ parentId: "a", status: "completed", agent: "other" }), ["b"]);
    assert.deepEqual(await find({ agent: "desk", parentId: "a" }), []);
  }),

  rule("requests come oldest first, by when they were opened, page by page", async (store) => {
    const events = placed(started("t"), ...["r0", "r1", "r2"].map((requestId) => asked(requestId)));
    await store.append({ threadId: "t", expectedSeq: 0, events });
    const early = [
      { body: started("u"), at: at(noon) },
      { body: asked("early"), at: at(noon - 1) },
    ];
    await store.append({ threadId: "u", expectedSeq: 0, events: early });
    const pages = await allPages((cursor) => store.requests({ limit: 2, ...cursor }));
    assert.deepEqual(
      pages.map((rows) => rows.map((row) => row.requestId)),
      [
        ["early", "r0"],
        ["r1", "r2"],
      ],
    );
  }),

  rule("requests are found by id, thread and status, alone and together", async (store) => {
    await start(store, "t", asked("r1"), asked("r2"), answered("r1"));
    await start(store, "u", asked("r3"));
    const find = async (query: Parameters<typeof store.requests>[0]) =>
      (await store.requests(query)).rows.map((row) => row.requestId);
    assert.deepEqual(await find({ requestId: "r3" }), ["r3"]);
    assert.deepEqual(await find({ threadId: "t" }), ["r1", "r2"]);
    assert.deepEqual(await find({ status: "open" }), ["r2", "r3"]);
    assert.deepEqual(await find({ status: "open", threadId: "t" }), ["r2"]);
    assert.deepEqual(await find({ threadId: "nobody" }), []);
  }),

  rule("a page has 50 rows unless told, and a list ends without an empty page", async (store) => {
    await Promise.all(Array.from({ length: 51 }, (_, index) => start(store, `t${index}`)));
    assert.equal((await store.threads({})).rows.length, 50);
    assert.equal((await store.threads({ limit: 51 })).nextCursor, null);
  }),

  rule("a limit or a cursor that cannot be is refused as a mistake", async (store) => {
    for (const limit of [0, -1, 1.5, 1_001, Number.NaN]) await refused(store.threads({ limit }), "usage");
    for (const cursor of ["", "'; DROP TABLE threads", "-1", "1e9"])
      await refused(store.threads({ cursor }), "usage");
    for (const cursor of ["", "x", "1", "x 2026"]) await refused(store.requests({ cursor }), "usage");
  }),
];

async function allPages<Row>(
  load: (cursor: { cursor?: string }) => Promise<Page<Row>>,
): Promise<(readonly Row[])[]> {
  const pages: (readonly Row[])[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await load(cursor === undefined ? {} : { cursor });
    pages.push(page.rows);
    cursor = page.nextCursor;
  }
  return pages;
}
