// `npm run bench:service`: `holdpoint serve` in a process of its own, with a store on disk and its worker, under the load
// of 64 clients that start threads and decide, while 1,000 clients follow threads. `--minutes 10` goes on at the open
// loop's rate for so long and samples memory; `--rate` says that rate (default: half of the closed loop's); `--profile`
// writes a CPU profile of the service to the folder for temporary files.
import { mkdirSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Row, table } from "./row.ts";
import {
  type Client,
  clients,
  closedLoop,
  createClient,
  type Measured,
  openLoop,
  type ServiceSample,
  type Work,
} from "./service-load.ts";
import { makeTokens, type ServiceProcess, startFloor, startService } from "./service-process.ts";
import { openStreams, type Streams } from "./service-streams.ts";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "0" },
    streams: { type: "string", default: "1000" },
    rate: { type: "string" },
    profile: { type: "boolean", default: false },
  },
});
const streamCount = Number(options.streams);
const targetMs = 50;
/** In seconds: how long each phase takes. */
const phases = { warm: 2, starts: 4, closed: 9, open: 12, floor: 4 } as const;

// Beside the project, not in the system's folder for temporary files, which may be memory that no fsync waits for.
const folder = join(import.meta.dirname, `.data-service-${process.pid}`);
mkdirSync(folder, { recursive: true });
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const storePath = join(folder, "service.db");
const tokens = await makeTokens(storePath, clients + 20); // a token may send 100 requests a second
const [deciders, followers] = [tokens.slice(0, clients), tokens.slice(clients)];

const profile = options.profile
  ? ["--cpu-prof", `--cpu-prof-dir=${join(tmpdir(), "holdpoint-profile")}`]
  : [];
const service = await startService(folder, storePath, profile);
const floor = await startFloor(folder);
const rows: Row[] = [];
const startLoad = loadavg();

const threads: string[] = [];
const start: Work = {
  next: async () => ({ path: "/v1/threads", body: '{"agent":"sender","input":{"to":"sam@example.com"}}' }),
  check({ status, text }) {
    if (status !== 201) throw new Error(`a start was answered ${status}: ${text}`);
    threads.push(JSON.parse(text).threadId);
  },
};
const bare: Work = {
  next: async () => ({ path: "/", body: JSON.stringify({ text: "x".repeat(300) }) }),
  check({ status }) {
    if (status !== 200) throw new Error(`the floor answered ${status}`);
  },
};

say("warming up …");
await withClients(service.url, (all) => closedLoop(all, start, phases.warm));
await withClients(floor.url, (all) => closedLoop(all, bare, 1));
await caughtUp();
say("thread starts …");
const floorStarts = await withClients(floor.url, (all) => closedLoop(all, bare, phases.floor));
const startsFrom = performance.now();
const startsBefore = threads.length;
const starts = await withClients(service.url, (all) => closedLoop(all, start, phases.starts));
await caughtUp();
const ranRate = ((threads.length - startsBefore) / (performance.now() - startsFrom)) * 1_000;
rows.push(rate("thread starts, durable, closed loop", starts, floorStarts));
rows.push(...times("its answers", starts, floorStarts, null));
rows.push(rate("threads started and run until they ask", { ...starts, rate: ranRate }, floorStarts));

say(`opening ${streamCount} streams …`);
const spare = createClient(service.url, deciders[0] ?? "");
const nextThread = async (): Promise<string> => {
  const known = threads.shift();
  if (known !== undefined) return known;
  start.check(await spare.post(await start.next()));
  return nextThread();
};
const streams = await openStreams({ url: service.url, count: streamCount, tokens: followers, nextThread });
const decide: Work = {
  async next() {
    const requestId = await streams.nextRequest();
    const path = `/v1/requests/${requestId}/verdict`;
    return { path, body: '{"verdict":{"kind":"approve"}}', onSend: () => streams.sent(requestId) };
  },
  check({ status, text }) {
    if (status !== 200 || !text.includes('"first":true'))
      throw new Error(`a verdict was answered ${status}: ${text}`);
  },
};

say("verdicts, closed loop …");
await withClients(service.url, (all) => closedLoop(all, decide, 2));
streams.takeLags();
const before = await service.sample();
const closed = await withClients(service.url, (all) => closedLoop(all, decide, phases.closed));
const after = await service.sample();
rows.push({
  what: "clients that follow threads meanwhile",
  value: streams.held(),
  unit: "clients",
  target: "1,000",
  reached: streams.held() >= streamCount - clients, // those between two threads
});
rows.push(rate("verdicts, each with its action, closed loop", closed, floorStarts));
rows.push(...times("its answers", closed, floorStarts, null));
rows.push(
  plain("(apart: processor time of the service for each)", (after.cpuMs - before.cpuMs) / closed.count),
);
streams.takeLags();

const half = Number(options.rate ?? Math.round(closed.rate / 2));
while (streams.stock() < 0.95 * streamCount) await sleep(50); // the worker is behind after the closed loop
say(`verdicts at ${half} a second …`);
await service.sample(); // what was late before is not of this phase
const ownDelay = monitorEventLoopDelay({ resolution: 5 });
ownDelay.enable();
const open = await withClients(service.url, (all) =>
  openLoop(all, decide, { rate: half, seconds: phases.open }),
);
const lags = [...streams.takeLags()].sort((left, right) => left - right);
const sample = await service.sample();
ownDelay.disable();
const floorOpen = await floorWithStreams(half);
rows.push(...times(`a verdict at ${half} a second, open loop`, open, floorOpen, targetMs));
rows.push(
  plain("(apart: from there to its event at the follower, p50)", lags[Math.floor(lags.length / 2)] ?? NaN),
);
rows.push(plain("(apart: the same, p99)", lags[Math.floor(lags.length * 0.99)] ?? NaN));
rows.push(plain("(apart: the longest that the service's event loop was late)", sample.loopDelayMs));
rows.push(plain("(apart: the longest that the load's own was late)", ownDelay.max / 1e6));
if (Number(options.minutes) > 0) rows.push(...(await holdOn(service, streams, half)));

process.stdout.write(
  `Node ${process.version}, SQLite ${process.versions.sqlite}, ${cpus().length} × ${cpus()[0]?.model}, synchronous=FULL, load before ${startLoad[0]?.toFixed(1)}\n\n${table(rows)}\n`,
);
streams.close();
spare.close();
await Promise.all([service.stop(), floor.stop()]);
process.exitCode = rows.every((row) => row.reached) ? 0 : 1;

async function withClients<T>(url: string, use: (all: readonly Client[]) => Promise<T>): Promise<T> {
  const all = deciders.map((token) => createClient(url, token));
  try {
    return await use(all);
  } finally {
    for (const client of all) client.close();
  }
}

/** Waits until the worker has run what was started: each thread then waits for its first approval. */
async function caughtUp(): Promise<void> {
  const headers = { authorization: `Bearer ${deciders[0]}` };
  for (;;) {
    const text = await (await fetch(`${service.url}/metrics`, { headers })).text();
    const [, open] = /^holdpoint_requests\{status="open"\} (\d+)$/m.exec(text) ?? [];
    if (Number(open) === threads.length) return;
    await sleep(100);
  }
}

/** The floor at the same rate, with as many connections that are held open. */
async function floorWithStreams(perSecond: number): Promise<Measured> {
  const idle = new AbortController();
  const held = Array.from({ length: streamCount }, () => fetch(floor.url, { signal: idle.signal }));
  await Promise.all(held);
  const measured = await withClients(floor.url, (all) =>
    openLoop(all, bare, { rate: perSecond, seconds: phases.floor }),
  );
  idle.abort();
  return measured;
}

/** Goes on, and samples memory once a second. The first minute warms up. */
async function holdOn(
  running: ServiceProcess,
  following: Streams,
  perSecond: number,
): Promise<readonly Row[]> {
  const minutes = Number(options.minutes);
  const samples: ServiceSample[] = [];
  const p99s: number[] = [];
  let begun: ServiceSample | undefined;
  for (let minute = 0; minute < minutes + 1; minute++) {
    const sampling = setInterval(() => void running.sample().then((one) => samples.push(one)), 1_000);
    const measured = await withClients(running.url, (all) =>
      openLoop(all, decide, { rate: perSecond, seconds: 60 }),
    );
    clearInterval(sampling);
    following.takeLags();
    const [p50, p99] = [measured.p50.toFixed(1), measured.p99.toFixed(1)];
    const rss = megabytes(samples.slice(-60), "rss").toFixed(0);
    const load = loadavg()[0]?.toFixed(1);
    say(
      `minute ${minute}: ${measured.rate.toFixed(0)}/s, p50 ${p50} ms, p99 ${p99} ms, ${rss} MB, machine's load ${load}`,
    );
    if (minute > 0) p99s.push(measured.p99);
    else {
      samples.length = 0;
      begun = await running.sample("collect");
    }
  }
  const ended = await running.sample("collect");
  const [first, last] = [samples.slice(0, 60), samples.slice(-60)];
  return [
    memory("memory of the process, last minute beside the first", first, last, "rss"),
    memory("memory of the heap, likewise", first, last, "heapUsed"),
    memory(
      "its heap after a collection, at the end beside the beginning",
      [begun ?? ended],
      [ended],
      "heapUsed",
    ),
    {
      ...plain(`p99 of the worst of ${minutes} minutes`, Math.max(...p99s)),
      target: `≤ ${targetMs} ms`,
      reached: Math.max(...p99s) <= targetMs,
    },
  ];
}

function memory(
  what: string,
  first: readonly ServiceSample[],
  last: readonly ServiceSample[],
  member: "rss" | "heapUsed",
): Row {
  const [value, before] = [megabytes(last, member), megabytes(first, member)];
  return { what, value, floor: before, unit: "MB", target: "≤ 1.2 ×", reached: value <= 1.2 * before };
}

function megabytes(samples: readonly ServiceSample[], member: "rss" | "heapUsed"): number {
  return samples.reduce((sum, one) => sum + one[member], 0) / samples.length / 1e6;
}

function rate(what: string, ours: Measured, bare: Measured): Row {
  return { what, value: ours.rate, floor: bare.rate, unit: "per second", target: "none", reached: true };
}

function times(what: string, ours: Measured, bare: Measured, limitMs: number | null): readonly Row[] {
  const target = limitMs === null ? "none" : `≤ ${limitMs} ms`;
  return [
    { what: `${what}, p50`, value: ours.p50, floor: bare.p50, unit: "ms", target: "none", reached: true },
    {
      what: `${what}, p99`,
      value: ours.p99,
      floor: bare.p99,
      unit: "ms",
      target,
      reached: ours.p99 <= (limitMs ?? Infinity),
    },
  ];
}

function plain(what: string, value: number): Row {
  return { what, value, unit: "ms", target: "none", reached: true };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
