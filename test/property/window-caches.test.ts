// I2. What a window keeps for the next one is a cache only: a process that has built every window of a thread, and one
// that has just read its log, build the same next one.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type EventBody, event, type ThreadEvent } from "../../src/core/events.ts";
import { evolve } from "../../src/core/evolve.ts";
import { initialState, type ThreadState } from "../../src/core/state.ts";
import { buildWindow, type Window } from "../../src/core/window/window.ts";
import { at, started } from "../kit/log.ts";
import { windowRequest } from "../kit/window-request.ts";

function windowOf(state: ThreadState, budget: number, see: string | null): Window {
  const seen = see === null ? null : { text: see, isWhole: true };
  return buildWindow(windowRequest(state, { budget, see: seen }));
}

const value = fc.oneof(
  fc.record({ orderId: fc.integer({ min: 1, max: 99 }), text: fc.nat(120).map((n) => "word ".repeat(n)) }),
  fc.nat(900).map((n) => "word ".repeat(n)),
);
const calls = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("decide" as const), calls, see: fc.nat(150) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("answer" as const), value }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      which: fc.nat(3),
      outcome: fc.constantFrom("completed", "completed", "failed", "denied"),
      effect: fc.constantFrom("read" as const, "once" as const),
      value,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("note" as const), pinned: fc.boolean(), n: fc.nat(60) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("signal" as const), value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("ask" as const), value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("code" as const), value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("summary" as const), back: fc.nat(10) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const usage = { inputTokens: 1, outputTokens: 1 };

/** Plays a thread; at each decision the window of the process that saw all of it and that of a new one are given. */
function* played(steps: readonly Step[]): Generator<readonly [warm: Window, cold: Window]> {
  const state = initialState();
  const events: ThreadEvent[] = [];
  const append = (...bodies: readonly EventBody[]): void => {
    for (const body of bodies) {
      const stored = { ...body, seq: state.head + 1, at: at(1) } as ThreadEvent; // the spread loses the union
      events.push(stored);
      evolve(state, stored);
    }
  };
  const reread = (): ThreadState =>
    (JSON.parse(JSON.stringify(events)) as ThreadEvent[]).reduce(evolve, initialState());
  append(started());
  const open: { readonly callId: string; readonly args: { readonly n: number } }[] = [];
  let built: Window | null = null;
  for (const [index, each] of steps.entries()) {
    switch (each.kind) {
      case "decide":
      case "answer": {
        const see = each.kind === "decide" && each.see > 100 ? "seen ".repeat(each.see) : null;
        const budget = index % 5 === 0 ? 520 : 700;
        const warm = windowOf(state, budget, see);
        yield [warm, windowOf(reread(), budget, see)];
        // Of decisions made side by side, the later may have been given its window before the earlier was made.
        const window = (index % 7 === 0 && built ? built : warm).record;
        built = warm;
        const made = each.kind === "decide" ? each.calls : [];
        const list = made.map((n, place) => ({ callId: `c${index}_${place}`, tool: "t", args: { n } }));
        open.push(...list);
        const decision =
          each.kind === "answer"
            ? { kind: "answer" as const, value: each.value }
            : { kind: "calls" as const, calls: list, text: `For order ${index}.` };
        const key = `decide#${index}`;
        append(
          event("decision_made", { key, attempt: 1, durationMs: 1, decision, model: "m", usage, window }),
        );
        break;
      }
      case "end": {
        const [call] = open.splice(each.which % Math.max(1, open.length), 1);
        if (!call) break;
        append(...ended(call.callId, call.args, each, `act:t#${index}`));
        break;
      }
      case "note":
        append(event("note_added", { key: `note#${index}`, pinned: each.pinned, text: `Note ${each.n}` }));
        break;
      case "signal":
        append(
          event("signal_received", { signalId: `s${index}`, signal: "paid", value: each.value, by: "x" }),
        );
        break;
      case "ask": {
        const key = `ask#${index}`;
        const requestId = `r_${index}`;
        append(
          event("request_opened", {
            key,
            requestId,
            kind: "question",
            question: "Which?",
            why: "",
            choices: ["answer"],
            expiresAt: null,
            approvers: [],
            opener: "x",
          } as never),
          event("request_decided", {
            key,
            requestId,
            verdict: { kind: "answer", value: each.value },
            by: "x",
            via: "test",
          } as never),
        );
        break;
      }
      case "code": {
        const key = `act:t#${index}`;
        append(...ended(key, { n: 1 }, { outcome: "completed", effect: "once", value: each.value }, key));
        break;
      }
      case "summary": {
        const toSeq = Math.max(1, state.head - each.back);
        const summary = each.back % 3 === 0 ? null : `All went well up to ${toSeq}.`;
        append(
          event("window_compacted", { key: "decide#1", durationMs: 1, model: "m", usage, toSeq, summary }),
        );
        break;
      }
      default:
        each satisfies never;
    }
  }
}

function ended(
  callId: string,
  args: { readonly n: number },
  { outcome, effect, value: result }: Pick<Extract<Step, { kind: "end" }>, "outcome" | "effect" | "value">,
  key: string,
): readonly EventBody[] {
  const proposal = { key, callId, tool: "t", toolVersion: "1", args, digest: `d${args.n}`, effect };
  const how = { key, attempt: 1, durationMs: 1 };
  const error = { code: "tool_failed", message: `503 from /orders/${args.n}` };
  const end = {
    completed: () => event("action_completed", { ...how, result: { value: result } }),
    failed: () => event("action_failed", { ...how, error }),
    denied: () => event("action_denied", { key, deniedBy: "gate", why: "no" }),
  };
  return [
    event("action_proposed", { ...proposal, gate: { kind: "allow" } }),
    end[outcome as keyof typeof end](),
  ];
}

describe("a window of a thread that was followed from its start", () => {
  it("is the one that its log alone gives, at every decision", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        for (const [warm, cold] of played(steps)) expect(warm).toEqual(cold);
      }),
      { numRuns: 150 },
    );
  });
});
