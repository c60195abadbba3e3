// Statements use plain `?` only: Node 22.18 takes `?1` for a named parameter.
import type { SQLInputValue, StatementSync } from "node:sqlite";

/** All rows of a statement. Its text is ours and the tables are STRICT, so the columns have the types that it names. */
export function allRows<Row>(statement: StatementSync, ...values: SQLInputValue[]): Row[] {
  return statement.all(...values) as Row[];
}

/** The first row, if there is one; typed as in `allRows`. */
export function firstRow<Row>(statement: StatementSync, ...values: SQLInputValue[]): Row | undefined {
  return statement.get(...values) as Row | undefined;
}
