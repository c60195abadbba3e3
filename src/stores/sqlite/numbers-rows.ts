import type { DatabaseSync } from "node:sqlite";
import type { Fact, FactKind, ThreadNumbers } from "../../core/numbers/facts.ts";
import { allRows, firstRow } from "./rows.ts";

/** What is kept of a thread's numbers. */
export interface StoredNumbers {
  readonly ended: ThreadNumbers | null;
  readonly facts: readonly Fact[];
}

export interface NumbersRows {
  addFact(threadNum: number, fact: Fact): void;
  end(threadNum: number, numbers: ThreadNumbers): void;
  read(threadNum: number): StoredNumbers;
  /** In place of what is there. */
  replace(threadNum: number, numbers: StoredNumbers): void;
}

type EndedRow = Omit<ThreadNumbers, "accepted"> & { readonly accepted: 0 | 1 | null };

const endedColumns = `ended_at AS endedAt, outcome, accepted, wall_ms AS wallMs, waiting_ms AS waitingMs,
  active_ms AS activeMs, asked, model_calls AS modelCalls, unpriced_calls AS unpricedCalls,
  input_tokens AS inputTokens, output_tokens AS outputTokens, nano_usd AS nanoUsd`;

export function numbersRows(database: DatabaseSync): NumbersRows {
  const insertFact = database.prepare(
    "INSERT OR IGNORE INTO thread_facts (thread_num, seq, kind, at, amount) VALUES (?, ?, ?, ?, ?)",
  );
  const insertEnd =
    database.prepare(`INSERT OR IGNORE INTO thread_numbers (thread_num, ended_at, outcome, accepted,
    wall_ms, waiting_ms, active_ms, asked, model_calls, unpriced_calls, input_tokens, output_tokens, nano_usd)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const selectEnd = database.prepare(`SELECT ${endedColumns} FROM thread_numbers WHERE thread_num = ?`);
  const selectFacts = database.prepare(
    "SELECT seq, at, kind, amount FROM thread_facts WHERE thread_num = ? ORDER BY seq, kind",
  );
  const clear = ["thread_numbers", "thread_facts"].map((table) =>
    database.prepare(`DELETE FROM ${table} WHERE thread_num = ?`),
  );

  function addFact(threadNum: number, { seq, kind, at, amount }: Fact): void {
    insertFact.run(threadNum, seq, kind, at, amount);
  }

  function end(threadNum: number, numbers: ThreadNumbers): void {
    const { endedAt, outcome, accepted, wallMs, waitingMs, activeMs, asked } = numbers;
    const { modelCalls, unpricedCalls, inputTokens, outputTokens, nanoUsd } = numbers;
    const verdict = accepted === null ? null : Number(accepted);
    const times = [endedAt, outcome, verdict, wallMs, waitingMs, activeMs, asked] as const;
    insertEnd.run(threadNum, ...times, modelCalls, unpricedCalls, inputTokens, outputTokens, nanoUsd);
  }

  return {
    addFact,
    end,
    read(threadNum) {
      const ended = firstRow<EndedRow>(selectEnd, threadNum);
      const facts = allRows<{ seq: number; at: number; kind: FactKind; amount: number }>(
        selectFacts,
        threadNum,
      );
      return { ended: ended ? endedFrom(ended) : null, facts: facts.map((fact) => ({ ...fact })) };
    },
    replace(threadNum, { ended, facts }) {
      for (const statement of clear) statement.run(threadNum);
      for (const fact of facts) addFact(threadNum, fact);
      if (ended) end(threadNum, ended);
    },
  };
}

/** SQLite has no booleans. */
function endedFrom({ accepted, ...row }: EndedRow): ThreadNumbers {
  return { ...row, accepted: accepted === null ? null : accepted === 1 };
}
