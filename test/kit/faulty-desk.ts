// The support desk on a model that goes wrong: many threads, a person who decides by rule, a clock that needs no time.
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { supportDesk } from "../../examples/support-desk/agent.ts";
import { offlineModel } from "../../examples/support-desk/offline-model.ts";
import { sha256 } from "../../src/core/digest.ts";
import type { ThreadEvent, Verdict } from "../../src/core/events.ts";
import { closeRuntime, openEmbedded } from "../../src/embedded.ts";
import {
  type Agent,
  decideRequest,
  type Model,
  type ModelInput,
  type ModelOutput,
  type RequestRow,
  type Runtime,
  settleThreads,
  startThread,
  type ThreadRow,
  type VerifyReport,
} from "../../src/index.ts";
import {
  type FaultyCall,
  type FaultyModel,
  faultyModel,
  type ManualClock,
  manualClock,
} from "../../src/testing/index.ts";
import { mailFile, mailNumberIn, writeDeskWorld } from "./desk-mails.ts";

/** What a tool did, as the tool itself tells it. */
export interface Effect {
  readonly mail: number;
  readonly tool: string;
  readonly args: unknown;
}

/** One model call of a thread. */
export interface DeskCall {
  readonly call: FaultyCall;
  readonly input: ModelInput;
  /** What the model that does not go wrong says to this. */
  readonly gold: ModelOutput;
  /** What came of it; `null` when it failed. */
  readonly output: ModelOutput | null;
}

export interface DeskThread {
  readonly mail: number;
  readonly row: ThreadRow;
  readonly events: readonly ThreadEvent[];
  readonly openRequests: readonly RequestRow[];
  readonly calls: readonly DeskCall[];
}

export interface DeskRun {
  readonly agent: Agent;
  readonly threads: readonly DeskThread[];
  readonly model: FaultyModel;
  readonly begun: readonly Effect[];
  readonly happened: readonly Effect[];
  /** Verdicts given, by kind of request and verdict. */
  readonly verdicts: ReadonlyMap<string, number>;
  readonly problems: readonly unknown[];
  readonly verified: VerifyReport;
}

export interface DeskOptions {
  /** An empty folder. */
  readonly data: string;
  readonly threads: number;
  readonly seed: number;
  /** Of any fault, per call. */
  readonly rate: number;
}

const concurrency = 16;
/** Requests that the person leaves alone, and approvals that they refuse: of a hundred. */
const [leftPercent, refusedPercent] = [2, 8];
/** So often a person says `continue` to one thread's escalations; then they stop it. */
const patience = 2;

/** Runs the threads until each has ended or waits for a person who does not answer. */
export async function runFaultyDesk({ data, threads, seed, rate }: DeskOptions): Promise<DeskRun> {
  writeDeskWorld(data, threads);
  const clock = manualClock();
  const problems: unknown[] = [];
  const calls = new Map<number, DeskCall[]>();
  const inner = offlineModel();
  const model = faultyModel(inner, { seed, rates: rate, clock });
  const { agent, begun, happened } = ledgered(
    supportDesk({ data, inbox: join(data, "inbox"), model: watched(model, inner, calls) }),
  );
  const runtime = await openEmbedded({
    path: join(data, "holdpoint.db"),
    agents: [agent],
    clock,
    leaseMs: 1_000_000_000, // time goes by in leaps here, and nobody else wants the threads
    observe: (hint) => {
      if (hint.kind === "problem") problems.push(hint.error);
    },
  });
  try {
    const mails = new Map<string, number>();
    for (let mail = 0; mail < threads; mail++) {
      const { threadId } = await startThread(
        runtime,
        agent.name,
        { file: mailFile(mail) },
        { by: "test", key: mailFile(mail) },
      );
      mails.set(threadId, mail);
    }
    const verdicts = await runAll(runtime, clock, model, mails);
    const ended = await Promise.all(
      [...mails].map(async ([threadId, mail]) => ({
        mail,
        calls: calls.get(mail) ?? [],
        ...(await stateOf(runtime, threadId)),
      })),
    );
    return {
      agent,
      threads: ended,
      model,
      begun,
      happened,
      verdicts,
      problems,
      verified: await runtime.store.verify({}),
    };
  } finally {
    await closeRuntime(runtime);
  }
}

/** Keeps, for each call, what was asked, what came of it, and what should have. */
function watched(model: FaultyModel, inner: Model, calls: Map<number, DeskCall[]>): Model {
  return {
    id: model.id,
    async generate(input, options) {
      const mail = mailNumberIn(JSON.stringify(input.messages));
      const gold = await inner.generate(input, { signal: options.signal });
      const running = model.generate(input, options);
      const call = model.calls.at(-1); // added when the call begins
      if (!call) throw new Error("the faulty model keeps its calls");
      const made = { call, input, gold, output: null as ModelOutput | null };
      calls.set(mail, [...(calls.get(mail) ?? []), made]);
      made.output = await running;
      return made.output;
    },
  };
}

/** The same agent, whose tools tell what they do. */
function ledgered(agent: Agent): {
  readonly agent: Agent;
  readonly begun: Effect[];
  readonly happened: Effect[];
} {
  const begun: Effect[] = [];
  const happened: Effect[] = [];
  const tools = [...agent.tools.values()].map((tool) => ({
    ...tool,
    run: async (args: Parameters<typeof tool.run>[0], context: Parameters<typeof tool.run>[1]) => {
      const effect = { mail: mailOf(args), tool: tool.name, args };
      begun.push(effect);
      const result = await tool.run(args, context);
      happened.push(effect);
      return result;
    },
  }));
  return { agent: { ...agent, tools: new Map(tools.map((tool) => [tool.name, tool])) }, begun, happened };
}

/** Every argument that says whom something is for carries the mail's number. */
function mailOf(args: unknown): number {
  const text = JSON.stringify(args);
  const order = /"SO-(\d{4})"/.exec(text)?.[1];
  if (order !== undefined) return Number(order) - 2_000;
  const customer = /"C-(\d+)"/.exec(text)?.[1];
  return customer === undefined ? mailNumberIn(text) : Number(customer) - 100;
}

async function runAll(
  runtime: Runtime,
  clock: ManualClock,
  model: FaultyModel,
  mails: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, number>> {
  const verdicts = new Map<string, number>();
  const person = { granted: new Map<string, number>(), approved: new Set<string>() };
  for (;;) {
    const { threadIds, nextDueAt } = await runtime.store.due({ now: clock.now(), limit: 10_000 });
    if (threadIds.length > 0) {
      await untilSettled(clock, model, settleSome(runtime, threadIds));
      continue;
    }
    const answered = await answerRequests(runtime, mails, person, verdicts);
    if (answered > 0) continue;
    const deadline = nextDueAt === null || nextDueAt - clock.now() > 86_400_000; // of a request: nobody answers
    if (deadline) return verdicts;
    await clock.advance(nextDueAt - clock.now());
  }
}

async function settleSome(runtime: Runtime, threadIds: readonly string[]): Promise<void> {
  const queue = threadIds.values(); // shared: each takes the next
  const take = async (): Promise<void> => {
    for (const threadId of queue)
      await settleThreads(runtime, [threadId], { signal: new AbortController().signal, patienceMs: 0 });
  };
  await Promise.all(Array.from({ length: concurrency }, take));
}

/** Lets the clock go on only while a model call waits for that. */
async function untilSettled(clock: ManualClock, model: FaultyModel, settling: Promise<void>): Promise<void> {
  let settled = false;
  const done = settling.finally(() => {
    settled = true;
  });
  done.catch(() => {}); // awaited below
  while (!settled) {
    await setImmediate();
    if (model.waiting > 0) await clock.advance(5_000);
  }
  await done;
}

interface Person {
  readonly granted: Map<string, number>;
  readonly approved: Set<string>;
}

async function answerRequests(
  runtime: Runtime,
  mails: ReadonlyMap<string, number>,
  person: Person,
  verdicts: Map<string, number>,
): Promise<number> {
  let answered = 0;
  for (const request of await openRequestsOf(runtime)) {
    const verdict = verdictOn(request, mails.get(request.threadId) ?? -1, person);
    if (!verdict) continue;
    await decideRequest(runtime, request.requestId, {
      ...{ verdict, by: "dana@example.com", roles: ["support-lead"], via: "test" },
    });
    const kind = `${request.opened.reason ?? request.opened.kind} → ${verdict.kind}`;
    verdicts.set(kind, (verdicts.get(kind) ?? 0) + 1);
    answered += 1;
  }
  return answered;
}

async function openRequestsOf(runtime: Runtime, threadId?: string): Promise<readonly RequestRow[]> {
  const rows: RequestRow[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await runtime.store.requests({
      status: "open",
      limit: 1_000,
      ...(threadId === undefined ? {} : { threadId }),
      ...(cursor === undefined ? {} : { cursor }),
    });
    rows.push(...page.rows);
    cursor = page.nextCursor;
  }
  return rows;
}

/** By rule, and by the mail rather than by chance: with or without faults, the same person says the same. */
function verdictOn({ threadId, opened }: RequestRow, mail: number, person: Person): Verdict | null {
  if (opened.kind === "question")
    return percent(`question ${mail}`) < leftPercent ? null : { kind: "answer", value: "Done by hand." };
  if (opened.kind === "escalation") {
    const granted = person.granted.get(threadId) ?? 0;
    person.granted.set(threadId, granted + 1);
    return granted < patience ? { kind: "continue" } : { kind: "stop", why: "enough" };
  }
  const draw = percent(`${opened.action?.tool} ${mail}`);
  if (draw < leftPercent) return null;
  if (draw < leftPercent + refusedPercent) return { kind: "reject", why: "not this time" };
  const action = `${threadId} ${opened.action?.digest}`;
  if (person.approved.has(action)) return { kind: "reject", why: "this was approved before" };
  person.approved.add(action);
  return { kind: "approve" };
}

function percent(text: string): number {
  return Number.parseInt(sha256(text).slice(0, 8), 16) % 100;
}

async function stateOf(
  runtime: Runtime,
  threadId: string,
): Promise<Pick<DeskThread, "row" | "events" | "openRequests">> {
  const row = (await runtime.store.threads({ threadId })).rows[0];
  if (!row) throw new Error(`there is no thread ${threadId}`);
  return {
    row,
    events: await runtime.store.read(threadId),
    openRequests: await openRequestsOf(runtime, threadId),
  };
}
