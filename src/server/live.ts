// Streams of events, live. One poller for all clients finds which threads went on, whichever process appended; followers
// of one thread at the same place share one read and one encoding. So the cost follows what is appended, not how many
// are looking on.
import type { ThreadEvent } from "../core/events.ts";
import type { EventFeed } from "../ports/event-feed.ts";
import type { Runtime } from "../runtime/runtime.ts";

export interface LiveOptions {
  readonly runtime: Runtime;
  readonly feed: EventFeed;
  /** How often the store is asked for what other processes appended, in milliseconds; only while anybody follows. */
  readonly pollMs: number;
  /** How often a quiet stream is kept open, in milliseconds. */
  readonly beatMs: number;
}

/** New events of a thread, as bytes of a stream. */
interface Tail {
  /** Many events to a chunk: each chunk is a write to each follower's socket. */
  readonly chunks: readonly Uint8Array[];
  readonly lastSeq: number;
  /** True when the thread's end is among them. */
  readonly hasEnd: boolean;
}

type News = "changed" | "beat" | "closing" | "gone";

export interface Follower {
  /** Changes with every event of the thread: taken before a read, it tells whether there is more after it. */
  version(): number;
  read(afterSeq: number): Promise<Tail>;
  /** Resolves as soon as there is something to say; at once when the version is another by now. */
  wait(version: number): Promise<News>;
  leave(): void;
}

export interface Live {
  /** Follows a thread. What is read after it resolves, and waited for then, leaves no gap. */
  follow(threadId: string): Promise<Follower>;
  /** A hint from this process: the thread has new events. */
  nudge(threadId: string): void;
  readonly followers: number;
  /** Ends all streams. */
  close(): Promise<void>;
}

interface Topic {
  version: number;
  readonly waiting: Set<(news: News) => void>;
  followers: number;
  /** Reads of this version, by where they begin. */
  readonly tails: Map<number, Promise<Tail>>;
}

export function createLive({ runtime, feed, pollMs, beatMs }: LiveOptions): Live {
  const { clock, store } = runtime;
  const topics = new Map<string, Topic>();
  const stop = new AbortController();
  let followers = 0;
  let isWoken = false;
  let nextWaking = new AbortController();
  let running: { readonly ready: Promise<void>; readonly over: Promise<unknown> } | null = null;

  function start(): { readonly ready: Promise<void>; readonly over: Promise<unknown> } {
    const idle = new AbortController();
    const signal = AbortSignal.any([stop.signal, idle.signal]);
    const place = feed.head();
    const polling = place.then((head) => poll(head, idle));
    place.catch(() => idle.abort()); // nothing is followed, so nothing beats
    return { ready: place.then(() => {}), over: Promise.allSettled([polling, beat(signal)]) };
  }

  /** Runs while anybody follows. */
  async function poll(from: number, idle: AbortController): Promise<void> {
    let place = from;
    while (topics.size > 0 && !stop.signal.aborted) {
      await nap();
      place = await look(place);
    }
    idle.abort();
    running = null;
  }

  /** A hint that comes while the store is being asked cuts the next nap short. */
  async function nap(): Promise<void> {
    if (!isWoken) await clock.sleep(pollMs, nextWaking.signal);
    isWoken = false;
    nextWaking = new AbortController();
  }

  function wake(): void {
    isWoken = true;
    nextWaking.abort("news"); // a reason of its own: the default one is an error with a stack, made anew each time
  }

  /** A store that is busy is asked again later: nothing is missed, since the place stays. */
  async function look(place: number): Promise<number> {
    try {
      const head = await feed.head();
      if (head <= place) return place;
      for (const threadId of await feed.changed(place, head)) tell(topics.get(threadId));
      return head;
    } catch (error) {
      runtime.observe({ kind: "problem", threadId: "", error });
      return place;
    }
  }

  async function beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(beatMs, signal);
      if (!signal.aborted) for (const topic of topics.values()) announce(topic, "beat");
    }
  }

  function tell(topic: Topic | undefined): void {
    if (!topic) return;
    topic.version += 1;
    topic.tails.clear();
    announce(topic, "changed");
  }

  function announce({ waiting }: Topic, news: News): void {
    const told = [...waiting];
    waiting.clear();
    for (const resolve of told) resolve(news);
  }

  function read(threadId: string, topic: Topic, afterSeq: number): Promise<Tail> {
    const known = topic.tails.get(afterSeq);
    if (known) return known;
    const tail = store.read(threadId, { afterSeq }).then((events) => tailOf(events, afterSeq));
    topic.tails.set(afterSeq, tail);
    forgetOldest(topic.tails);
    tail.catch(() => topic.tails.delete(afterSeq)); // the next reader tries again
    return tail;
  }

  async function follow(threadId: string): Promise<Follower> {
    const topic = topics.get(threadId) ?? { version: 0, waiting: new Set(), followers: 0, tails: new Map() };
    topics.set(threadId, topic);
    topic.followers += 1;
    followers += 1;
    running ??= start();
    const started = running;
    let own: ((news: News) => void) | null = null;
    let isGone = false;
    const leave = (): void => {
      if (isGone) return;
      isGone = true;
      followers -= 1;
      topic.followers -= 1;
      if (topic.followers === 0) topics.delete(threadId);
      if (topics.size === 0) wake();
      if (own) topic.waiting.delete(own);
      own?.("gone");
    };
    try {
      await started.ready;
    } catch (error) {
      if (running === started) running = null; // another may have started anew
      leave();
      throw error;
    }
    return {
      version: () => topic.version,
      read: (afterSeq) => read(threadId, topic, afterSeq),
      wait: (version) => {
        if (isGone) return Promise.resolve("gone");
        if (stop.signal.aborted) return Promise.resolve("closing");
        if (topic.version !== version) return Promise.resolve("changed");
        return new Promise((resolve) => {
          own = resolve;
          topic.waiting.add(resolve);
        });
      },
      leave,
    };
  }

  return {
    follow,
    nudge: (threadId) => {
      if (topics.has(threadId)) wake();
    },
    get followers() {
      return followers;
    },
    async close() {
      stop.abort();
      wake();
      for (const topic of topics.values()) announce(topic, "closing");
      await running?.over;
    },
  };
}

/** Places in a thread whose rest is kept for others who come to them: most stand at its end. */
const maxTails = 8;

function forgetOldest(tails: Map<number, Promise<Tail>>): void {
  for (const place of tails.keys()) {
    if (tails.size <= maxTails) return;
    tails.delete(place);
  }
}

const encoder = new TextEncoder();

/** About how long a chunk may get, in characters: what a slow client has waiting for it in memory. */
const chunkLength = 64 * 1024;

function tailOf(events: readonly ThreadEvent[], afterSeq: number): Tail {
  return {
    chunks: chunksOf(events.map((event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`)),
    lastSeq: events.at(-1)?.seq ?? afterSeq,
    hasEnd: events.some(({ type }) => isEnd(type)),
  };
}

function chunksOf(frames: readonly string[]): readonly Uint8Array[] {
  const texts: string[] = [];
  let text = "";
  for (const frame of frames) {
    text += frame;
    if (text.length < chunkLength) continue;
    texts.push(text);
    text = "";
  }
  if (text !== "") texts.push(text);
  return texts.map((each) => encoder.encode(each));
}

/** True for the events that end a thread. */
function isEnd(type: ThreadEvent["type"]): boolean {
  return type === "thread_completed" || type === "thread_failed" || type === "thread_cancelled";
}
