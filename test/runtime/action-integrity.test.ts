// Findings of a review of actions (I3, I4, I5, I11): each of these failed when it was written.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Agent, type AgentDefinition, agent } from "../../src/core/agent.ts";
import { actionDigest } from "../../src/core/digest.ts";
import { type EventBody, type EventOf, event } from "../../src/core/events.ts";
import type { Flow } from "../../src/core/flow.ts";
import { gate } from "../../src/core/gate.ts";
import type { Json } from "../../src/core/json.ts";
import type { Tool } from "../../src/core/tool.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { forkThread } from "../../src/runtime/fork.ts";
import { decideRequest } from "../../src/runtime/verdicts.ts";
import { payTool, runtimesOfEachTest, type TestRuntime } from "../kit/runtime.ts";

const secret = "sk-very-secret-value";

const openRuntime = runtimesOfEachTest();

async function openWith(
  agents: readonly Agent[],
  secrets: ReadonlyMap<string, string> = new Map(),
): Promise<TestRuntime> {
  return openRuntime({ agents, secrets });
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function acting(
  tools: readonly Tool[],
  args: unknown = { cents: 5 },
  more: Partial<AgentDefinition<unknown, unknown, unknown>> = {},
): Agent {
  const flow: Flow = async (t) => t.act([{ callId: "c", tool: "pay", args: args as Json }]);
  return agent({ name: "a", tools, flow, ...more });
}

async function run(opened: TestRuntime): Promise<string> {
  const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

async function approveOpen(opened: TestRuntime, threadId: string): Promise<void> {
  for (const { requestId, opened: asked } of await opened.openRequests())
    if (asked.kind === "approval") await opened.decide(requestId, { kind: "approve" });
  await opened.settle(threadId);
}

async function only<Type extends EventBody["type"]>(
  opened: TestRuntime,
  threadId: string,
  type: Type,
): Promise<readonly EventOf<Type>[]> {
  return (await opened.events(threadId)).filter((one): one is EventOf<Type> => one.type === type);
}

/** Appends as a worker that then dies. */
async function appendAndDie(
  opened: TestRuntime,
  threadId: string,
  ...bodies: readonly EventBody[]
): Promise<void> {
  const { store, clock } = opened.runtime;
  const lease = await store.lease({ threadId, owner: `dead ${clock.now()}`, ttlMs: 1_000, now: clock.now() });
  if (!lease) throw new Error("someone holds the lease");
  const at = new Date(clock.now()).toISOString();
  const expectedSeq = (await opened.events(threadId)).length;
  await store.append({ threadId, expectedSeq, lease, events: bodies.map((body) => ({ body, at })) });
  opened.clock.set(opened.clock.now() + 2_000);
}

const started = (attempt: number, digest: string, threadId: string) =>
  event("action_started", { key: "act:pay#1", attempt, digest, idempotencyKey: `${threadId}/act:pay#1` });

describe("what runs is what its digest says (I5)", () => {
  it("also when the gate changes the arguments that it judges", async () => {
    const pay = payTool();
    const sly = gate({
      decide: ({ args }) => {
        (args as { cents: number }).cents = 1_000_000;
        return { kind: "allow" };
      },
    });
    const opened = await openWith([acting([pay], { cents: 5 }, { gate: sly })]);
    const threadId = await run(opened);
    const [start] = await only(opened, threadId, "action_started");
    const digests = pay.runs.map((args) =>
      actionDigest({ tool: "pay", toolVersion: "1", args: args as Json }),
    );
    expect(digests.every((digest) => digest === start?.digest)).toBe(true); // or nothing ran
  });

  it("also in the log of a read that changes its arguments", async () => {
    const pay = payTool({
      effect: "read",
      run: (args) => {
        try {
          args.cents = 999;
        } catch {} // frozen arguments are fine
      },
    });
    const opened = await openWith([acting([pay])]);
    const threadId = await run(opened);
    const [proposal] = await only(opened, threadId, "action_proposed");
    expect(proposal).toMatchObject({ args: { cents: 5 } });
  });

  it("also when the tool's version changed after a crash: the approval was for the old one", async () => {
    const version1 = payTool({ risk: "high", effect: "repeatable", version: "1" });
    const before = await openWith([acting([version1])]);
    const threadId = await run(before);
    const [request] = await before.openRequests();
    await before.decide(request?.requestId ?? "", { kind: "approve" });
    await appendAndDie(before, threadId, started(1, request?.opened.action?.digest ?? "", threadId));
    const version2 = payTool({ risk: "high", effect: "repeatable", version: "2" });
    const opened = await openWith([acting([version2])]);
    await opened.settle(threadId);
    expect(version2.runs).toEqual([]);
    expect(await opened.openRequests()).toHaveLength(1);
  });

  it("and it is validated by the tool that runs, also when that changed before its approval", async () => {
    const before = await openWith([acting([payTool({ risk: "high" })])]);
    const threadId = await run(before);
    const version2 = payTool({
      risk: "high",
      version: "2",
      input: z.object({ amount: z.string() }) as never,
    });
    const opened = await openWith([acting([version2])]);
    await approveOpen(opened, threadId); // of version 1: asked again
    await approveOpen(opened, threadId);
    expect(version2.runs.every((args) => z.object({ amount: z.string() }).safeParse(args).success)).toBe(
      true,
    );
  });

  it("and the gate is asked again when the tool changed before its approval", async () => {
    const before = await openWith([acting([payTool({ risk: "high" })])]);
    const threadId = await run(before);
    const version2 = payTool({ risk: "high", version: "2" });
    const closed = gate({ decide: () => ({ kind: "deny", reason: "closed" }) });
    const opened = await openWith([acting([version2], { cents: 5 }, { gate: closed })]);
    await approveOpen(opened, threadId);
    await approveOpen(opened, threadId);
    expect(version2.runs).toEqual([]);
  });
});

describe("the gate is closed by default", () => {
  it.each([
    { name: "a promise", outcome: Promise.resolve({ kind: "allow" }) },
    { name: "an unknown kind", outcome: { kind: "maybe" } },
    { name: "text", outcome: "allow" },
  ])("holds when a policy returns $name", async ({ outcome }) => {
    const pay = payTool();
    const opened = await openWith([
      acting([pay], { cents: 5 }, { gate: gate({ decide: () => outcome as never }) }),
    ]);
    await run(opened);
    expect(pay.runs).toEqual([]);
    expect(await opened.openRequests()).toHaveLength(1); // else nobody is asked and nothing wakes the thread
  });
});

describe("one approval, one start (I5), in forks", () => {
  it("does not start an approved action a second time in a fork from its middle", async () => {
    const pay = payTool({ risk: "high", effect: "repeatable" });
    const opened = await openWith([acting([pay])]);
    const threadId = await run(opened);
    await approveOpen(opened, threadId);
    expect(pay.runs).toHaveLength(1);
    const [start] = await only(opened, threadId, "action_started");
    const forkId = await forkThread(opened.runtime, threadId, { at: start?.seq ?? 0, by: "test" }).catch(
      () => null,
    );
    if (forkId) await opened.settle(forkId);
    expect(pay.runs).toHaveLength(1);
  });

  it("keeps the idempotency key of an action that it runs again", async () => {
    const keys: string[] = [];
    const pay = payTool({
      effect: "repeatable",
      run: (_args, { idempotencyKey }) => keys.push(idempotencyKey),
    });
    const opened = await openWith([acting([pay])]);
    const threadId = await run(opened);
    const [start] = await only(opened, threadId, "action_started");
    const forkId = await forkThread(opened.runtime, threadId, { at: start?.seq ?? 0, by: "test" }).catch(
      () => null,
    );
    if (forkId) await opened.settle(forkId);
    expect(new Set(keys).size).toBe(1);
  });

  it("does not ask again about an action that was refused", async () => {
    const opened = await openWith([acting([payTool({ risk: "high" })])]);
    const threadId = await run(opened);
    await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "reject", why: "no" });
    await opened.settle(threadId);
    const [denied] = await only(opened, threadId, "action_denied");
    await forkThread(opened.runtime, threadId, { at: denied?.seq ?? 0, by: "test" });
    expect(await opened.openRequests()).toEqual([]);
  });

  it("asks again with a deadline of its own, not one that has passed", async () => {
    const pay = payTool({ risk: "high" });
    const opened = await openWith([acting([pay])]);
    const threadId = await run(opened);
    await opened.clock.advance(48 * 3_600_000);
    await opened.settle(threadId);
    expect(await opened.types(threadId)).toContain("request_expired");
    const forkId = await forkThread(opened.runtime, threadId, { at: 3, by: "test" }); // at its request
    await opened.settle(forkId);
    expect(await opened.openRequests()).toMatchObject([{ threadId: forkId }]);
  });
});

describe("an action in doubt (I4)", () => {
  it("is not started again while its first run, which ignored its deadline, is still going", async () => {
    let running = 0;
    let most = 0;
    const never = new Promise<never>(() => {});
    const pay = payTool({
      timeout: "5s",
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await never;
      },
      verify: () => ({ happened: false }), // not yet
    });
    const opened = await openWith([acting([pay])]);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const settled = opened.settle(threadId);
    while (opened.clock.pending < 2) await tick();
    await opened.clock.advance(5_000);
    for (let turn = 0; turn < 50; turn++) await tick();
    expect(most).toBe(1);
    for (let turn = 0; turn < 20; turn++) await opened.clock.advance(5_000);
    void settled.catch(() => {});
  });

  it("goes to a person when worker after worker dies on a repeatable one", async () => {
    const pay = payTool({ effect: "repeatable" });
    const opened = await openWith([acting([pay])]);
    const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
    const digest = actionDigest({ tool: "pay", toolVersion: "1", args: { cents: 5, note: "none" } });
    const proposed = event("action_proposed", {
      key: "act:pay#1",
      callId: "c",
      tool: "pay",
      toolVersion: "1",
      args: { cents: 5, note: "none" },
      requested: { cents: 5 },
      digest,
      risk: "low",
      effect: "repeatable",
      gate: { kind: "allow" },
    });
    await appendAndDie(opened, threadId, proposed, started(1, digest, threadId));
    for (let attempt = 2; attempt <= 10; attempt++)
      await appendAndDie(opened, threadId, started(attempt, digest, threadId));
    await opened.settle(threadId);
    expect(pay.runs).toEqual([]);
    expect(await opened.openRequests()).toHaveLength(1);
  });
});

describe("secrets in arguments (I11)", () => {
  it("do not make an approval worthless, nor run the action with a placeholder", async () => {
    const pay = payTool({ risk: "high" });
    const opened = await openWith([acting([pay], { cents: 5, note: secret })], new Map([["KEY", secret]]));
    const threadId = await run(opened);
    await approveOpen(opened, threadId);
    await approveOpen(opened, threadId);
    expect((await opened.openRequests()).map((request) => request.opened.reason)).not.toContain(
      "flow_changed",
    );
    expect(pay.runs).not.toContainEqual({ cents: 5, note: "[secret KEY]" });
  });

  it("leave a digest that fits the arguments in the log", async () => {
    const pay = payTool();
    const opened = await openWith([acting([pay], { cents: 5, note: secret })], new Map([["KEY", secret]]));
    const threadId = await run(opened);
    for (const { tool, toolVersion, args, digest } of await only(opened, threadId, "action_proposed"))
      expect(actionDigest({ tool, toolVersion, args })).toBe(digest);
  });
});

describe("one verdict (I6)", () => {
  it("is the same when its members come in another order", async () => {
    const opened = await openWith([acting([payTool({ risk: "high" })])]);
    await run(opened);
    const [request] = await opened.openRequests();
    const give = (args: Json) =>
      decideRequest(opened.runtime, request?.requestId ?? "", {
        verdict: { kind: "edit", args },
        by: "dana@example.com",
        via: "test",
      });
    await give({ cents: 7, note: "x" });
    await expect(give({ note: "x", cents: 7 })).resolves.toMatchObject({ first: false });
  });
});
