// I7, I8. Whatever the log holds, a window fits its budget, and calls stay with their results.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodingName } from "../../src/core/encodings/encoding.ts";
import { encodings } from "../../src/core/encodings/encodings.ts";
import { type EventBody, event } from "../../src/core/events.ts";
import { evolve } from "../../src/core/evolve.ts";
import { initialState, type ThreadState } from "../../src/core/state.ts";
import { ownParts } from "../../src/core/window/difference.ts";
import { window } from "../../src/core/window/settings.ts";
import { buildWindow, type Window } from "../../src/core/window/window.ts";
import { tokenEstimator } from "../../src/models/token-estimator.ts";
import { at, log, started } from "../kit/log.ts";
import { hostileJson } from "../kit/programs.ts";
import { windowRequest } from "../kit/window-request.ts";

const { count } = tokenEstimator;
/** As a provider of a thinking model wants it back. */
const reasoning = [
  { text: "hm, ".repeat(30), providerData: { acme: { signature: "c2lnbmF0dXJl".repeat(20) } } },
];

const results = fc.oneof(
  hostileJson,
  fc.integer({ min: 0, max: 3_000 }).map((length) => "word ".repeat(length)),
);
const turns = fc.array(
  fc.array(
    fc.record({ result: results, outcome: fc.constantFrom("completed", "failed", "denied", "open") }),
    {
      minLength: 1,
      maxLength: 3,
    },
  ),
  { minLength: 1, maxLength: 25 },
);
type Turns = typeof turns extends fc.Arbitrary<infer T> ? T : never;

function windowOf(state: ThreadState, budget: number, encoding: EncodingName = "tools"): Window {
  const ways = { settings: window({ budget }), encoding: encodings[encoding], budget };
  return buildWindow(windowRequest(state, ways));
}

/** A thread in which each decision recorded the window that it was given, as the runtime would. */
function* windowsOf(history: Turns, budget: number, encoding?: EncodingName): Generator<Window> {
  const state = log(started()).reduce(evolve, initialState());
  const append = (...bodies: readonly EventBody[]): void => {
    for (const body of bodies)
      evolve(state, { ...body, seq: state.head + 1, at: at(1) } as Parameters<typeof evolve>[1]);
  };
  for (const [index, calls] of history.entries()) {
    const window = windowOf(state, budget, encoding);
    yield window;
    const ids = calls.map((_, position) => `decide_${index + 1}_${position}`);
    const decision = {
      kind: "calls" as const,
      calls: ids.map((callId) => ({ callId, tool: "t", args: { index } })),
      ...(index % 3 === 0 ? { reasoning } : {}),
    };
    const usage = { inputTokens: 1, outputTokens: 1 };
    append(
      event("decision_made", {
        key: `decide#${index + 1}`,
        attempt: 1,
        durationMs: 1,
        decision,
        model: "m",
        usage,
        window: window.record,
      }),
    );
    for (const [position, call] of calls.entries()) {
      const key = `act:t#${index}-${position}`;
      const callId = ids[position] ?? "";
      append(
        event("action_proposed", {
          key,
          callId,
          tool: "t",
          toolVersion: "1",
          args: { index },
          digest: key,
          effect: "read",
          gate: { kind: "allow" },
        }),
      );
      const ended = { key, attempt: 1, durationMs: 1 };
      if (call.outcome === "completed")
        append(event("action_completed", { ...ended, result: { value: call.result } }));
      if (call.outcome === "failed")
        append(
          event("action_failed", {
            ...ended,
            error: { code: "tool_failed", message: JSON.stringify(call.result) },
          }),
        );
      if (call.outcome === "denied") append(event("action_denied", { key, deniedBy: "gate", why: "no" }));
    }
  }
  yield windowOf(state, budget, encoding);
}

/** Its thread was shrunk in between, or a failure took the place of an equal one. */
function isCompacted(before: Window, { record }: Window): boolean {
  return (
    JSON.stringify(before.record.view) !== JSON.stringify(record.view) ||
    ownParts(record).some(({ treatment }) => treatment === "dropped")
  );
}

/** Everything that goes out, counted anew. */
function sizeOf({ messages, tools, output }: Window["input"]): number {
  const beside = [tools, output === undefined ? [] : [output]];
  const lists = messages.flatMap((message) =>
    message.role === "assistant" ? [message.calls, message.reasoning ?? []] : [],
  );
  return [...messages.map(({ content }) => content), ...texts([...beside, ...lists])].reduce(
    (total, text) => total + count(text),
    0,
  );
}

function texts(lists: readonly (readonly unknown[])[]): readonly string[] {
  return lists.filter((list) => list.length > 0).map((list) => JSON.stringify(list));
}

describe("a window", () => {
  for (const encoding of ["tools", "json", "text"] as const) {
    it(`fits its budget and counts everything that goes out, in the encoding ${encoding}`, () => {
      fc.assert(
        fc.property(turns, fc.constantFrom(500, 1_000, 4_000), (history, budget) => {
          for (const { input, record } of windowsOf(history, budget, encoding)) {
            expect(sizeOf(input)).toBeLessThanOrEqual(record.tokens);
            expect(record.tokens).toBeLessThanOrEqual(budget);
          }
        }),
        { numRuns: 100 },
      );
    });
  }

  it("keeps calls and results together and in order", () => {
    fc.assert(
      fc.property(turns, fc.constantFrom(300, 1_000, 4_000), (history, budget) => {
        for (const { input } of windowsOf(history, budget)) {
          const made = input.messages.flatMap((message) =>
            message.role === "assistant" ? message.calls.map(({ callId }) => callId) : [],
          );
          const answered = input.messages.flatMap((message) =>
            message.role === "tool" ? [message.callId] : [],
          );
          expect(answered).toEqual(made);
          expect(new Set(made).size).toBe(made.length);
          expect(input.messages.slice(0, 2).map(({ role }) => role)).toEqual(["system", "user"]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("is the same bytes for the same events, and keeps its prefix between shrinkings", () => {
    fc.assert(
      fc.property(turns, (history) => {
        const [once, again] = [[...windowsOf(history, 1_000)], [...windowsOf(history, 1_000)]];
        expect(again).toEqual(once);
        for (const [index, window] of once.entries()) {
          const before = once[index - 1];
          const isSettled = history[index - 1]?.every(({ outcome }) => outcome !== "open") ?? false;
          if (!before || isCompacted(before, window) || !isSettled) continue;
          const allSettled = history
            .slice(0, index)
            .every((calls) => calls.every(({ outcome }) => outcome !== "open"));
          if (allSettled)
            expect(window.input.messages.slice(0, before.input.messages.length)).toEqual(
              before.input.messages,
            );
        }
      }),
      { numRuns: 100 },
    );
  });
});
