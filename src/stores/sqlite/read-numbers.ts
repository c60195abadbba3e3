// Rows come as arrays, and are put together here: with 10,000 threads that takes a third of what joins and groups take.
import type { DatabaseSync } from "node:sqlite";
import type { FactKind, ThreadNumbers } from "../../core/numbers/facts.ts";
import type {
  CountedAgent,
  CountedAnswer,
  CountedNumbers,
  FactCount,
  NumbersStore,
} from "../../ports/numbers-store.ts";
import type { Access } from "./access.ts";
import { columnText } from "./columns.ts";
import { createReadTotals } from "./read-totals.ts";
import { allRows } from "./rows.ts";

type AgentRow = [threadNum: number, agent: string, agentVersion: string];
type FactRow = [threadNum: number, at: number, kind: FactKind, amount: number];
type EndedRow = [
  threadNum: number,
  endedAt: number,
  outcome: ThreadNumbers["outcome"],
  accepted: 0 | 1 | null,
  wallMs: number,
  waitingMs: number,
  activeMs: number,
  asked: number,
  modelCalls: number,
  unpricedCalls: number,
  inputTokens: number,
  outputTokens: number,
  nanoUsd: number,
];

export function createNumbersStore(database: DatabaseSync, { read }: Access): NumbersStore {
  const agents = database.prepare(`SELECT thread_num, agent, agent_version FROM threads WHERE thread_num IN (
    SELECT thread_num FROM thread_numbers WHERE ended_at >= ? AND ended_at < ?
    UNION SELECT thread_num FROM thread_facts WHERE at >= ? AND at < ?) AND agent = coalesce(?, agent)`);
  const ended =
    database.prepare(`SELECT thread_num, ended_at, outcome, accepted, wall_ms, waiting_ms, active_ms, asked,
    model_calls, unpriced_calls, input_tokens, output_tokens, nano_usd
    FROM thread_numbers WHERE ended_at >= ? AND ended_at < ?`);
  const facts = database.prepare(
    "SELECT thread_num, at, kind, amount FROM thread_facts WHERE at >= ? AND at < ?",
  );
  for (const statement of [agents, ended, facts]) statement.setReturnArrays(true);
  const readTotals = createReadTotals(database);

  return {
    read: ({ from, until, agent }) =>
      read(() =>
        inSnapshot(database, () => {
          const name = agent === undefined ? null : columnText(agent);
          const byThread = agentsByThread(allRows<AgentRow>(agents, from, until, from, until, name));
          return {
            threads: allRows<EndedRow>(ended, from, until).flatMap((row) =>
              threadOf(row, byThread.get(row[0])),
            ),
            ...countFacts(allRows<FactRow>(facts, from, until), byThread),
          };
        }),
      ),
    totals: () => read(() => inSnapshot(database, readTotals)),
  };
}

function inSnapshot<T>(database: DatabaseSync, action: () => T): T {
  database.exec("BEGIN");
  try {
    return action();
  } finally {
    if (database.isTransaction) database.exec("COMMIT");
  }
}

/** Threads of one agent and version have the same object. */
function agentsByThread(rows: readonly AgentRow[]): ReadonlyMap<number, CountedAgent> {
  const known = new Map<string, CountedAgent>();
  return new Map(
    rows.map(([threadNum, agent, agentVersion]) => {
      const key = `${agent} ${agentVersion}`; // an agent has no space in its name
      const same = known.get(key) ?? { agent, agentVersion };
      known.set(key, same);
      return [threadNum, same];
    }),
  );
}

function threadOf(row: EndedRow, agent: CountedAgent | undefined): CountedNumbers["threads"] {
  if (!agent) return []; // of another agent than the one that was asked for
  const [, endedAt, outcome, accepted, wallMs, waitingMs, activeMs, asked, ...usage] = row;
  const [modelCalls, unpricedCalls, inputTokens, outputTokens, nanoUsd] = usage;
  const times = {
    endedAt,
    outcome,
    accepted: accepted === null ? null : accepted === 1,
    wallMs,
    waitingMs,
    activeMs,
  };
  return [{ ...agent, ...times, asked, modelCalls, unpricedCalls, inputTokens, outputTokens, nanoUsd }];
}

const dayMs = 86_400_000;

function countFacts(
  rows: readonly FactRow[],
  byThread: ReadonlyMap<number, CountedAgent>,
): Pick<CountedNumbers, "facts" | "answers"> {
  const counts = new Map<
    CountedAgent,
    Map<string, { -readonly [Name in keyof FactCount]: FactCount[Name] }>
  >();
  const answers: CountedAnswer[] = [];
  for (const [threadNum, at, kind, amount] of rows) {
    const agent = byThread.get(threadNum);
    if (!agent) continue;
    const day = Math.floor(at / dayMs);
    if (kind === "answered") answers.push({ ...agent, day, openMs: amount });
    const ofAgent = counts.get(agent) ?? new Map();
    counts.set(agent, ofAgent);
    const key = `${day} ${kind}`;
    const known = ofAgent.get(key);
    if (known) known.count += 1;
    else ofAgent.set(key, { ...agent, day, kind, count: 1 });
  }
  return { facts: [...counts.values()].flatMap((ofAgent) => [...ofAgent.values()]), answers };
}
