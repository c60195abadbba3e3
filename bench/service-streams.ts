// Clients that follow threads: each holds one stream, learns from it which request is open, and takes up the next thread
// when its own has ended. What they learn is what the clients that decide have to decide.
import { Agent, type ClientRequest, request } from "node:http";

export interface Streams {
  /** Any open request that a stream told of: taken in order, all threads would go on, and end, at the same time. */
  nextRequest(): Promise<string>;
  /** Open requests that nobody has taken yet. */
  stock(): number;
  /** Streams that are open now. @throws what became of one that was not answered. */
  held(): number;
  /** Milliseconds from `sent` of a request's verdict to its event at the follower, since the last call. */
  takeLags(): readonly number[];
  /** To be called when a verdict is sent. */
  sent(requestId: string): void;
  close(): void;
}

interface StreamsOptions {
  readonly url: string;
  readonly count: number;
  /** In turns. */
  readonly tokens: readonly string[];
  /** A thread that nobody follows yet. */
  readonly nextThread: () => Promise<string>;
}

/** Opens so many streams, and resolves when all are open. */
export async function openStreams({ url, count, tokens, nextThread }: StreamsOptions): Promise<Streams> {
  const { hostname: host, port } = new URL(url);
  const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });
  const open = new Set<ClientRequest>();
  const requests: string[] = [];
  const waiting: ((requestId: string) => void)[] = [];
  const sentAt = new Map<string, number>();
  let lags: number[] = [];
  let isClosed = false;
  let failure: Error | null = null;

  function learn(requestId: string): void {
    const resolve = waiting.shift();
    if (resolve) resolve(requestId);
    else requests.push(requestId);
  }

  function take(event: { readonly type: string; readonly requestId?: string }): void {
    const { type, requestId = "" } = event;
    if (type === "request_opened") learn(requestId);
    if (type !== "request_decided") return;
    const at = sentAt.get(requestId);
    if (at === undefined) return;
    sentAt.delete(requestId);
    lags.push(performance.now() - at);
  }

  /** Follows one thread to its end. `onOpen` is called when the stream is there. */
  function follow(threadId: string, token: string, onOpen: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
      const stream = request(
        { host, port, path: `/v1/threads/${threadId}/events`, agent, headers },
        (response) => {
          if (response.statusCode !== 200) reject(new Error(`a stream was answered ${response.statusCode}`));
          let rest = "";
          response.setEncoding("utf8");
          response.on("data", (text: string) => {
            const frames = (rest + text).split("\n\n");
            rest = frames.pop() ?? "";
            for (const frame of frames) {
              const data = frame.indexOf("data: ");
              if (data >= 0) take(JSON.parse(frame.slice(data + 6)));
            }
          });
          response.once("close", () => {
            open.delete(stream);
            resolve();
          });
          open.add(stream);
          onOpen();
        },
      );
      stream.once("error", (error) => (isClosed ? resolve() : reject(error)));
      stream.end();
    });
  }

  async function followOn(token: string, onOpen: () => void): Promise<void> {
    while (!isClosed) await follow(await nextThread(), token, onOpen);
  }

  const followers = Array.from({ length: count }, (_, index) => {
    const opened = Promise.withResolvers<void>();
    const over = followOn(tokens[index % tokens.length] ?? "", opened.resolve);
    over.catch((error: Error) => {
      failure ??= error;
      opened.reject(error);
    });
    return opened.promise;
  });
  await Promise.all(followers);

  return {
    nextRequest: async () => takeAny(requests) ?? new Promise((resolve) => waiting.push(resolve)),
    stock: () => requests.length,
    held() {
      if (failure) throw failure;
      return open.size;
    },
    takeLags() {
      const taken = lags;
      lags = [];
      return taken;
    },
    sent: (requestId) => void sentAt.set(requestId, performance.now()),
    close() {
      isClosed = true;
      for (const stream of open) stream.destroy();
      agent.destroy();
    },
  };
}

function takeAny<T>(all: T[]): T | undefined {
  const index = Math.floor(Math.random() * all.length);
  const [taken, last] = [all[index], all.pop()];
  if (index < all.length && last !== undefined) all[index] = last;
  return taken;
}
