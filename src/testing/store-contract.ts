// What every store must do, as cases for any test framework:
//   for (const { name, run } of storeCases) test(name, () => run(open));
// Each case needs a place of its own with nothing in it; `open` opens one more store there, as another process would.
import { appendCases } from "./store-contract/appends.ts";
import type { StoreCase } from "./store-contract/case.ts";
import { contentCases } from "./store-contract/contents.ts";
import { dispatchCases } from "./store-contract/dispatch.ts";
import { leaseCases } from "./store-contract/leases.ts";
import { listCases } from "./store-contract/lists.ts";
import { projectionCases } from "./store-contract/projections.ts";
import { tallyCases } from "./store-contract/tallies.ts";

export type { OpenStore, StoreCase } from "./store-contract/case.ts";
// What may lie beside the log, for stores that have it.
export { outboxCases, type StoreWithOutbox } from "./store-contract/outbox.ts";
export { type StoreWithSchedules, scheduleCases } from "./store-contract/schedules.ts";
export { type StoreWithTokens, tokenCases } from "./store-contract/tokens.ts";

export const storeCases: readonly StoreCase[] = [
  ...appendCases,
  ...leaseCases,
  ...dispatchCases,
  ...projectionCases,
  ...listCases,
  ...contentCases,
  ...tallyCases,
];
