import assert from "node:assert/strict";
import { sha256 } from "../../core/digest.ts";
import type { EventBody } from "../../core/events.ts";
import {
  append,
  asked,
  noted,
  placed,
  refused,
  requestRow,
  rule,
  type StoreCase,
  signalled,
  sound,
  start,
  started,
  threadRow,
  waiting,
} from "./case.ts";

const hostile = [
  "'; DROP TABLE events; --",
  '"double" `back` [brackets] \\ / % _ ?1 :name $x',
  "nul \0 within",
  "lines \n\r\t \u2028 \u2029",
  "lone \ud800 surrogate",
  "\udc00\ud800 in the wrong order",
  "emoji 🧾 and combining é",
  "__proto__",
  "constructor",
  "\u202e right to left",
  "",
];

export const contentCases: readonly StoreCase[] = [
  rule("any text in an event comes back as it was", async (store) => {
    let head = await start(store, "t");
    for (const text of hostile) head = await append(store, "t", head, noted(text), signalled(text));
    const events = await store.read("t");
    const notes = events.flatMap((event) => (event.type === "step_completed" ? [event.result.value] : []));
    const signals = events.flatMap((event) => (event.type === "signal_received" ? [event.signal] : []));
    assert.deepEqual(notes, hostile);
    assert.deepEqual(signals, hostile);
    await sound(store);
  }),

  rule("any well-formed text without NUL will do for ids, agents and keys", async (store) => {
    const names = hostile.filter((text) => text !== "" && text.isWellFormed() && !text.includes("\0"));
    for (const name of names) {
      await append(store, name, 0, started(name, { agent: name }), waiting(name, name), asked(name));
      assert.equal((await store.read(name)).length, 3);
      const row = await threadRow(store, name);
      assert.deepEqual([row.agent, row.waits], [name, [name]]);
      assert.equal((await requestRow(store, name)).requestId, name);
      assert.equal((await store.threads({ agent: name })).rows.length, 1);
      await append(store, name, 3, signalled(name));
      assert.deepEqual((await threadRow(store, name)).waits, []);
    }
    await sound(store);
  }),

  rule("in agents and keys any text will do, though lists may show parts of it otherwise", async (store) => {
    for (const [index, name] of hostile.entries()) {
      const threadId = `any_${index}`;
      await append(store, threadId, 0, started(threadId, { agent: name }), waiting(name, name), asked(name));
      await append(store, threadId, 3, signalled(name));
      assert.deepEqual((await threadRow(store, threadId)).waits, []);
      assert.equal((await requestRow(store, name)).opened.requestId, name);
      assert.equal((await store.threads({ agent: name })).rows.length, 1);
    }
    await sound(store);
  }),

  rule("projections take text that is not well-formed", async (store) => {
    await append(
      store,
      "t",
      0,
      started("t", { agent: "\ud800", input: { value: "\udc00" } }),
      waiting("\ud800", "\ud800"),
    );
    await append(store, "t", 2, signalled("\ud800"), asked("\ud800"));
    assert.deepEqual((await threadRow(store, "t")).waits, []);
    await sound(store);
  }),

  rule("a member called __proto__ is a member", async (store) => {
    const body = JSON.parse(
      '{"type":"thread_completed","v":1,"output":{"value":{"__proto__":{"admin":true}}}}',
    ) as EventBody;
    await start(store, "t", body);
    const event = (await store.read("t"))[1];
    assert.equal(
      JSON.stringify(event?.type === "thread_completed" ? event.output.value : null),
      '{"__proto__":{"admin":true}}',
    );
    assert.equal(({} as { admin?: boolean }).admin, undefined);
  }),

  rule("an event of a megabyte, and hundreds of events at once", async (store) => {
    const big = "é\0🧾x".repeat(200_000);
    let head = await start(store, "t", noted(big));
    head = await append(store, "t", head, ...Array.from({ length: 500 }, (_, index) => noted(index)));
    assert.equal(head, 502);
    const events = await store.read("t");
    assert.equal(events.length, 502);
    assert.deepEqual(events[1], { ...noted(big), at: placed(noted())[0]?.at, seq: 2 });
    await sound(store);
  }),

  rule("an artifact is there when its append is, and comes back as it was", async (store) => {
    const artifact = artifactOf(JSON.stringify({ rows: hostile }));
    const other = artifactOf('"never appended"');
    await store.append({
      threadId: "t",
      expectedSeq: 0,
      events: [startWith(artifact)],
      artifacts: [artifact],
    });
    assert.equal(await store.artifact(artifact.digest), artifact.text);
    await refused(
      store.append({ threadId: "t", expectedSeq: 0, events: [startWith(other)], artifacts: [other] }),
      "append_conflict",
    );
    await refused(store.artifact(other.digest), "artifact_missing");
    await append(store, "t", 1, noted());
    await store.append({ threadId: "t", expectedSeq: 2, events: placed(noted()), artifacts: [artifact] }); // the same again
    await sound(store);
  }),

  rule("verify tells of an artifact that an event refers to and nobody stored", async (store) => {
    const missing = artifactOf('"forgotten"');
    await store.append({ threadId: "t", expectedSeq: 0, events: [startWith(missing)] });
    const { problems } = await store.verify({});
    assert.deepEqual(
      problems.map(({ kind, threadId }) => [kind, threadId]),
      [["artifact", "t"]],
    );
    assert.deepEqual((await store.verify({ threadId: "t" })).problems, problems);
  }),

  rule("verify counts what it checked, one thread or all", async (store) => {
    await start(store, "t", noted());
    await start(store, "u");
    assert.deepEqual(await store.verify({}), { threads: 2, events: 3, problems: [] });
    assert.deepEqual(await store.verify({ threadId: "t" }), { threads: 1, events: 2, problems: [] });
    await refused(store.verify({ threadId: "nobody" }), "thread_not_found");
  }),

  {
    name: "everything is there after closing and opening again",
    run: async (open) => {
      const first = await open();
      const artifact = artifactOf('{"kept":true}');
      await first.append({
        threadId: "t",
        expectedSeq: 0,
        events: [startWith(artifact), ...placed(asked("r1"))],
        artifacts: [artifact],
      });
      const kept = [await first.read("t"), await first.threads({}), await first.requests({})] as const;
      const pending = append(first, "t", 2, noted("accepted before closing"));
      await first.close();
      assert.equal(await pending, 3);
      const second = await open();
      assert.equal(await second.artifact(artifact.digest), artifact.text);
      assert.deepEqual((await second.read("t")).slice(0, 2), kept[0]);
      const moved = kept[2].rows.map((row) => ({ ...row, headSeq: 3 }));
      assert.deepEqual(await second.requests({}), { ...kept[2], rows: moved });
      await append(second, "t", 3, noted());
      await sound(second);
      await second.close();
    },
  },

  {
    name: "a closed store refuses every call, and closes twice",
    run: async (open) => {
      const store = await open();
      await store.close();
      await store.close();
      const lease = { threadId: "t", owner: "w", number: 1, until: 0, crashes: 0 };
      const calls = [
        start(store, "t"),
        store.read("t"),
        store.lease({ threadId: "t", owner: "w", ttlMs: 1, now: 0 }),
        store.release(lease, { now: 0 }),
        store.due({ now: 0, limit: 1 }),
        store.threads({}),
        store.requests({}),
        store.artifact("x"),
        store.verify({}),
      ];
      for (const call of calls) await refused(call, "usage");
    },
  },
];

function artifactOf(text: string): { digest: string; text: string } {
  return { digest: sha256(text), text };
}

function startWith({ digest, text }: { digest: string; text: string }) {
  const input = { artifact: { digest, bytes: text.length, preview: text.slice(0, 10) } };
  return { body: started("t", { input }), at: "2026-11-23T12:00:00.000Z" };
}
