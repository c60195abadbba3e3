import { describe, expect, it } from "vitest";
import { actionDone, at, log, proposed, signal, started, stepDone, waitStarted } from "../../test/kit/log.ts";
import { event, type ThreadEvent } from "./events.ts";
import { evolve } from "./evolve.ts";
import type { Flow } from "./flow.ts";
import { replay, startReplay } from "./replay.ts";
import { initialState } from "./state.ts";

const stateOf = (events: readonly ThreadEvent[]) => events.reduce(evolve, initialState());

async function pendingKeys(flow: Flow, events: readonly ThreadEvent[]): Promise<readonly string[]> {
  const rest = await replay(flow, events);
  if (rest.kind !== "pending") throw new Error(`the flow is ${rest.kind}`);
  return rest.operations.map((operation) => operation.key);
}

describe("replay", () => {
  it("gives recorded results and stops at the first operation that has none", async () => {
    const flow: Flow = async (t) => {
      const order = await t.step("load order", () => "never called");
      await t.sleep("1h");
      return order;
    };
    expect(await pendingKeys(flow, log(started()))).toEqual(["step:load order#1"]);
    expect(await pendingKeys(flow, log(started(), stepDone("step:load order#1", { id: 7 })))).toEqual([
      "sleep#1",
    ]);
    const due = event("timer_set", { key: "sleep#1", dueAt: at(9) });
    const ended = await replay(
      flow,
      log(started(), stepDone("step:load order#1", { id: 7 }), due, event("timer_fired", { key: "sleep#1" })),
    );
    expect(ended).toEqual({ kind: "finished", value: { id: 7 } });
  });

  it("performs nothing: no code of a step runs", async () => {
    let ran = 0;
    await replay(async (t) => t.step("count", () => ++ran), log(started()));
    expect(ran).toBe(0);
  });

  it("names parallel operations by kind, name and occurrence", async () => {
    const flow: Flow = async (t) =>
      Promise.all([t.step("a", () => 1), t.step("b", () => 2), t.wait("paid"), t.uuid(), t.uuid()]);
    expect(await pendingKeys(flow, log(started()))).toEqual([
      "step:a#1",
      "step:b#1",
      "wait:paid#1",
      "uuid#1",
      "uuid#2",
    ]);
  });

  it("refuses two parallel operations of one name, whose results could be swapped", async () => {
    const rest = await replay(
      async (t) => Promise.all([t.step("a", () => 1), t.step("a", () => 2)]),
      log(started()),
    );
    expect(rest).toMatchObject({ kind: "threw", error: { code: "operation_ambiguous" } });
  });

  it("tells parallel sleeps apart by their names", async () => {
    const flow: Flow = async (t) =>
      Promise.race([t.sleep("1h", { name: "soon" }), t.sleep("2h", { name: "late" })]);
    expect(await pendingKeys(flow, log(started()))).toEqual(["sleep:soon#1", "sleep:late#1"]);
  });

  it("allows one name in sequence, also while a loser of a race is still open", async () => {
    const flow: Flow = async (t) => {
      for (const turn of [1, 2]) {
        const winner = await Promise.race([t.wait("stop").then(() => "stop"), t.step("work", () => turn)]);
        if (winner === "stop") return turn;
      }
      return "done";
    };
    expect(await pendingKeys(flow, log(started(), stepDone("step:work#1", 1)))).toEqual([
      "wait:stop#1",
      "wait:stop#2",
      "step:work#2",
    ]);
  });

  it.each([
    {
      name: "the step ended first",
      first: stepDone("step:work#1", "worked"),
      second: signal("stop", 1),
      winner: "worked",
    },
    {
      name: "the signal came first",
      first: signal("stop", 1),
      second: stepDone("step:work#1", "worked"),
      winner: "stopped",
    },
  ])("lets a race end as the log has it: $name", async ({ first, second, winner }) => {
    const flow: Flow = async (t) =>
      Promise.race([t.wait("stop").then(() => "stopped"), t.step("work", () => "x")]);
    const events = log(started(), waitStarted("stop"), first, second);
    expect(await replay(flow, events)).toEqual({ kind: "finished", value: winner });
  });

  it("gives signals that came early to the waits in order", async () => {
    const flow: Flow = async (t) => [await t.wait("x"), await t.wait("x")];
    const events = log(started(), signal("x", 1), signal("x", 2), waitStarted("x", 1), waitStarted("x", 2));
    const received = (value: number) => ({ kind: "received", value, by: "test" });
    expect(await replay(flow, events)).toEqual({ kind: "finished", value: [received(1), received(2)] });
  });

  it("gives a signal also to the wait that a race left behind, so that it is not swallowed there", async () => {
    const flow: Flow = async (t) => {
      for (const turn of [1, 2]) {
        const stop = t.wait("stop").then(() => `stopped in turn ${turn}`);
        const winner = await Promise.race([stop, t.step("work", () => turn)]);
        if (typeof winner === "string") return winner;
      }
      return "never stopped";
    };
    const second = event("wait_started", { key: "wait:stop#2", signal: "stop", expiresAt: null });
    const events = log(started(), waitStarted("stop"), stepDone("step:work#1", 1), second, signal("stop", 1));
    expect(await replay(flow, events)).toEqual({ kind: "finished", value: "stopped in turn 2" });
  });

  it("keeps a signal for the next wait when the first one has expired", async () => {
    const flow: Flow = async (t) => [await t.wait("x", { expiresIn: "1s" }), await t.wait("x")];
    const events = log(
      started(),
      waitStarted("x", 1),
      event("timer_fired", { key: "wait:x#1" }),
      signal("x", 1),
      waitStarted("x", 2),
    );
    expect(await replay(flow, events)).toEqual({
      kind: "finished",
      value: [{ kind: "expired" }, { kind: "received", value: 1, by: "test" }],
    });
  });

  it("hands failures of steps to the flow as errors with a code", async () => {
    const error = { code: "step_failed", message: "no route to host" };
    const flow: Flow = async (t) => t.step("fetch", () => 1).catch((caught: unknown) => caught);
    const failed = event("step_failed", {
      key: "step:fetch#1",
      attempt: 3,
      durationMs: 1,
      error,
      retryAt: null,
    });
    expect(await replay(flow, log(started(), failed))).toMatchObject({
      kind: "finished",
      value: { code: "step_failed", message: "no route to host" },
    });
  });

  it("does not fail a step that will be tried again", async () => {
    const error = { code: "step_failed", message: "busy" };
    const failed = event("step_failed", {
      key: "step:fetch#1",
      attempt: 1,
      durationMs: 1,
      error,
      retryAt: at(9),
    });
    expect(await pendingKeys(async (t) => t.step("fetch", () => 1), log(started(), failed))).toEqual([
      "step:fetch#1",
    ]);
  });

  it("gives results of actions as data, in the order of the calls", async () => {
    const call = (tool: string) => ({ callId: tool, tool, args: { n: 1 } });
    const flow: Flow = async (t) =>
      (await t.act([call("a"), call("b")])).map((result) => [result.call.tool, result.status]);
    const events = log(
      started(),
      proposed("act:a#1", { n: 1 }),
      proposed("act:b#1", { n: 1 }),
      event("action_failed", {
        key: "act:b#1",
        attempt: 1,
        durationMs: 1,
        error: { code: "tool_failed", message: "no" },
      }),
      actionDone("act:a#1", 5),
    );
    expect(await replay(flow, events)).toEqual({
      kind: "finished",
      value: [
        ["a", "completed"],
        ["b", "failed"],
      ],
    });
  });

  it("freezes what it hands out, since the log shares it", async () => {
    const flow: Flow = async (t) => {
      const order = await t.step("load", () => ({ items: [1] }));
      order.items.push(2);
    };
    expect(await replay(flow, log(started(), stepDone("step:load#1", { items: [1] })))).toMatchObject({
      kind: "threw",
      error: { code: "flow_failed" },
    });
  });

  it("says when a flow awaits something that is no operation", async () => {
    const rest = await replay(async () => new Promise(() => {}), log(started()));
    expect(rest).toEqual({ kind: "pending", operations: [] });
  });

  it("gives the same at every prefix of a log, each time", async () => {
    const flow: Flow = async (t) => {
      const first = await t.step("a", () => 1);
      const [second, third] = await Promise.all([t.wait("x"), t.step("b", () => 2)]);
      return [first, second, third, await t.uuid()];
    };
    const events = log(
      started(),
      stepDone("step:a#1", 1),
      waitStarted("x"),
      stepDone("step:b#1", 2),
      signal("x", 3),
      stepDone("uuid#1", "u"),
    );
    for (let length = 1; length <= events.length; length++) {
      const shape = async () => {
        const rest = await replay(flow, events.slice(0, length));
        return rest.kind === "pending" ? rest.operations.map((operation) => operation.key) : rest;
      };
      expect(await shape()).toEqual(await shape());
    }
    expect(await replay(flow, events)).toMatchObject({ kind: "finished", value: [1, { value: 3 }, 2, "u"] });
  });
});

describe("a flow in memory", () => {
  it("rests where a replay of the same events rests, after each event", async () => {
    const flow: Flow = async (t) => {
      const [a, b] = await Promise.all([t.step("a", () => 1), t.step("b", () => 2)]);
      return [a, b, await t.step("c", () => 3)];
    };
    const events = log(started(), stepDone("step:b#1", 2), stepDone("step:a#1", 1), stepDone("step:c#1", 3));
    const state = stateOf(events.slice(0, 1));
    const live = startReplay(flow, state, new Map());
    for (let length = 1; length <= events.length; length++) {
      if (length > 1) evolve(state, events[length - 1] as ThreadEvent);
      const [inMemory, replayed] = [await live.advance(), await replay(flow, events.slice(0, length))];
      const keys = (rest: typeof inMemory) =>
        rest.kind === "pending" ? rest.operations.map((operation) => operation.key) : rest;
      expect(keys(inMemory)).toEqual(keys(replayed));
    }
  });

  it("finds recorded operations that the flow does not ask for, and calls that differ", async () => {
    const state = stateOf(log(started(), stepDone("step:gone#1", 1), proposed("act:pay#1", { cents: 5 })));
    const replayed = startReplay(
      async (t) => t.act([{ callId: "x", tool: "pay", args: { cents: 6 } }]),
      state,
      new Map(),
    );
    await replayed.advance();
    expect(replayed.unclaimed().map((operation) => operation.key)).toEqual(["step:gone#1"]);
    expect(replayed.mismatch()).toEqual({ key: "act:pay#1", recorded: { cents: 5 }, asked: { cents: 6 } });
  });

  it("compares a call with what was asked for, not with what validation made of it", async () => {
    const state = stateOf(log(started(), proposed("act:pay#1", { cents: 5, currency: "EUR" }, { cents: 5 })));
    const replayed = startReplay(
      async (t) => t.act([{ callId: "x", tool: "pay", args: { cents: 5 } }]),
      state,
      new Map(),
    );
    await replayed.advance();
    expect(replayed.mismatch()).toBeNull();
  });
});
