// A long thread for the benchmarks of the window: turns of one call with a result of half a kilobyte, four events each.
import type { ThreadState } from "../src/core/state.ts";
import { tokenEstimator } from "../src/models/token-estimator.ts";
import type { TapeTurn } from "../test/kit/tape.ts";
import { appendTurn, TapeLog } from "../test/kit/tape-log.ts";
import { type Window, type WindowSetup, windowAt } from "../test/kit/window-run.ts";

const eventsPerTurn = 4;

const offer = {
  tools: Array.from({ length: 10 }, (_, number) => ({
    name: `find_order_${number}`,
    description: "Finds an order by its number, with its items and where it is.",
    inputSchema: { type: "object", properties: { order: { type: "string" } }, required: ["order"] },
  })),
  answer: null,
};

const setup: WindowSetup = {
  system: "You answer questions about orders. Look an order up before you write about it.",
  input: "Check all orders of this week.",
  offer,
  budget: 16_000,
  count: tokenEstimator.count,
};

export function newThread(): TapeLog {
  return new TapeLog(setup.input);
}

export function buildFor(state: ThreadState): Window {
  return windowAt(state, setup);
}

/** One more decision with its result: each thread is unlike itself at every turn. */
export function takeTurn(log: TapeLog, window: Window): void {
  appendTurn(log, turnOf(log.state.decisions), window, 5_000);
}

/** Goes on to so many events, each decision with the window that was built for it. */
export function growThread(log: TapeLog, events: number): void {
  while (log.state.head + eventsPerTurn <= events) takeTurn(log, buildFor(log.state));
}

function turnOf(number: number): TapeTurn {
  const order = `A-${10_000 + number * 7}`;
  const items = Array.from({ length: 4 }, (_, item) => ({
    sku: `SKU-${((number + 1) * (item + 3) * 7_919) % 100_000}`,
    name: ["desk lamp", "floor lamp", "bulb, warm white", "cable, 2 m"][(number + item) % 4] ?? "",
    cents: 990 + ((number * 131 + item * 17) % 9_000),
  }));
  const result = { order, status: ["paid", "packed", "sent"][number % 3] ?? "", items, note: "as asked for" };
  return {
    kind: "calls",
    text: `Now order ${order}.`,
    calls: [{ tool: `find_order_${number % 10}`, args: { order }, result: JSON.stringify(result) }],
  };
}
