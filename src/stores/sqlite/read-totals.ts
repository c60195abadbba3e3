// All-time sums by agent, made by SQLite: rows of each thread would take ten times as long to hand over.
import type { DatabaseSync } from "node:sqlite";
import type { FactKind } from "../../core/numbers/facts.ts";
import {
  type AgentTotals,
  type EndedTotals,
  type TimeName,
  type TimeTotals,
  timeBounds,
} from "../../core/numbers/totals.ts";
import { allRows } from "./rows.ts";

/** The agent, and sums in the order of a statement's columns. */
type SumsRow = readonly [agent: string, ...sums: readonly number[]];

interface Open {
  readonly count: number;
  readonly oldestAt: string;
}

/** Reads them; to be run in a transaction that sees one state. */
export function createReadTotals(database: DatabaseSync): () => readonly AgentTotals[] {
  // `total` gives floating point, so that no sum is too large for a number.
  const ended = database.prepare(`SELECT agent, sum(outcome = 'completed'), sum(outcome = 'failed'),
    sum(outcome = 'cancelled'), sum(outcome = 'completed' AND accepted IS 0), total(model_calls),
    total(unpriced_calls), total(thread_numbers.input_tokens), total(thread_numbers.output_tokens), total(nano_usd) / 1e9,
    ${timeColumns("active_ms", "activeMs")}, ${timeColumns("wall_ms", "wallMs")}, ${timeColumns("waiting_ms", "waitingMs")}
    FROM thread_numbers JOIN threads USING (thread_num) GROUP BY agent`);
  const facts = database.prepare(`SELECT agent, kind, count(*)
    FROM thread_facts JOIN threads USING (thread_num) GROUP BY agent, kind`);
  const answers = database.prepare(`SELECT agent, ${timeColumns("amount", "answerMs")}
    FROM thread_facts JOIN threads USING (thread_num) WHERE kind = 'answered' GROUP BY agent`);
  const open = database.prepare(`SELECT agent, count(*), min(opened_at)
    FROM requests JOIN threads USING (thread_num) WHERE requests.status = 'open' GROUP BY agent`);
  for (const statement of [ended, facts, answers, open]) statement.setReturnArrays(true);

  return () => {
    const byAgent = new Map<string, Partial<Draft>>();
    const of = (agent: string): Partial<Draft> => {
      const draft = byAgent.get(agent) ?? {};
      byAgent.set(agent, draft);
      return draft;
    };
    for (const [agent, ...sums] of allRows<SumsRow>(ended)) of(agent).ended = sums;
    for (const [agent, ...sums] of allRows<SumsRow>(answers)) of(agent).answers = sums;
    for (const [agent, kind, count] of allRows<[string, FactKind, number]>(facts))
      of(agent).facts = new Map([...(of(agent).facts ?? []), [kind, count]]);
    for (const [agent, count, oldestAt] of allRows<[string, number, string]>(open))
      of(agent).open = { count, oldestAt };
    return [...byAgent].map(([agent, draft]) => totalsOf(agent, draft));
  };
}

interface Draft {
  ended: readonly number[];
  answers: readonly number[];
  facts: ReadonlyMap<FactKind, number>;
  open: Open;
}

/** As many columns as there are bounds, then the number of values and their sum. */
function timeColumns(column: string, name: TimeName): string {
  const counts = timeBounds[name].map((bound) => `sum(${column} <= ${bound})`);
  return [...counts, "count(*)", `total(${column})`].join(", ");
}

function timesFrom(sums: readonly number[], name: TimeName): TimeTotals {
  const { length } = timeBounds[name];
  return { counts: sums.slice(0, length), count: sums[length] ?? 0, sumMs: sums[length + 1] ?? 0 };
}

function totalsOf(agent: string, { ended, answers, facts, open }: Partial<Draft>): AgentTotals {
  const times = new Map<TimeName, TimeTotals>();
  let next = endedNames.length;
  for (const name of ["activeMs", "wallMs", "waitingMs"] as const) {
    if (ended) times.set(name, timesFrom(ended.slice(next), name));
    next += timeBounds[name].length + 2;
  }
  if (answers) times.set("answerMs", timesFrom(answers, "answerMs"));
  return {
    agent,
    ended: ended ? endedFrom(ended) : null,
    facts: facts ?? new Map(),
    times,
    openRequests: open?.count ?? 0,
    oldestOpenAt: open?.oldestAt ?? null,
  };
}

/** In the order of the columns. */
const endedNames = [
  "completed",
  "failed",
  "cancelled",
  "notAccepted",
  "modelCalls",
  "unpricedCalls",
  "inputTokens",
  "outputTokens",
  "usd",
] as const satisfies readonly (keyof EndedTotals)[];

function endedFrom(sums: readonly number[]): EndedTotals {
  const named = endedNames.map((name, index) => [name, sums[index] ?? 0]);
  return Object.fromEntries(named) as EndedTotals; // it has each of its names
}
