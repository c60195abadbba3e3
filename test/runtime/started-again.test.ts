// I4, I5. What had started when its worker died, and may run again, is judged again: a second start is a start.
import { describe, expect, it } from "vitest";
import { type Agent, agent } from "../../src/core/agent.ts";
import { cumulative } from "../../src/core/cumulative.ts";
import { actionDigest } from "../../src/core/digest.ts";
import { type EventBody, event, type GateOutcome } from "../../src/core/events.ts";
import { type GatePolicy, gate } from "../../src/core/gate.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { payTool, runtimesOfEachTest, type TestRuntime } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

interface Case {
  readonly effect: "read" | "repeatable" | "once";
  /** What the gate says after the crash. */
  readonly now: GatePolicy;
  readonly verify?: () => { readonly happened: false };
  /** What it said when the action started. Default: allow. */
  readonly before?: GateOutcome;
  /** Of the approval, when it was held. Default: of what started. */
  readonly approvedDigest?: string;
  readonly counts?: true;
}

const args = { cents: 5, note: "none" };
const deny: GatePolicy = { rules: [{ tool: "pay", outcome: "deny", reason: "no more payments" }] };
const hold: GatePolicy = { rules: [{ tool: "pay", outcome: "hold", reason: "payments wait" }] };

/** A thread whose worker died in the action, and a process with the policy of now. */
async function crashed({ effect, now, verify, before = { kind: "allow" }, approvedDigest, counts }: Case) {
  const pay = payTool({ effect, risk: "low", ...(verify && { verify }) });
  const make = (policy: GatePolicy): Agent =>
    agent({
      name: "a",
      tools: [pay],
      gate: gate(policy),
      flow: async (t) => (await t.act([{ callId: "c", tool: "pay", args }])).map(({ status }) => status),
    });
  const opened = await openRuntime({ agents: [make(now)] });
  const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
  const digest = actionDigest({ tool: "pay", toolVersion: pay.version, args });
  const key = "act:pay#1";
  const proposed = event("action_proposed", {
    ...{ key, callId: "c", tool: "pay", toolVersion: pay.version, args, digest, risk: "low", effect },
    gate: before,
  });
  const sum = counts ? { counts: [{ name: "payments", per: "thread" as const, amount: 5 }] } : {};
  const started = event("action_started", {
    key,
    attempt: 1,
    digest,
    idempotencyKey: `${threadId}/${key}`,
    ...sum,
  });
  const approval = before.kind === "hold" ? approvedIn(key, approvedDigest ?? digest, pay.version) : [];
  await dieWith(opened, threadId, approval, [proposed, started]);
  await opened.settle(threadId);
  return { opened, threadId, runs: pay.runs, types: await opened.types(threadId) };
}

function approvedIn(key: string, digest: string, toolVersion: string): readonly EventBody[] {
  return [
    event("request_opened", {
      ...{ key, requestId: "r_1", kind: "approval", why: "payments wait", question: "?", approvers: [] },
      choices: ["approve", "reject"],
      action: { tool: "pay", toolVersion, args, digest },
      expiresAt: "2026-02-01T00:00:00.000Z",
    }),
    event("request_decided", {
      ...{ requestId: "r_1", key, verdict: { kind: "approve" }, by: "dana@example.com", via: "test", digest },
    }),
  ];
}

async function dieWith(
  { runtime, clock }: TestRuntime,
  threadId: string,
  approval: readonly EventBody[],
  [proposed, started]: readonly [EventBody, EventBody],
): Promise<void> {
  const lease = await runtime.store.lease({ threadId, owner: "dead", ttlMs: 1_000, now: clock.now() });
  if (!lease) throw new Error("someone holds the lease");
  const at = new Date(clock.now()).toISOString();
  const events = [proposed, ...approval, started].map((body) => ({ body, at }));
  await runtime.store.append({ threadId, expectedSeq: 1, lease, events });
  clock.set(clock.now() + 2_000);
}

const denials = async ({ opened, threadId }: Awaited<ReturnType<typeof crashed>>) =>
  (await opened.events(threadId)).filter(({ type }) => type === "action_denied");

describe("an action that started, may run again, and is denied by now", () => {
  it("does not run again; whether it happened says a person, where it may have had an effect", async () => {
    const { opened, threadId, runs, types } = await crashed({ effect: "repeatable", now: deny });
    expect(runs).toEqual([]);
    expect(types).toContain("action_in_doubt");
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({
      reason: "in_doubt",
      why: "it started, no result was recorded, and the gate denies it by now: no more payments",
    });
    await opened.decide(request?.requestId ?? "", { kind: "not_done", why: "looked it up" });
    await opened.settle(threadId);
    expect(runs).toEqual([]);
    expect((await opened.events(threadId)).at(-1)).toMatchObject({ output: { value: ["failed"] } });
  });

  it("is denied where it only reads", async () => {
    const ended = await crashed({ effect: "read", now: deny });
    expect(ended.runs).toEqual([]);
    expect(await denials(ended)).toMatchObject([
      { deniedBy: "gate", why: expect.stringContaining("no more payments") },
    ]);
    expect(await ended.opened.openRequests()).toEqual([]);
  });

  it("is denied where it is known not to have happened", async () => {
    const ended = await crashed({ effect: "once", now: deny, verify: () => ({ happened: false }) });
    expect(ended.runs).toEqual([]);
    expect(await denials(ended)).toMatchObject([{ deniedBy: "gate" }]);
  });

  it("is denied although a person had approved it: their approval was for what the policy let them", async () => {
    const { runs, types } = await crashed({
      effect: "repeatable",
      now: deny,
      before: { kind: "hold", reason: "payments wait" },
    });
    expect(runs).toEqual([]);
    expect(types).toContain("action_in_doubt");
  });
});

describe("an action that started, may run again, and is held by now", () => {
  it.each(["read", "repeatable"] as const)("waits for a person: %s", async (effect) => {
    const { opened, threadId, runs } = await crashed({ effect, now: hold });
    expect(runs).toEqual([]);
    const [request] = await opened.openRequests();
    expect(request?.opened).toMatchObject({
      kind: "approval",
      again: expect.stringContaining("it started before"),
    });
    await opened.decide(request?.requestId ?? "", { kind: "approve" });
    await opened.settle(threadId);
    expect(runs).toHaveLength(1);
  });

  it("waits for a person when the gate is broken", async () => {
    const broken: GatePolicy = {
      decide: () => {
        throw new Error("no such table");
      },
    };
    const { opened, runs } = await crashed({ effect: "repeatable", now: broken });
    expect([runs, (await opened.openRequests()).length]).toEqual([[], 1]);
  });

  it("runs again when a person had approved it, and is asked about no more", async () => {
    const { opened, runs } = await crashed({
      effect: "repeatable",
      now: hold,
      before: { kind: "hold", reason: "payments wait" },
    });
    expect([runs.length, await opened.openRequests()]).toEqual([1, []]);
  });
});

describe("an approval of what started, and is held by now", () => {
  const before = { kind: "hold", reason: "payments wait" } as const;

  it("counts for no other arguments: it was proposed again since, and allowed then", async () => {
    const { opened, runs } = await crashed({
      effect: "repeatable",
      now: hold,
      before,
      approvedDigest: "other",
    });
    expect([runs, (await opened.openRequests()).length]).toEqual([[], 1]);
  });

  it.each<readonly [string, GatePolicy]>([
    ["its approvers are others by now", { ...hold, approvers: ["robin@example.com"] }],
    ["it takes two by now", { ...hold, quorum: 2 }],
    [
      "it is held for another reason",
      { rules: [{ tool: "pay", outcome: "hold", reason: "the account is frozen" }] },
    ],
  ])("is asked for again where the policy is stricter: %s", async (_, now) => {
    const { opened, runs } = await crashed({ effect: "repeatable", now, before });
    expect([runs, (await opened.openRequests()).length]).toEqual([[], 1]);
  });
});

describe("an action that may have happened, is held by now, and is not approved", () => {
  it("is not told of as refused when it is rejected: a person says whether it happened", async () => {
    const { opened, threadId, runs } = await crashed({ effect: "repeatable", now: hold });
    const [request] = await opened.openRequests();
    await opened.decide(request?.requestId ?? "", { kind: "reject", why: "not twice" });
    await opened.settle(threadId);
    const [doubt] = await opened.openRequests();
    expect(doubt?.opened).toMatchObject({ reason: "in_doubt", why: expect.stringContaining("not twice") });
    await opened.decide(doubt?.requestId ?? "", { kind: "done", value: { paid: 5 } });
    await opened.settle(threadId);
    expect(runs).toEqual([]);
    expect((await opened.events(threadId)).at(-1)).toMatchObject({ output: { value: ["completed"] } });
  });

  it("nor when nobody answers in time", async () => {
    const { opened, threadId } = await crashed({ effect: "repeatable", now: hold });
    const [request] = await opened.openRequests();
    opened.clock.set(Date.parse(request?.opened.expiresAt ?? "") + 1);
    await opened.settle(threadId);
    expect(await opened.types(threadId)).not.toContain("action_denied");
    expect((await opened.openRequests())[0]?.opened).toMatchObject({ reason: "in_doubt" });
  });

  it("is verified first where its tool can", async () => {
    const { opened, threadId, runs } = await crashed({
      ...{ effect: "once", now: hold },
      verify: () => ({ happened: false }),
    });
    const [request] = await opened.openRequests();
    await opened.decide(request?.requestId ?? "", { kind: "reject", why: "not now" });
    await opened.settle(threadId);
    expect([runs, await opened.openRequests()]).toEqual([[], []]);
    expect((await opened.events(threadId)).at(-1)).toMatchObject({ output: { value: ["denied"] } });
  });

  it("is denied where it only reads", async () => {
    const ended = await crashed({ effect: "read", now: hold });
    const [request] = await ended.opened.openRequests();
    await ended.opened.decide(request?.requestId ?? "", { kind: "reject", why: "no" });
    await ended.opened.settle(ended.threadId);
    expect(await denials(ended)).toMatchObject([{ deniedBy: "person" }]);
  });
});

it("an action that starts again counts once, and its own sum holds it back from nothing", async () => {
  const limit = cumulative({ name: "payments", tool: "pay", amount: () => 5, per: "thread", max: 5 });
  const policy: GatePolicy = { cumulative: [limit] };
  const { opened, threadId, runs } = await crashed({ effect: "repeatable", now: policy, counts: true });
  expect(runs).toHaveLength(1);
  const starts = (await opened.events(threadId)).filter((one) => one.type === "action_started");
  expect(starts.map(({ attempt, counts }) => [attempt, counts?.length])).toEqual([
    [1, 1],
    [2, undefined],
  ]);
});
