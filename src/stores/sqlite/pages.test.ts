import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { RequestQuery } from "../../ports/store.ts";
import { createPages } from "./pages.ts";
import { migrations } from "./schema.ts";

/** How SQLite finds the rows of `requests` for a query. */
function planOf(query: RequestQuery): string {
  const database = new DatabaseSync(":memory:");
  for (const { sql } of migrations) database.exec(sql);
  const prepare = database.prepare.bind(database);
  let plan = "";
  database.prepare = (sql) => {
    const steps = prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...Array(sql.split("?").length - 1).fill(null));
    plan = steps.map((step) => String(step.detail)).find((detail) => detail.includes(" r ")) ?? "";
    return prepare(sql);
  };
  createPages(database).requests(query);
  database.close();
  return plan;
}

describe("a page of requests", () => {
  it("of one thread does not go through all that are open", () => {
    expect(planOf({ threadId: "th_1", status: "open" })).toContain("requests_thread");
    expect(planOf({ requestId: "r_1", status: "open" })).toContain("requests_id");
  });

  it("of all that are open comes in the order of an index", () => {
    expect(planOf({ status: "open" })).toContain("requests_status");
  });
});
