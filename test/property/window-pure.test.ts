// I2, I8. A window follows from its log alone, in whatever order windows are asked for: with events that are shared
// between a thread's state and an earlier one, and for every call the log gives back the input that was built.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EncodingName } from "../../src/core/encodings/encoding.ts";
import { encodings } from "../../src/core/encodings/encodings.ts";
import { type EventBody, event, type ThreadEvent } from "../../src/core/events.ts";
import { evolve } from "../../src/core/evolve.ts";
import { initialState, type ThreadState } from "../../src/core/state.ts";
import { exactInput } from "../../src/core/window/exact-input.ts";
import { window } from "../../src/core/window/settings.ts";
import { buildWindow, type Window } from "../../src/core/window/window.ts";
import { at, started } from "../kit/log.ts";
import { windowRequest } from "../kit/window-request.ts";

interface Ways {
  readonly encoding: EncodingName;
  readonly rendering: "chat" | "events";
  readonly budget: number;
}

const settings = { chat: window({ rendering: "chat" }), events: window({ rendering: "events" }) };

function windowOf(state: ThreadState, { encoding, rendering, budget }: Ways): Window {
  const ways = { settings: settings[rendering], encoding: encodings[encoding], budget };
  return buildWindow(windowRequest(state, ways));
}

const value = fc.oneof(
  fc.record({ orderId: fc.integer({ min: 1, max: 99 }), text: fc.nat(120).map((n) => "word ".repeat(n)) }),
  fc.nat(900).map((n) => "word ".repeat(n)),
);
const step = fc.record({
  kind: fc.constantFrom("decide", "decide", "decide", "end", "end", "end", "end", "note", "pin", "signal"),
  calls: fc.integer({ min: 1, max: 2 }),
  which: fc.nat(3),
  outcome: fc.constantFrom("completed", "completed", "failed", "failed", "denied"),
  value,
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const ways: fc.Arbitrary<Ways> = fc.record({
  encoding: fc.constantFrom("tools", "json", "text"),
  rendering: fc.constantFrom("chat", "events"),
  budget: fc.constantFrom(700, 1_500),
});

interface Built {
  /** The state was made of that many events. */
  readonly head: number;
  readonly window: Window;
}

/** A thread of these steps, and its windows as they were built while it grew. */
function grown(
  steps: readonly Step[],
  how: Ways,
): { events: readonly ThreadEvent[]; built: readonly Built[] } {
  const state = initialState();
  const events: ThreadEvent[] = [];
  const built: Built[] = [];
  const open: string[] = [];
  const append = (...bodies: readonly EventBody[]): void => {
    for (const body of bodies) {
      const stored = { ...body, seq: state.head + 1, at: at(1) } as ThreadEvent; // the spread loses the union
      events.push(stored);
      evolve(state, stored);
    }
  };
  append(started());
  for (const [index, each] of steps.entries()) {
    if (each.kind === "decide") {
      const window = windowOf(state, how);
      built.push({ head: state.head, window });
      const calls = Array.from({ length: each.calls }, (_, n) => ({
        callId: `c${index}_${n}`,
        tool: "t",
        args: { n: each.which },
      }));
      open.push(...calls.map(({ callId }) => callId));
      append(decided(index, { kind: "calls", calls, text: `For order ${index}.` }, window));
    } else if (each.kind === "end") {
      const [callId] = open.splice(each.which % Math.max(1, open.length), 1);
      if (callId !== undefined) append(...ended(callId, each));
    } else if (each.kind === "signal") {
      append(event("signal_received", { signalId: `s${index}`, signal: "paid", value: each.value, by: "x" }));
    } else {
      const text = `Note ${index} of ${each.which}`;
      append(event("note_added", { key: `note#${index}`, pinned: each.kind === "pin", text }));
    }
  }
  return { events, built };
}

function decided(
  index: number,
  decision: Extract<EventBody, { type: "decision_made" }>["decision"],
  { record }: Window,
): EventBody {
  const usage = { inputTokens: 1, outputTokens: 1 };
  const key = `decide#${index}`;
  return event("decision_made", {
    key,
    attempt: 1,
    durationMs: 1,
    decision,
    model: "m",
    usage,
    window: record,
  });
}

function ended(callId: string, { outcome, which, value: result }: Step): readonly EventBody[] {
  const key = `act:t#${callId}`;
  const how = { key, attempt: 1, durationMs: 1 };
  const error = { code: "tool_failed" as const, message: `503 from /orders/${which}` };
  const proposal = { key, callId, tool: "t", toolVersion: "1", args: { n: which }, digest: `d${which}` };
  const end =
    outcome === "completed"
      ? event("action_completed", { ...how, result: { value: result } })
      : outcome === "failed"
        ? event("action_failed", { ...how, error })
        : event("action_denied", { key, deniedBy: "gate", why: "no" });
  return [event("action_proposed", { ...proposal, effect: "read", gate: { kind: "allow" } }), end];
}

const threads = fc.tuple(fc.array(step, { minLength: 5, maxLength: 40 }), ways);

describe("the window of a thread as it was at any step", () => {
  it("is the one that was built then, whatever has been built since from the same events", () => {
    fc.assert(
      fc.property(threads, ([steps, how]) => {
        const { events, built } = grown(steps, how);
        for (const { head, window: then } of built.toReversed())
          expect(windowOf(events.slice(0, head).reduce(evolve, initialState()), how)).toEqual(then);
      }),
      { numRuns: 100 },
    );
  });

  it("is given back by the log, byte for byte", async () => {
    await fc.assert(
      fc.asyncProperty(threads, async ([steps, how]) => {
        const { events, built } = grown(steps, how);
        const texts = new Map(
          built.flatMap(({ window: { texts } }) => texts.map((each) => [each.digest, each.text])),
        );
        for (const { head, window: then } of built) {
          const given = await exactInput(events, head + 1, async (digest) => texts.get(digest) ?? "");
          expect(JSON.stringify(given.input)).toBe(JSON.stringify(then.input));
        }
      }),
      { numRuns: 60 },
    );
  });
});
