// What the load of a service is made of: clients on connections of their own, in a closed loop (each sends when it was
// answered) or in an open one (requests are due at a rate, and their time counts from when they were due).
import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Of a thread of the bench's agent. */
export const approvalsOfThread = 10;
export const clients = 64;

/** What the service tells of itself. */
export interface ServiceSample {
  readonly rss: number;
  readonly heapUsed: number;
  /** Since its start. */
  readonly cpuMs: number;
  /** The longest that its event loop was late since the sample before. */
  readonly loopDelayMs: number;
}

interface Call {
  readonly path: string;
  readonly body: string;
  readonly onSend?: () => void;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Sends with a connection that is kept, and a token of its own. */
export interface Client {
  post(call: Call): Promise<Answer>;
  close(): void;
}

export function createClient(url: string, token: string): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname: host, port } = new URL(url);
  return {
    post: ({ path, body }) =>
      new Promise((resolve, reject) => {
        const headers = {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        };
        const sent = request({ host, port, path, method: "POST", agent, headers }, (response) => {
          textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
        });
        sent.once("error", reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk as string;
  return text;
}

/** What one phase measured. */
export interface Measured {
  readonly count: number;
  /** Answers per second. */
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** What is asked of a service again and again. */
export interface Work {
  /** The next call. When there is none yet, the wait for one is no time of the service's answers. */
  next(): Promise<Call>;
  /** @throws for an answer that is not as it should be. */
  check(answer: Answer): void;
}

/** Each client sends again as soon as it was answered. */
export async function closedLoop(
  all: readonly Client[],
  { next, check }: Work,
  seconds: number,
): Promise<Measured> {
  const times: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  await Promise.all(
    all.map(async (client) => {
      while (performance.now() < endsAt) {
        const call = await next();
        const sentAt = performance.now();
        call.onSend?.();
        const answer = await client.post(call);
        times.push(performance.now() - sentAt);
        check(answer);
      }
    }),
  );
  return measured(times, performance.now() - startedAt);
}

/**
 * Calls fall due evenly at `rate` a second; one that finds no free client waits, and the wait counts. Where the rate is
 * not reached, it ends all the same, and says how far it came.
 */
export async function openLoop(
  all: readonly Client[],
  { next, check }: Work,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
): Promise<Measured> {
  const times: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1_000;
  const total = Math.floor(rate * seconds);
  let count = 0;
  await Promise.all(
    all.map(async (client) => {
      for (;;) {
        const number = count++;
        if (number >= total || performance.now() > endsAt) return;
        const dueAt = startedAt + (number / rate) * 1_000;
        const askedAt = performance.now();
        const call = await next();
        const lateFrom = Math.max(dueAt, askedAt);
        const missingMs = Math.max(0, performance.now() - lateFrom); // there was nothing to send yet
        await sleepUntil(dueAt);
        call.onSend?.();
        const answer = await client.post(call);
        times.push(performance.now() - dueAt - missingMs);
        check(answer);
      }
    }),
  );
  return measured(times, performance.now() - startedAt);
}

async function sleepUntil(at: number): Promise<void> {
  const waitMs = at - performance.now();
  if (waitMs > 0) await sleep(waitMs);
}

function measured(times: number[], ms: number): Measured {
  times.sort((left, right) => left - right);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return {
    count: times.length,
    rate: (times.length / ms) * 1_000,
    p50: at(0.5),
    p99: at(0.99),
    max: times.at(-1) ?? NaN,
  };
}
