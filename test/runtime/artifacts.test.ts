// Large values by reference, with a real store: the model reads them with read_artifact, code with t.artifact and the
// context of a tool, and a restart in between changes nothing.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Agent, agent } from "../../src/core/agent.ts";
import { refOf, renderReference } from "../../src/core/artifact-ref.ts";
import type { EncodingName } from "../../src/core/encodings/encoding.ts";
import { isHoldpointError } from "../../src/core/errors.ts";
import type { EventOf } from "../../src/core/events.ts";
import type { ActionResult, Flow } from "../../src/core/flow.ts";
import { gate } from "../../src/core/gate.ts";
import type { Json } from "../../src/core/json.ts";
import { type Tool, tool } from "../../src/core/tool.ts";
import type { Store } from "../../src/ports/store.ts";
import { toolNamed, toolsOf } from "../../src/runtime/built-in-tools.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { readArtifact } from "../../src/runtime/read-artifact.ts";
import { settleThreads } from "../../src/runtime/worker.ts";
import { pruneSqliteStore } from "../../src/stores/sqlite/prune.ts";
import { type ScriptedTurn, scriptedModel } from "../../src/testing/scripted-model.ts";
import { runtimesOfEachTest, type TestRuntime } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

const orders = Array.from({ length: 2_000 }, (_, id) => ({ id, customer: `customer ${id}`, total: id * 10 }));
const ref = refOf({ value: orders }) ?? "";

const findOrders = tool({
  name: "find_orders",
  description: "Finds orders.",
  input: z.object({}),
  risk: "low",
  effect: "read",
  run: () => orders,
});

async function start(opened: TestRuntime, input: Json = null): Promise<string> {
  const { threadId } = await startThread(opened.runtime, "reader", input, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

async function output(opened: TestRuntime, threadId: string): Promise<Json | undefined> {
  const end = (await opened.events(threadId)).at(-1);
  if (end?.type !== "thread_completed") throw new Error(`it ended with ${JSON.stringify(end)}`);
  return end.output.value;
}

async function results(opened: TestRuntime, threadId: string, name: string): Promise<readonly Json[]> {
  const done = (await opened.events(threadId)).filter((event) => event.type === "action_completed");
  return done
    .filter((event) => event.key.startsWith(`act:${name}#`))
    .map((event) => event.result.value ?? null);
}

/** Actions made by code, one after the other. */
function acting(tools: readonly Tool[], ...calls: readonly (readonly [tool: string, args: Json])[]): Agent {
  const flow: Flow = async (t) => {
    const all: ActionResult[] = [];
    for (const [index, [name, args]] of calls.entries())
      all.push(...(await t.act([{ callId: `c${index}`, tool: name, args }])));
    return all.slice(1);
  };
  return agent({ name: "reader", tools, flow });
}

describe("a model", () => {
  const reads: readonly Json[] = [
    { ref, path: "$[-1].customer" },
    { ref, search: "customer 77" },
    { ref, from: 1_990, limit: 5 },
  ];

  it("reads a large result by path, search and range, over restarts, and answers", async () => {
    const script: readonly ScriptedTurn[] = [
      { calls: [{ tool: "find_orders", args: {} }] },
      ...reads.map((args) => ({ calls: [{ tool: "read_artifact", args }] })),
      "the last one is customer 1999",
    ];
    const model = scriptedModel(script);
    const reader = agent({
      name: "reader",
      model,
      prompt: "Read.",
      tools: [findOrders, readArtifact()],
      flow: async (t) => {
        for (;;) {
          const next = await t.decide();
          if (next.kind === "answer") return next.value;
          await t.act(next.calls);
          await t.sleep("1h"); // parks, so that the next turn is another process's
        }
      },
    });
    let opened = await openRuntime({ agents: [reader] });
    const threadId = await start(opened);
    while ((await opened.types(threadId)).at(-1) !== "thread_completed") {
      await opened.close();
      opened = await openRuntime({ agents: [reader] });
      await opened.clock.advance(3_600_000);
      await opened.settle(threadId);
    }
    expect(await output(opened, threadId)).toBe("the last one is customer 1999");
    expect(await results(opened, threadId, "read_artifact")).toMatchObject([
      { kind: expect.stringMatching(/^text/), text: "customer 1999" },
      {
        of: 11,
        matches: [
          { path: "$[77].customer" },
          { path: "$[770].customer" },
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          {},
        ],
      },
      { from: 1_990, to: 1_995, items: orders.slice(1_990, 1_995), next: { from: 1_995 } },
    ]);
    expect(model.callCount).toBe(5);
    expect((await opened.runtime.store.verify({})).problems).toEqual([]);
  });

  it.each<EncodingName>(["tools", "json", "text"])("calls it in the encoding %s", async (encoding) => {
    const call = (name: string, args: Json): ScriptedTurn =>
      encoding === "tools" ? { calls: [{ tool: name, args }] } : intent(name, args);
    const last = encoding === "tools" ? "done" : intent("answer", "done");
    const script = [call("find_orders", {}), call("read_artifact", { ref, path: "$[3].total" }), last];
    const model = scriptedModel(script);
    const reader = agent({
      name: "reader",
      model,
      prompt: "Read.",
      tools: [findOrders, readArtifact()],
      encoding,
    });
    const opened = await openRuntime({ agents: [reader] });
    const threadId = await start(opened);
    expect(await results(opened, threadId, "read_artifact")).toEqual([{ kind: "number", value: 30 }]);
    expect(await output(opened, threadId)).toBe("done");
  });

  it("is refused when it was not offered", async () => {
    const model = scriptedModel([{ calls: [{ tool: "read_artifact", args: { ref } }] }, "done"]);
    const reader = agent({ name: "reader", model, prompt: "Read.", tools: [findOrders] });
    const opened = await openRuntime({ agents: [reader] });
    const threadId = await start(opened);
    const rejected = (await opened.events(threadId)).find((event) => event.type === "decision_rejected");
    expect(rejected?.error.message).toContain('"read_artifact" is not offered now');
  });
});

describe("read_artifact", () => {
  it("is there for every agent, without being declared", async () => {
    const opened = await openRuntime({
      agents: [acting([findOrders], ["find_orders", {}], ["read_artifact", { ref, path: "$[0].id" }])],
    });
    expect(await output(opened, await start(opened))).toMatchObject([
      { value: { kind: "number", value: 0 } },
    ]);
  });

  it("gives way to an agent's own tool of its name", async () => {
    const own = tool({
      name: "read_artifact",
      description: "Mine.",
      input: z.object({}),
      risk: "low",
      run: () => "mine",
    });
    const opened = await openRuntime({
      agents: [acting([findOrders, own], ["find_orders", {}], ["read_artifact", {}])],
    });
    expect(await output(opened, await start(opened))).toMatchObject([{ value: "mine" }]);
    const reader = agent({ name: "reader", tools: [own] });
    expect(toolNamed(reader, "read_artifact")).toBe(own);
    expect([...toolsOf(agent({ name: "other" })).keys()]).toEqual(["read_artifact"]);
  });

  it("answers a path, a search or a range that finds nothing with what there is, and goes on", async () => {
    const opened = await openRuntime({
      agents: [
        acting(
          [findOrders],
          ["find_orders", {}],
          ["read_artifact", { ref, path: "$[0].name" }],
          ["read_artifact", { ref, search: "nobody" }],
          ["read_artifact", { ref, from: 5_000 }],
          ["read_artifact", { ref, path: "$..id" }],
          ["read_artifact", { ref, path: "$[0].id" }],
        ),
      ],
    });
    expect(await output(opened, await start(opened))).toMatchObject([
      {
        status: "completed",
        value: { problem: expect.stringContaining('no "name"'), has: ["id", "customer", "total"] },
      },
      { status: "completed", value: { of: 0, matches: [] } },
      { status: "completed", value: { problem: "it ends at 2000" } },
      { status: "completed", value: { problem: expect.stringContaining("A path is made of") } },
      { status: "completed", value: { value: 0 } },
    ]);
  });

  it("fails for an unknown reference, names those there are, and asks a person when it goes on so", async () => {
    const unknown = (digit: number) => ["read_artifact", { ref: `art_${`${digit}`.repeat(16)}` }] as const;
    const calls = [["find_orders", {}], unknown(1), unknown(2), unknown(3), unknown(4)] as const;
    const opened = await openRuntime({ agents: [acting([findOrders], ...calls)] });
    const threadId = await start(opened);
    const failed = (await opened.events(threadId)).filter((event) => event.type === "action_failed");
    expect(failed).toHaveLength(3);
    expect(failed[0]?.error).toMatchObject({
      code: "artifact_missing",
      fix: `There are: ${ref} (act:find_orders#1).`,
    });
    expect(await opened.openRequests()).toMatchObject([{ opened: { reason: "limit" } }]);
  });

  it("reads nothing of another thread", async () => {
    const opened = await openRuntime({
      agents: [
        agent({
          name: "reader",
          flow: async (t, input) => (input === "other" ? null : t.act(readArtifact(), { ref })),
        }),
      ],
    });
    await startThread(opened.runtime, "reader", orders as Json, { by: "test" });
    const threadId = await start(opened);
    expect(await output(opened, threadId)).toMatchObject({
      status: "failed",
      error: { code: "artifact_missing" },
    });
  });

  it("reads again after a crash between the reading and its record", async () => {
    const reader = acting([findOrders], ["find_orders", {}], ["read_artifact", { ref, path: "$[7].total" }]);
    const opened = await openRuntime({ agents: [reader] });
    const { store } = opened.runtime;
    const crashing: Store = {
      ...store,
      append: (append) =>
        append.events.some(({ body }) => body.type === "action_completed" && body.key.startsWith("act:read"))
          ? Promise.reject(new Error("the process is gone"))
          : store.append(append),
    };
    const { threadId } = await startThread(opened.runtime, "reader", null, { by: "test" });
    const doomed = { ...opened.runtime, store: crashing };
    const { signal } = new AbortController();
    await expect(settleThreads(doomed, [threadId], { signal, patienceMs: 0 })).rejects.toThrow("is gone");
    expect(await results(opened, threadId, "read_artifact")).toEqual([]);
    await opened.close();
    const again = await openRuntime({ agents: [reader] });
    await again.clock.advance(60_000);
    await again.settle(threadId);
    expect(await output(again, threadId)).toMatchObject([{ value: { kind: "number", value: 70 } }]);
  });

  it("gives results that fit a small window", () => {
    const small = agent({ name: "small", window: { budget: 2_000 } });
    expect(toolNamed(small, "read_artifact")?.description).toContain("at most 1400 characters");
  });

  it("is judged by the gate as any tool", async () => {
    const careful = gate({
      decide: ({ tool: name }) => (name === "read_artifact" ? { kind: "hold", reason: "ask" } : undefined),
    });
    const flow: Flow = async (t) =>
      t.act([{ callId: "c", tool: "read_artifact", args: { ref: refOf({ value: "x".repeat(2_000) }) } }]);
    const opened = await openRuntime({ agents: [agent({ name: "reader", gate: careful, flow })] });
    const threadId = await start(opened, "x".repeat(2_000));
    const [request] = await opened.openRequests();
    const edited = { ref: refOf({ value: "x".repeat(2_000) }), limit: 3 };
    await opened.decide(request?.requestId ?? "", { kind: "edit", args: edited });
    await opened.settle(threadId);
    expect(await output(opened, threadId)).toMatchObject([{ value: { text: "xxx" } }]);
  });
});

describe("code", () => {
  const summing: Flow = async (t) => {
    const [found] = await t.act([{ callId: "c", tool: "find_orders", args: {} }]);
    const missing = await t
      .artifact("art_0000000000000000")
      .catch((error) => (isHoldpointError(error) ? error.code : "?"));
    await t.sleep("1h");
    const read = await t.artifact<typeof orders>(ref);
    return {
      missing,
      same: found?.status === "completed" && read.length === orders.length,
      last: read.at(-1)?.id ?? null,
    };
  };
  const reader = agent({ name: "reader", tools: [findOrders], flow: summing });

  it("gets a value by its reference in a flow, also in another process, and records nothing of it", async () => {
    const opened = await openRuntime({ agents: [reader] });
    const threadId = await start(opened);
    await opened.close();
    const again = await openRuntime({ agents: [reader] });
    await again.clock.advance(3_600_000);
    await again.settle(threadId);
    expect(await output(again, threadId)).toEqual({ missing: "artifact_missing", same: true, last: 1_999 });
    expect(await again.types(threadId)).toEqual([
      ...["thread_started", "action_proposed", "action_started", "action_completed"],
      ...["timer_set", "timer_fired", "thread_completed"],
    ]);
  });

  it("gets it in a fork", async () => {
    const opened = await openRuntime({ agents: [reader] });
    const forkId = await forkThread(opened.runtime, await start(opened), { at: 4, by: "test" });
    await opened.settle(forkId);
    await opened.clock.advance(3_600_000);
    await opened.settle(forkId);
    expect(await output(opened, forkId)).toMatchObject({ same: true });
  });

  it("gets it in a fork whose origin is removed while it is forked", async () => {
    const opened = await openRuntime({ agents: [reader] });
    const threadId = await start(opened);
    await opened.clock.advance(3_600_000);
    await opened.settle(threadId);
    await startThread(opened.runtime, "reader", "newest", { by: "test" });
    const { store } = opened.runtime;
    const [now, { signal }] = [new Date(opened.clock.now() + 1_000), new AbortController()];
    const slowStore: Store = {
      ...store,
      append: async (append) => {
        const pruned = await pruneSqliteStore({ path: opened.path, endedBefore: now, now, signal });
        expect(pruned).toMatchObject({ threads: 1, artifacts: 1 });
        return store.append(append);
      },
    };
    await forkThread({ ...opened.runtime, store: slowStore }, threadId, { at: 4, by: "test" });
    expect((await store.verify({})).problems).toEqual([]);
  });

  it("gets a copy of it in a tool, by the reference that the model hands on", async () => {
    const count = tool({
      name: "count",
      description: "Counts.",
      input: z.object({ file: z.string() }),
      risk: "low",
      effect: "repeatable",
      run: async ({ file }, context) => {
        const rows = await context.artifact<{ id: number }[]>(file);
        rows.push({ id: -1 }); // its own: the log's is frozen
        return rows.length;
      },
    });
    const opened = await openRuntime({
      agents: [
        acting(
          [findOrders, count],
          ["find_orders", {}],
          ["count", { file: ref }],
          ["count", { file: ref }],
          ["count", { file: "art_1" }],
        ),
      ],
    });
    expect(await output(opened, await start(opened))).toMatchObject([
      { value: 2_001 },
      { value: 2_001 },
      { status: "failed", error: { code: "artifact_missing" } },
    ]);
  });

  it("gets what a child returned, and not what the child kept", async () => {
    const inner = agent({
      name: "inner",
      flow: async (t) => {
        await t.step("secret", () => "s".repeat(5_000));
        return orders;
      },
    });
    const look =
      (wanted: string): Flow =>
      async (t) => {
        await t.call("inner", null);
        return t.artifact<Json[]>(wanted).then(
          (rows) => rows.length,
          (error) => (isHoldpointError(error) ? error.code : "?"),
        );
      };
    const secret = refOf({ value: "s".repeat(5_000) }) ?? "";
    const outer = agent({ name: "reader", flow: look(ref) });
    const opened = await openRuntime({ agents: [inner, outer] });
    expect(await output(opened, await start(opened))).toBe(2_000);
    const nosy = await openRuntime({ agents: [inner, agent({ name: "reader", flow: look(secret) })] });
    expect(await output(nosy, await start(nosy))).toBe("artifact_missing");
  });
});

describe("what cannot be kept, and what is hard to show", () => {
  it.each<{ name: string; value: () => unknown; code: string; fix: string }>([
    {
      name: "binary",
      value: () => ({ file: new Uint8Array(9) }),
      code: "result_not_json",
      fix: "toString('base64')",
    },
    {
      name: "a Buffer",
      value: () => Buffer.from("bytes"),
      code: "result_not_json",
      fix: "write the bytes to a file",
    },
    { name: "a response", value: () => new Response("body"), code: "result_not_json", fix: "text()" },
    { name: "202 levels", value: () => nested(202), code: "result_not_json", fix: "Return plain data" },
    { name: "a cycle", value: cycle, code: "result_not_json", fix: "Return plain data" },
    {
      name: "17 MiB",
      value: () => "x".repeat(17 * 1024 * 1024),
      code: "result_too_large",
      fix: "return where it is",
    },
  ])("says so, and what a tool should return: $name", async ({ value, code, fix }) => {
    const odd = tool({
      name: "odd",
      description: "Odd.",
      input: z.object({}),
      risk: "low",
      effect: "read",
      run: value,
    });
    const opened = await openRuntime({ agents: [acting([odd], ["odd", {}], ["odd", {}])] });
    expect(await output(opened, await start(opened))).toMatchObject([
      { status: "failed", error: { code, fix: expect.stringContaining(fix) } },
    ]);
  });

  it.each<{ name: string; value: Json }>([
    { name: "lone surrogates", value: "\ud800\udfff\udfff".repeat(40_000) },
    { name: "control characters", value: "\u0000\u001b[2J\u202e".repeat(20_000) },
    {
      name: "what was not UTF-8",
      value: Buffer.from(Array.from({ length: 90_000 }, () => 0xff)).toString("utf8"),
    },
    {
      name: "a member named __proto__",
      value: JSON.parse(`{"__proto__":${JSON.stringify("x".repeat(90_000))}}`) as Json,
    },
  ])("shows it harmlessly, and reads it back as it was: $name", async ({ value }) => {
    const odd = tool({
      name: "odd",
      description: "Odd.",
      input: z.object({}),
      risk: "low",
      effect: "read",
      run: () => value,
    });
    const oddRef = refOf({ value }) ?? "";
    const calls = [
      ["odd", {}],
      ["read_artifact", { ref: oddRef, limit: 10 }],
    ] as const;
    const opened = await openRuntime({ agents: [acting([odd], ...calls)] });
    const threadId = await start(opened);
    const done = (await opened.events(threadId)).find(
      (event) => event.type === "action_completed",
    ) as EventOf<"action_completed">;
    expect(refOf(done.result)).toBe(oddRef);
    const shown = renderReference(done.result, 500);
    expect(shown.length).toBeLessThanOrEqual(500);
    expect(shown).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
    const text = await opened.runtime.store.artifact(done.result.artifact?.digest ?? "");
    expect(JSON.stringify(JSON.parse(text))).toBe(JSON.stringify(value));
    expect(await output(opened, threadId)).toMatchObject([{ status: "completed", value: { from: 0 } }]);
  });
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

function cycle(): unknown {
  const node: { self?: unknown } = {};
  node.self = node;
  return node;
}

function intent(name: string, args: Json): string {
  return JSON.stringify({ calls: [{ intent: name, args }] });
}
