// The work as one process does it. What a role gets and gives is JSON.
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { lookTool, openLedger, payTool, sendTool } from "./bench-tools.ts";
import type { BenchTool, Outcome, Peer } from "./peer.ts";
import { type Reply, scriptedEndpoint } from "./scripted-endpoint.ts";

interface Given {
  readonly folder: string;
  readonly steps: number;
  readonly runId: string;
  readonly previous?: string;
  readonly deliveries: number;
  readonly fault: keyof typeof faults;
  readonly forEver: boolean;
  readonly maxTokens: number;
  readonly isGuarded: boolean;
}

export const roles: Readonly<Record<string, (peer: Peer, given: Given) => Promise<unknown>>> = {
  describe: async ({ title, packages, storage, durable, guard }) => ({
    title,
    packages,
    storage,
    durable,
    guard,
  }),
  steps: takeSteps,
  pause: pauseAfterSteps,
  resume: resumeOnce,
  pay: payTwelveTimes,
  approve: approveAtOnce,
  invalid: invalidOutput,
  overflow: overflowWindow,
};

const done: Reply = { text: "done" };

/** Looks so often, then ends or does the last thing. */
function lookScript(steps: number, last: Reply = done) {
  return ({ results }: { readonly results: number }): Reply => {
    if (results < steps) return { calls: [{ tool: "look", args: `{"page":${results}}` }] };
    return results === steps ? last : done;
  };
}

export interface StepsTaken {
  /** As many as were asked for, or as went into the time. */
  readonly taken: number;
  readonly msPerStep: number;
  /** Processor time of the whole process, which other work on the machine changes little. */
  readonly cpuMsPerStep: number;
  readonly bytesPerStep: number | null;
  readonly outcome: Outcome;
}

/** Past its time the model answers "done": what was taken until then counts. */
const stepsLimitMs = 45_000;

async function takeSteps(peer: Peer, { folder, steps }: Given): Promise<StepsTaken> {
  let [wanted, endsAt, taken] = [20, Number.POSITIVE_INFINITY, 0];
  const fetch = scriptedEndpoint({
    script({ results }) {
      taken = results;
      return performance.now() > endsAt ? done : lookScript(wanted)({ results });
    },
  });
  const session = await peer.open({ folder, fetch, tools: [lookTool()], maxTurns: 10 * steps });
  await session.start("warm");
  const before = storedBytes(peer, folder);
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  [wanted, endsAt] = [steps, startedAt + stepsLimitMs];
  const outcome = await session.start("measured");
  const msPerStep = (performance.now() - startedAt) / taken;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMsPerStep = (user + system) / 1_000 / taken;
  const bytes = storedBytes(peer, folder);
  await session.close();
  const bytesPerStep = bytes === null || before === null ? null : (bytes - before) / taken;
  return { taken, msPerStep, cpuMsPerStep, bytesPerStep, outcome };
}

/** The store's files after what is in the write-ahead log was moved into them. */
function storedBytes({ files }: Peer, folder: string): number | null {
  if (files.length === 0) return null;
  return files.reduce((sum, file) => {
    const path = join(folder, file);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA busy_timeout = 2000; PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    return sum + statSync(path).size;
  }, 0);
}

async function pauseAfterSteps(peer: Peer, { folder, steps, runId }: Given): Promise<Outcome> {
  const fetch = scriptedEndpoint({ script: lookScript(steps, sendOnce) });
  const tools = [lookTool(), sendTool(() => {})];
  const session = await peer.open({ folder, fetch, tools, maxTurns: 10 * steps + 100 });
  const outcome = await session.start(runId);
  await session.close();
  return outcome;
}

const sendOnce: Reply = { calls: [{ tool: "send", args: '{"to":"kim@example.com"}' }] };

/** Milliseconds from opening the store until the approved action runs; imports come before. */
async function resumeOnce(peer: Peer, { folder, steps, runId }: Given): Promise<{ ms: number } & Outcome> {
  let ranAt = Number.NaN;
  const tools = [
    lookTool(),
    sendTool(() => {
      ranAt = performance.now();
    }),
  ];
  const startedAt = performance.now();
  const fetch = scriptedEndpoint({ script: lookScript(steps, sendOnce) });
  const session = await peer.open({ folder, fetch, tools, maxTurns: 10 * steps + 100 });
  const outcome = await session.approve(runId);
  await session.close();
  return { ms: ranAt - startedAt, ...outcome };
}

export const payments = 12;

/** Recovers the run that was killed before, says so, and starts the next. */
async function payTwelveTimes(peer: Peer, { folder, runId, previous }: Given) {
  const fetch = scriptedEndpoint({
    script({ results, body }) {
      const run = /Run ([\w-]+)\./.exec(body)?.[1];
      if (results >= payments) return done;
      return { calls: [{ tool: "pay", args: JSON.stringify({ run, number: results }) }] };
    },
  });
  const session = await peer.open({ folder, fetch, tools: [payTool(openLedger(folder))], maxTurns: 100 });
  const recovered = previous === undefined ? null : await session.recover(previous);
  process.send?.({ kind: "started", recovered });
  return runId === "" ? null : session.start(runId);
}

/** Waits for the word, then delivers one approval so many times at once. */
async function approveAtOnce(peer: Peer, { folder, deliveries, runId }: Given): Promise<readonly Outcome[]> {
  const ledger = openLedger(folder);
  const tools = [lookTool(), sendTool(() => ledger.write(runId))];
  const fetch = scriptedEndpoint({ script: lookScript(2, sendOnce) });
  const session = await peer.open({ folder, fetch, tools, maxTurns: 100 });
  const word = new Promise((resolve) => process.once("message", resolve));
  process.send?.({ kind: "started", recovered: null });
  await word;
  const outcomes = await Promise.all(Array.from({ length: deliveries }, () => session.approve(runId)));
  await sleep(1_500); // what still goes on after every caller was answered counts, too
  return outcomes;
}

const faults = {
  "unknown tool": { calls: [{ tool: "lookup_now", args: '{"page":1}' }] },
  "wrong type": { calls: [{ tool: "look", args: '{"page":"one"}' }] },
  "extra field": { calls: [{ tool: "look", args: '{"page":1,"force":true}' }] },
  "cut off, as said": { calls: [{ tool: "remove", args: '{"what":"only the fi' }], cut: true },
  "cut off, unsaid": { calls: [{ tool: "remove", args: '{"what":"only the fi' }] },
} as const satisfies Readonly<Record<string, Reply>>;

export const faultNames = Object.keys(faults) as readonly (keyof typeof faults)[];

export interface InvalidOutput {
  /** Arguments that a tool ran with. */
  readonly ran: readonly unknown[];
  readonly asked: number;
  readonly outcome: Outcome;
  /** What the second prompt says of it: the newest message, and whether the invalid call stands in it. */
  readonly told: string | null;
  readonly keepsCall: boolean | null;
}

/** How long a model that never gets better is asked, before the bench gives in. */
export const patienceCalls = 100;

async function invalidOutput(peer: Peer, { folder, fault, forEver }: Given): Promise<InvalidOutput> {
  const ran: unknown[] = [];
  const fetch = scriptedEndpoint({
    keepBodies: true,
    script: ({ number }) => (number === 1 || (forEver && number < patienceCalls) ? faults[fault] : done),
  });
  const session = await peer.open({ folder, fetch, tools: [lookTool("page", ran), removeTool(ran)] });
  const outcome = await session.start("invalid");
  const second = fetch.bodies[1];
  await session.close();
  return {
    ran,
    asked: fetch.counts.asked,
    outcome,
    told: second === undefined ? null : newestMessage(second),
    keepsCall: second === undefined ? null : /"tool_calls":\s*\[\{/.test(second),
  };
}

function removeTool(ran: unknown[]): BenchTool {
  return {
    name: "remove",
    description: "Removes.",
    input: z.strictObject({ what: z.string() }),
    needsApproval: false,
    async run(args) {
      ran.push(args);
      return "removed";
    },
  };
}

function newestMessage(body: string): string {
  const { messages } = JSON.parse(body) as { readonly messages: readonly { readonly content: unknown }[] }; // a chat request
  const content = messages.at(-1)?.content;
  return (typeof content === "string" ? content : JSON.stringify(content)).slice(0, 400);
}

export interface Overflow {
  readonly outcome: Outcome;
  readonly asked: number;
  readonly refused: number;
}

async function overflowWindow(peer: Peer, { folder, maxTokens, isGuarded }: Given): Promise<Overflow> {
  const turns = 20;
  let answered = 0;
  const fetch = scriptedEndpoint({
    maxTokens,
    script: () => (answered++ < turns ? { calls: [{ tool: "look", args: `{"page":${answered}}` }] } : done),
  });
  const text = Array.from({ length: 12_500 }, (_, line) => `l${String(line).padStart(5, "0")}. `).join("");
  const guard = isGuarded ? { guardTokens: maxTokens } : {};
  const session = await peer.open({ folder, fetch, tools: [lookTool(text)], maxTurns: 60, ...guard });
  const outcome = await session.start("overflow");
  const { asked, refused } = fetch.counts;
  await session.close();
  rmSync(folder, { recursive: true, force: true });
  return { outcome, asked, refused };
}
