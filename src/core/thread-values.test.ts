import { describe, expect, it } from "vitest";
import { artifactRefOf, refOf } from "./artifact-ref.ts";
import { isHoldpointError } from "./errors.ts";
import { type EventBody, event, type Stored, type ThreadEvent } from "./events.ts";
import { evolve } from "./evolve.ts";
import type { Flow } from "./flow.ts";
import type { Json } from "./json.ts";
import { replay, startReplay } from "./replay.ts";
import { initialState, type ThreadState } from "./state.ts";
import { findValue, valueByRef } from "./thread-values.ts";

const at = "2026-01-01T00:00:00.000Z";
const big = (name: string): Json => ({ name, body: name.repeat(1_000) });
const ref = (value: Json): string => refOf({ value }) ?? "none";

function log(...bodies: readonly EventBody[]): readonly ThreadEvent[] {
  return bodies.map((body, index) => ({ ...body, seq: index + 1, at }) as ThreadEvent);
}

function started(input: Stored): EventBody {
  return event("thread_started", { threadId: "th_1", agent: "a", agentVersion: "1", input, by: "test" });
}

function step(name: string, value: Json): EventBody {
  return event("step_completed", { key: `step:${name}#1`, attempt: 1, durationMs: 0, result: { value } });
}

const withNothing = new Map<string, string>();
const fold = (events: readonly ThreadEvent[]): ThreadState => events.reduce(evolve, initialState());

describe("a value by its reference", () => {
  const text = JSON.stringify(big("stored"));
  const artifact = artifactRefOf(big("stored"), text, text.length);
  const proposed = event("action_proposed", {
    ...{ key: "act:find#1", callId: "c1", tool: "find", toolVersion: "1", args: {}, digest: "d" },
    ...{ effect: "read" as const, gate: { kind: "allow" as const } },
  });
  const events = log(
    started({ value: big("input") }),
    step("load", big("step")),
    proposed,
    event("action_completed", { key: "act:find#1", attempt: 1, durationMs: 0, result: { artifact } }),
    event("signal_received", { signalId: "s1", signal: "paid", value: big("signal"), by: "test" }),
    event("child_started", {
      key: "call:other#1",
      childId: "th_2",
      agent: "other",
      input: { value: big("to child") },
    }),
    event("child_completed", {
      key: "call:other#1",
      childId: "th_2",
      outcome: { status: "completed", value: big("child") },
    }),
    event("request_opened", {
      ...{
        requestId: "r_1",
        key: "ask#1",
        kind: "question" as const,
        question: "?",
        choices: ["answer" as const],
      },
      ...{ approvers: [], expiresAt: null, why: "the flow asks" },
    }),
    event("request_decided", {
      requestId: "r_1",
      key: "ask#1",
      verdict: { kind: "answer", value: big("answer") },
      by: "dana@example.com",
      via: "test",
    }),
  );

  it.each(["input", "step", "stored", "signal", "to child", "child", "answer"])("is found: %s", (name) => {
    const artifacts = new Map([[artifact.digest, text]]);
    expect(valueByRef(fold(events), artifacts, ref(big(name)))).toEqual(big(name));
  });

  it("is found as soon as its event is there, and not before", () => {
    const state = fold(events.slice(0, 4));
    expect(() => findValue(state, ref(big("signal")))).toThrow(
      expect.objectContaining({ code: "artifact_missing" }),
    );
    for (const next of events.slice(4)) evolve(state, next);
    expect(findValue(state, ref(big("signal")))).toMatchObject({ seq: 5, from: "signal:paid" });
    expect(() => findValue(state, ref(big("signal")), 4)).toThrow(
      expect.objectContaining({ code: "artifact_missing" }),
    );
  });

  it("is not found in another thread, which names what it has", () => {
    const other = fold(log(started({ value: big("other") })));
    expect(() => findValue(other, ref(big("step")))).toThrow(
      expect.objectContaining({ code: "artifact_missing", fix: `There are: ${ref(big("other"))} (input).` }),
    );
    const none = fold(log(started({ value: "short" })));
    expect(() => findValue(none, `art_\u001b[2J${"x".repeat(500)}`)).toThrow(
      expect.objectContaining({
        message: expect.not.stringContaining("\u001b"),
        fix: expect.stringMatching(/^No value/),
      }),
    );
  });

  it("names ten references at most, the newest", () => {
    const many = Array.from({ length: 30 }, (_, index) => step(`s${index}`, big(`v${index}`)));
    const state = fold(log(started({ value: null }), ...many));
    try {
      findValue(state, "art_0");
      expect.unreachable();
    } catch (error) {
      const fix = isHoldpointError(error) ? (error.fix ?? "") : "";
      expect(fix.match(/art_/g)).toHaveLength(10);
      expect(fix).toContain(ref(big("v29")));
    }
  });
});

describe("t.artifact", () => {
  const wanted = ref(big("second"));
  const flow: Flow = async (t) => {
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      const found = await t.artifact(wanted).then(
        () => "found",
        (error) => (isHoldpointError(error) ? error.code : "?"),
      );
      seen.push(found);
    };
    await look();
    await t.step("first", () => null);
    await look();
    await t.step("second", () => null);
    await look();
    return seen;
  };
  const events = log(started({ value: null }), step("first", big("first")), step("second", big("second")));
  const told = ["artifact_missing", "artifact_missing", "found"];

  it("finds on a replay what it found at first, whatever came later", async () => {
    expect(await replay(flow, events)).toEqual({ kind: "finished", value: told });
    const state = fold(events.slice(0, 1));
    const live = startReplay(flow, state, withNothing);
    for (const next of events.slice(1)) {
      await live.advance();
      evolve(state, next);
    }
    expect(await live.advance()).toEqual({ kind: "finished", value: told });
  });

  it("gives the input to a flow from its start, frozen", async () => {
    const input = big("input");
    const rest = await replay(
      async (t) => Object.isFrozen(await t.artifact(ref(input))),
      log(started({ value: input })),
    );
    expect(rest).toEqual({ kind: "finished", value: true });
  });

  it("ends no process when nobody waits for a look-up that fails", async () => {
    const careless: Flow = async (t) => {
      void t.artifact("art_0000000000000000");
      return "done";
    };
    expect(await replay(careless, log(started({ value: null })))).toEqual({
      kind: "finished",
      value: "done",
    });
  });
});
