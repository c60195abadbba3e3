// Streams of events: everything once and in order, wherever it was appended and however often the stream broke off.
import { describe, expect, test } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { readStream, type StreamMessage } from "../../src/client/read-stream.ts";
import { agent } from "../../src/core/agent.ts";
import { sendSignal, startThread } from "../../src/runtime/commands.ts";
import { type SendOptions, servicesOfEachTest, type TestService } from "../kit/http.ts";
import { listening } from "../kit/listening.ts";

const open = servicesOfEachTest();

/** Takes signals until one says stop. */
const listener = agent({
  name: "listener",
  async flow(t) {
    for (;;) if (((await t.wait("next")) as { value: unknown }).value === "stop") return "stopped";
  },
});

async function started(service: TestService): Promise<string> {
  const { threadId } = await startThread(service.runtime, "listener", null, { by: "test" });
  await service.settle(threadId);
  return threadId;
}

interface Stream {
  /** The messages that come next. */
  take(count: number): Promise<readonly StreamMessage[]>;
  /** The rest, to the end. */
  rest(): Promise<readonly StreamMessage[]>;
  cancel(): Promise<unknown>;
}

async function stream(service: TestService, threadId: string, options: SendOptions = {}): Promise<Stream> {
  const headers = { accept: "text/event-stream", ...options.headers };
  const response = await service.send(`/v1/threads/${threadId}/events`, { ...options, headers });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  if (!response.body) throw new Error("no stream");
  const messages = readStream(response.body);
  const take = async (count: number): Promise<readonly StreamMessage[]> => {
    const taken: StreamMessage[] = [];
    while (taken.length < count) {
      const { done, value } = await messages.next();
      if (done) break;
      taken.push(value);
    }
    return taken;
  };
  return { take, rest: () => take(Number.POSITIVE_INFINITY), cancel: () => messages.return() };
}

function seqs(messages: readonly StreamMessage[]): readonly number[] {
  return messages.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
}

describe("a stream of events", () => {
  test("gives what there is, then what comes, and ends with the thread", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const events = await service.events(threadId);
    const live = await stream(service, threadId);
    const [retry, ...first] = await live.take(1 + events.length);
    expect(retry).toEqual({ retryMs: 1_000 });
    expect(first.map(({ data }) => JSON.parse(data ?? ""))).toEqual(events);
    await sendSignal(service.runtime, threadId, { signal: "next", value: "stop", by: "test" });
    await service.settle(threadId);
    const rest = await live.rest();
    expect(rest.map(({ data }) => JSON.parse(data ?? "").type).at(-1)).toBe("thread_completed");
    expect(seqs([...first, ...rest])).toEqual((await service.events(threadId)).map(({ seq }) => seq));
  });

  test("goes on where it broke off, by Last-Event-ID", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const live = await stream(service, threadId, { headers: { "last-event-id": "1" } });
    expect(seqs(await live.take(2))).toEqual([2]);
    await live.cancel();
  });

  test("of a thread that has ended is over; there is nothing to come back for", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    await service.json(`/v1/threads/${threadId}/cancel`, { body: { why: "enough" } });
    const all = await (await stream(service, threadId)).rest();
    const last = seqs(all).at(-1);
    const headers = { accept: "text/event-stream", "last-event-id": String(last) };
    expect((await service.send(`/v1/threads/${threadId}/events`, { headers })).status).toBe(204);
  });

  test("shows what another process appends, after one look at the store", async () => {
    const service = await open({ agents: [listener], pollMs: 250 });
    const other = await open({ agents: [listener] });
    const threadId = await started(service);
    const head = (await service.events(threadId)).length;
    const live = await stream(service, threadId);
    await live.take(1 + head);
    await sendSignal(other.runtime, threadId, { signal: "next", value: "go", by: "test" });
    const next = live.take(1).then(seqs);
    await expect
      .poll(async () => {
        await service.clock.advance(250);
        return Promise.race([next, null]);
      })
      .toEqual([head + 1]);
    await live.cancel();
  });

  test("of many clients reads the store as often as that of one", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const head = (await service.events(threadId)).length;
    const streams = await Promise.all(Array.from({ length: 200 }, () => stream(service, threadId)));
    await Promise.all(streams.map((live) => live.take(1 + head)));
    const { read } = service.runtime.store;
    let reads = 0;
    service.runtime.store.read = (...args) => {
      reads += 1;
      return read(...args);
    };
    await sendSignal(service.runtime, threadId, { signal: "next", value: "go", by: "test" });
    const news = await Promise.all(streams.map((live) => live.take(1)));
    expect(news.map(seqs)).toEqual(streams.map(() => [head + 1]));
    expect(reads).toBeLessThanOrEqual(2); // one for the signal itself
    await Promise.all(streams.map((live) => live.cancel()));
  });

  test("is kept open while nothing happens", async () => {
    const service = await open({ agents: [listener], beatMs: 15_000 });
    const threadId = await started(service);
    const live = await stream(service, threadId);
    await live.take(1 + (await service.events(threadId)).length);
    const next = live.take(1);
    await expect
      .poll(async () => {
        await service.clock.advance(15_000);
        return Promise.race([next, null]);
      })
      .toEqual([{}]);
    await live.cancel();
  });

  test("ends with the token that it was opened with", async () => {
    const service = await open({ agents: [listener], beatMs: 15_000 });
    const threadId = await started(service);
    const token = await service.token(["read"], { expiresInMs: 20_000 });
    const live = await stream(service, threadId, { token });
    await live.take(1 + (await service.events(threadId)).length);
    const rest = live.rest();
    await expect
      .poll(async () => {
        await service.clock.advance(15_000);
        return Promise.race([rest.then(() => "over"), Promise.resolve().then(() => "open")]);
      })
      .toBe("over");
    await expect.poll(() => service.clock.pending).toBe(0);
  });

  test("ends with its token also for a client that takes its time, and never waits", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const value = "x".repeat(70_000); // a chunk of the stream each
    for (let index = 0; index < 50; index++)
      await sendSignal(service.runtime, threadId, { signal: "next", value, by: "test" });
    const token = await service.token(["read"], { expiresInMs: 60_000 });
    const live = await stream(service, threadId, { token });
    expect(seqs(await live.take(4))).toEqual([1, 2, 3]);
    await service.clock.advance(60_000);
    const late = seqs(await live.rest());
    expect(late.length).toBeLessThanOrEqual(2); // what was on its way
  });

  test("misses nothing that is appended between its look at the log and its wait", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const head = (await service.events(threadId)).length;
    const { read } = service.runtime.store;
    const { changed } = service.sqlite.feed;
    let looks = 0;
    const feed = service.sqlite.feed as { changed: typeof changed };
    feed.changed = async (...args) => {
      const threadIds = await changed(...args);
      setImmediate(() => {
        looks += 1;
      });
      return threadIds;
    };
    service.runtime.store.read = async (...args) => {
      const events = await read(...args);
      service.runtime.store.read = read;
      await sendSignal(service.runtime, threadId, { signal: "next", value: "go", by: "test" });
      await expect.poll(() => looks).toBe(1); // and told of, while nobody waits
      return events;
    };
    const live = await stream(service, threadId);
    expect(seqs(await live.take(1 + head + 1))).toContain(head + 1);
    await live.cancel();
  });

  test("lets go of everything when its client does: nothing polls for nobody", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const live = await stream(service, threadId);
    await live.take(2);
    expect((await service.json("/v1/agents")).status).toBe(200);
    expect(await (await service.send("/metrics")).text()).toContain("holdpoint_event_streams 1");
    await live.cancel();
    await expect.poll(() => service.clock.pending).toBe(0);
    expect(await (await service.send("/metrics")).text()).toContain("holdpoint_event_streams 0");
  });

  test("of HEAD follows nothing", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const headers = { accept: "text/event-stream" };
    expect((await service.send(`/v1/threads/${threadId}/events`, { method: "HEAD", headers })).status).toBe(
      200,
    );
    await expect.poll(() => service.clock.pending).toBe(0);
  });

  test("over the limit is told to come back", async () => {
    const service = await open({ agents: [listener], maxStreams: 1 });
    const threadId = await started(service);
    const live = await stream(service, threadId);
    const refused = await service.json(`/v1/threads/${threadId}/events`, {
      headers: { accept: "text/event-stream" },
    });
    expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([
      503,
      "service_busy",
      "5",
    ]);
    await live.cancel();
  });

  test.each(["x", "-1", "1.5", "99"])("refuses the place %j", async (id) => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const headers = { accept: "text/event-stream", "last-event-id": id };
    expect((await service.json(`/v1/threads/${threadId}/events`, { headers })).status).toBe(400);
  });

  test("ends when the service stops, and says when to come back", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const live = await stream(service, threadId);
    await live.take(1 + (await service.events(threadId)).length);
    await service.server.stop();
    const [last, ...none] = await live.rest();
    expect(last?.retryMs).toBeGreaterThanOrEqual(2_000);
    expect(none).toEqual([]);
    expect((await service.json("/readyz")).status).toBe(503);
    const late = await service.send(`/v1/threads/${threadId}/events`, {
      headers: { accept: "text/event-stream" },
    });
    expect(late.status).toBe(503);
  });
});

describe("the client", () => {
  test("follows a thread over services that stop, and misses nothing", async () => {
    const first = await open({ agents: [listener] });
    const second = await open({ agents: [listener] });
    const threadId = await started(first);
    const bound = await listening(first);
    const other = await listening(second);
    let target = bound.url;
    const client = createClient({
      url: "http://127.0.0.1:1",
      token: await first.token(["read"]),
      fetch: (input, init) => fetch(String(input).replace("http://127.0.0.1:1", target), init),
    });
    const seen: number[] = [];
    const following = (async () => {
      for await (const { seq } of client.events(threadId)) seen.push(seq);
    })();
    const head = (await first.events(threadId)).length;
    await expect.poll(() => seen.length).toBe(head);
    target = other.url;
    await bound.close();
    await sendSignal(second.runtime, threadId, { signal: "next", value: "stop", by: "test" });
    await second.settle(threadId);
    await following;
    expect(seen).toEqual((await second.events(threadId)).map(({ seq }) => seq));
  });

  test("stops following when it is told to, and follows no address where nobody is", async () => {
    const service = await open({ agents: [listener] });
    const threadId = await started(service);
    const { url } = await listening(service);
    const token = await service.token(["read"]);
    const stop = new AbortController();
    const following = (async () => {
      for await (const _ of createClient({ url, token }).events(threadId, { signal: stop.signal }))
        stop.abort();
    })();
    await expect(following).rejects.toThrow(/abort/i);
    await expect.poll(() => service.clock.pending).toBe(0);
    const nowhere = createClient({ url: "http://127.0.0.1:1", token }).events(threadId);
    await expect(nowhere[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "unreachable" });
  });
});
