import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { HoldpointError } from "../../src/core/errors.ts";
import type { EventBody } from "../../src/core/events.ts";
import { cancelThread } from "../../src/runtime/commands.ts";
import { settleOutbox, startOutbox } from "../../src/runtime/outbox.ts";
import { pruneSqliteStore } from "../../src/stores/sqlite/prune.ts";
import type { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { asked, at, noon, start } from "../../src/testing/store-contract/case.ts";
import { channelWorldOfEachTest, dana, kim, noteChannel } from "../kit/channel-world.ts";

const openWorld = channelWorldOfEachTest();
const minute = 60_000;

function unavailable(
  details: { readonly arrived?: boolean; readonly retryAfterMs?: number } = {},
): HoldpointError {
  const { retryAfterMs, ...rest } = details;
  return new HoldpointError("channel_unavailable", "nobody there", {
    retryable: true,
    retryAfterMs,
    details: rest,
  });
}

function fails(error: unknown): never {
  throw error;
}

/** An event that this version does not write yet, at the end of a thread's log. */
async function appendLater(store: SqliteStore, threadId: string, body: object): Promise<void> {
  const { headSeq } = (await store.threads({ threadId })).rows[0] ?? { headSeq: 0 };
  await store.append({
    threadId,
    expectedSeq: headSeq,
    events: [{ body: { v: 1, ...body } as unknown as EventBody, at: at(noon) }],
  });
}

describe("who is told what", () => {
  test("all approvers are asked once, and told once how it ended", async () => {
    const channel = noteChannel((notice) => ({ copy: notice.recipient }));
    const world = await openWorld({ channels: [channel] });
    const { requestId } = await world.ask();
    expect(await world.send()).toBe(2);
    expect(await world.send()).toBe(0);
    await world.decide(requestId, { kind: "approve" });
    await world.send();
    expect(channel.kinds()).toEqual([
      "ask dana@example.com",
      "ask kim@example.com",
      "close dana@example.com",
      "close kim@example.com",
    ]);
    expect(channel.notices[2]).toMatchObject({
      person: dana,
      receipt: { copy: dana.id },
      request: { requestId, status: "decided", by: "dana@example.com", verdict: { kind: "approve" } },
    });
    expect(await world.deliveries({ status: "pending" })).toEqual([]);
  });

  test("only those whom the gate names as approvers", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel], gate: { approvers: ["role:support-lead"] } });
    await world.ask();
    await world.send();
    expect(channel.kinds()).toEqual(["ask dana@example.com"]);
  });

  test("a deadline that passes and a thread that is cancelled close what is out", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel], people: [dana] });
    const late = await world.ask();
    const gone = await world.ask();
    await world.send();
    await cancelThread(world.runtime, gone.threadId, { by: "kim@example.com", why: "not needed" });
    await world.clock.advance(25 * 60 * minute);
    await world.settle(late.threadId);
    await world.send();
    expect(channel.notices.slice(2).map(({ kind, request }) => [kind, request.status])).toEqual([
      ["close", "withdrawn"],
      ["close", "expired"],
    ]);
  });

  test("what was decided before it could be sent is never sent", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel] });
    await world.send(); // the channel is known from here on
    const { requestId } = await world.ask();
    await world.decide(requestId, { kind: "reject", why: "no" });
    expect(await world.send()).toBe(0);
    expect(await world.deliveries()).toEqual([]);
  });

  test("nor what is past its deadline, though nobody has closed it yet", async () => {
    const channel = noteChannel(() => fails(unavailable({ arrived: false })));
    const world = await openWorld({ channels: [channel], people: [dana] });
    await world.ask();
    await world.send();
    await world.clock.advance(25 * 60 * minute);
    await world.send();
    expect(channel.kinds()).toEqual(["ask dana@example.com"]);
    expect(await world.deliveries()).toMatchObject([{ kind: "ask", status: "dropped" }]);
  });

  test("reminders, votes and escalations reach every copy, and escalations whom they name", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel], gate: { approvers: [dana.id] } });
    const { requestId, threadId } = await world.ask();
    await world.send();
    const store = world.runtime.store as SqliteStore;
    await appendLater(store, threadId, { type: "request_reminded", requestId });
    await appendLater(store, threadId, { type: "request_voted", requestId });
    await world.send();
    await appendLater(store, threadId, { type: "request_escalated", requestId, to: [kim.id] });
    await world.send();
    expect(channel.kinds()).toEqual([
      `ask ${dana.id}`,
      `remind ${dana.id}`,
      `update ${dana.id}`,
      `update ${dana.id}`,
      `ask ${kim.id}`,
    ]);
  });

  test("a channel that is new asks for what is still open, and for nothing older", async () => {
    const world = await openWorld({ channels: [], people: [dana] });
    const old = await world.ask();
    await world.decide(old.requestId, { kind: "reject", why: "no" });
    const open = await world.ask();
    const channel = noteChannel();
    const options = { outbox: world.outbox, channels: [channel], people: [dana] };
    await settleOutbox(world.runtime, options, new AbortController().signal);
    expect(channel.notices.map(({ request }) => request.requestId)).toEqual([open.requestId]);
  });

  test("a channel whose own code fails at one request goes on with the next, and says so", async () => {
    const channel = noteChannel();
    let calls = 0;
    const noList = () => Promise.reject(new Error("late")) as never; // which ends no process
    const answers = [() => fails(new Error("no such list")), noList, () => [dana.id]];
    const broken = { ...channel, recipients: () => answers[calls++]?.() ?? [] };
    const world = await openWorld({ channels: [broken] });
    for (const _ of answers) await world.ask();
    expect(await world.send()).toBe(1);
    expect(world.problems).toMatchObject([{ message: "no such list" }, { name: "TypeError" }]);
  });

  test("a request whose event is damaged is told, and holds up none of the others", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel], people: [dana] });
    await world.ask();
    const sound = await world.ask();
    const other = new DatabaseSync(world.path);
    other.exec(`UPDATE events SET body = replace(body, '"v":1', '"v":"x"')
      WHERE id = (SELECT min(event_id) FROM requests)`);
    other.close();
    await world.send();
    expect(channel.notices.map(({ request }) => request.requestId)).toEqual([sound.requestId]);
    expect(world.problems).toMatchObject([{ code: "store_corrupt" }]);
  });

  test("two channels of one name are refused", async () => {
    await expect(openWorld({ channels: [noteChannel(), noteChannel()] })).rejects.toMatchObject({
      code: "usage",
    });
  });
});

describe("when the other side is not there", () => {
  test("an outage of an hour is waited for, and ends with one message each", async () => {
    let isDown = true;
    const channel = noteChannel(() => (isDown ? fails(unavailable({ arrived: false })) : { ok: true }));
    const world = await openWorld({ channels: [channel], people: [dana] });
    await world.ask();
    for (let minutes = 0; minutes < 60; minutes++) {
      await world.send();
      await world.clock.advance(minute);
    }
    const tries = channel.notices.length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(16); // backing off, at most 15 minutes apart
    isDown = false;
    for (let minutes = 0; minutes < 16; minutes++) {
      await world.send();
      await world.clock.advance(minute);
    }
    expect(channel.notices).toHaveLength(tries + 1);
    expect(new Set(channel.notices.map(({ deliveryId }) => deliveryId)).size).toBe(1);
    const [delivery] = await world.deliveries();
    expect(delivery).toMatchObject({ status: "sent", attempts: tries + 1, receipt: { ok: true } });
    expect(delivery?.tries).toHaveLength(10);
    expect(delivery?.tries.at(-1)).toEqual({ at: expect.any(String), error: "nobody there" });
  });

  test("an ask that was in vain is dropped when another decides, and nobody gets a farewell to nothing", async () => {
    const channel = noteChannel(() => fails(unavailable({ arrived: false })));
    const world = await openWorld({ channels: [channel], people: [dana] });
    const { requestId } = await world.ask();
    await world.send();
    await world.decide(requestId, { kind: "approve" });
    await world.clock.advance(60 * minute);
    await world.send();
    expect(channel.kinds()).toEqual([`ask ${dana.id}`]);
    expect(await world.deliveries()).toMatchObject([{ status: "dropped", kind: "ask" }]);
  });

  test("an ask that may have arrived is closed", async () => {
    const channel = noteChannel(({ kind }) => (kind === "ask" ? fails(unavailable()) : null));
    const world = await openWorld({ channels: [channel], people: [dana] });
    const { requestId } = await world.ask();
    await world.send();
    await world.decide(requestId, { kind: "approve" });
    await world.send();
    expect(channel.kinds()).toEqual([`ask ${dana.id}`, `close ${dana.id}`]);
    expect(channel.notices[1]?.receipt).toBeNull();
  });

  test("an hour that the receiver asks for is waited for, by all of the channel", async () => {
    const channel = noteChannel(() => fails(unavailable({ arrived: false, retryAfterMs: 60 * minute })));
    const world = await openWorld({ channels: [channel], people: [dana] });
    await world.ask();
    const outbox = startOutbox(world.runtime, { outbox: world.outbox, channels: [channel], people: [dana] });
    await expect.poll(() => channel.notices.length).toBe(1);
    await world.ask();
    await world.clock.advance(59 * minute);
    expect(channel.notices).toHaveLength(1);
    await expect
      .poll(async () => {
        await world.clock.advance(minute);
        return channel.notices.length;
      })
      .toBeGreaterThan(1);
    await outbox.close();
  });

  test("a refusal for good is dead, told, listed, and sent again when somebody says so", async () => {
    let isWrong = true;
    const channel = noteChannel(
      () => isWrong && fails(new HoldpointError("channel_refused", "no such channel")),
    );
    const world = await openWorld({ channels: [channel], people: [dana] });
    const { requestId } = await world.ask();
    await world.send();
    const [dead] = await world.deliveries({ status: "dead" });
    expect(dead).toMatchObject({ requestId, attempts: 1, tries: [{ error: "no such channel" }] });
    expect(world.problems).toMatchObject([{ code: "channel_refused" }]);
    isWrong = false;
    await world.clock.advance(60 * minute);
    expect(await world.send()).toBe(0);
    await world.outbox.retry(dead?.deliveryId ?? "", world.clock.now());
    expect(await world.send()).toBe(1);
    expect(await world.deliveries()).toMatchObject([{ status: "sent", deliveryId: dead?.deliveryId }]);
  });

  test("nothing is tried for ever", async () => {
    const channel = noteChannel(() => fails(unavailable({ arrived: false })));
    const world = await openWorld({ channels: [channel], people: [dana], maxAgeMs: 60 * minute });
    await world.ask();
    for (let minutes = 0; minutes < 90; minutes++) {
      await world.send();
      await world.clock.advance(minute);
    }
    expect(await world.deliveries()).toMatchObject([{ status: "dead" }]);
  });

  test("ten thousand open requests and a server that is down: a few tries, not ten thousand", async () => {
    const channel = noteChannel(() => fails(unavailable({ arrived: false })));
    const world = await openWorld({ channels: [channel], people: [dana] });
    const store = world.runtime.store as SqliteStore;
    for (let first = 0; first < 10_000; first += 1_000)
      await Promise.all(
        Array.from({ length: 1_000 }, (_, index) =>
          start(store, `t${first + index}`, asked(`r_${first + index}`)),
        ),
      );
    await world.send();
    expect(channel.notices.length).toBeLessThan(20);
    expect((await world.outbox.unseen("notes")) ?? "nothing is read twice").toBe("nothing is read twice");
    await start(store, "one-more", asked("r_new"));
    expect(await world.outbox.unseen("notes")).toMatchObject({ facts: [{}, { requestId: "r_new" }] });
    expect((await store.verify({})).problems).toEqual([]);
  });
});

describe("over processes and crashes", () => {
  test("a delivery whose process died comes again under the same id, and not before its lease is over", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel], people: [dana] });
    await world.ask();
    const batch = await world.outbox.unseen("notes");
    await world.outbox.advance({
      ...{ channel: "notes", from: batch?.from ?? 0, to: batch?.to ?? 0, now: world.clock.now() },
      changes: [
        {
          kind: "ask",
          eventId: 9,
          requestId: (await world.openRequests())[0]?.requestId ?? "",
          recipients: [dana.id],
        },
      ],
    });
    const claim = { channel: "notes", owner: "dead", leaseMs: 90_000, now: world.clock.now() };
    const lost = await world.outbox.claim(claim);
    expect(await world.send()).toBe(0);
    await world.clock.advance(2 * minute);
    expect(await world.send()).toBe(1);
    expect(channel.notices[0]?.deliveryId).toBe(lost?.delivery.deliveryId);
    if (!lost) throw new Error("it was claimed");
    expect(await world.outbox.settle(lost, { kind: "dead", error: "late" }, world.clock.now())).toBe(false);
    expect(await world.deliveries()).toMatchObject([{ status: "sent", attempts: 2 }]);
  });

  test("what a dead process may have sent is closed", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel], people: [dana] });
    const { requestId } = await world.ask();
    const stuck = { ...channel, deliver: () => new Promise<never>(() => {}) };
    const stop = new AbortController();
    void settleOutbox(
      world.runtime,
      { outbox: world.outbox, channels: [stuck], people: [dana] },
      stop.signal,
    );
    await expect.poll(() => world.deliveries()).toMatchObject([{ attempts: 1 }]);
    await world.decide(requestId, { kind: "approve" });
    await world.send();
    expect(channel.kinds()).toEqual([]); // the first is still under way, as far as anybody knows
    await world.clock.advance(2 * minute);
    await world.send();
    expect(channel.kinds()).toEqual([`close ${dana.id}`]);
    stop.abort();
  });

  test("deliveries go with their thread when it is pruned", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel], people: [dana] });
    const { requestId, threadId } = await world.ask();
    await world.send();
    await world.decide(requestId, { kind: "approve" });
    await world.settle(threadId);
    await world.send();
    await world.ask(); // the newest thread stays
    const later = new Date(world.clock.now() + minute);
    const { threads } = await pruneSqliteStore({
      ...{ path: world.path, endedBefore: later, now: later },
      signal: new AbortController().signal,
    });
    expect(threads).toBe(1);
    expect(await world.deliveries({ requestId })).toEqual([]);
    await world.send();
    expect(channel.kinds()).toEqual([`ask ${dana.id}`, `close ${dana.id}`, `ask ${dana.id}`]);
    expect((await world.runtime.store.verify({})).problems).toEqual([]);
  });

  test("what a dead process may have sent is closed, though the next try certainly failed", async () => {
    const channel = noteChannel(({ kind }) => kind === "ask" && fails(unavailable({ arrived: false })));
    const world = await openWorld({ channels: [channel], people: [dana] });
    const { requestId } = await world.ask();
    await world.send();
    await world.clock.advance(minute);
    const claim = { channel: "notes", owner: "dead", leaseMs: 90_000, now: world.clock.now() };
    expect(await world.outbox.claim(claim)).not.toBeNull();
    await world.clock.advance(2 * minute);
    await world.send();
    await world.decide(requestId, { kind: "approve" });
    await world.send();
    expect(channel.kinds()).toEqual([`ask ${dana.id}`, `ask ${dana.id}`, `close ${dana.id}`]);
  });

  test("a process that is late with what it read moves nothing, and writes nothing", async () => {
    const world = await openWorld({ channels: [noteChannel()], people: [dana] });
    const { requestId } = await world.ask();
    const batch = await world.outbox.unseen("notes");
    await world.send();
    const { from = 0, to = 0 } = batch ?? {};
    const changes = [{ kind: "ask" as const, eventId: to, requestId, recipients: ["somebody else"] }];
    const late = { channel: "notes", from, to, changes, now: world.clock.now() };
    expect(await world.outbox.advance(late)).toBe(false);
    expect(await world.deliveries()).toMatchObject([{ recipient: dana.id }]);
    expect(await world.outbox.unseen("notes")).toBeNull();
  });

  test("two processes move one cursor: each event is used once", async () => {
    const channel = noteChannel();
    const world = await openWorld({ channels: [channel], people: [dana] });
    for (let count = 0; count < 20; count++) await world.ask();
    await Promise.all([world.send(), world.send(), world.send()]);
    expect(channel.notices).toHaveLength(20);
    expect(new Set(channel.notices.map(({ deliveryId }) => deliveryId)).size).toBe(20);
  });

  test("told to stop, it gives a delivery under way its time, and then gives it back", async () => {
    const channel = noteChannel(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        }),
    );
    const world = await openWorld({ channels: [channel], people: [dana] });
    await world.ask();
    const outbox = startOutbox(world.runtime, { outbox: world.outbox, channels: [channel], people: [dana] });
    await expect.poll(() => channel.notices.length).toBe(1);
    const closed = outbox.close();
    await world.clock.advance(10_000);
    await closed;
    expect(await world.deliveries()).toMatchObject([
      {
        status: "pending",
        tries: [{ error: "told to stop" }],
        nextAt: new Date(world.clock.now()).toISOString(),
      },
    ]);
  });
});
