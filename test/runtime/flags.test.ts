import { describe, expect, it } from "vitest";
import { agent } from "../../src/core/agent.ts";
import type { EventOf, ThreadEvent } from "../../src/core/events.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { flagAction } from "../../src/runtime/flag-action.ts";
import { payTool, runtimesOfEachTest, type TestRuntime } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();
const key = "act:pay#1";
const flag = { by: "dana@example.com", why: "the wrong customer" };

/** An agent that pays, and then waits until it is told to end. */
async function paid({ risk = "low" as "low" | "high" } = {}): Promise<TestRuntime & { threadId: string }> {
  const pays = agent({
    name: "a",
    tools: [payTool({ risk })],
    async flow(t) {
      await t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]);
      return t.ask("End?");
    },
  });
  const opened = await openRuntime({ agents: [pays] });
  const { threadId } = await startThread(opened.runtime, "a", null, { by: "test" });
  await opened.settle(threadId);
  return { ...opened, threadId };
}

function flagsOf(events: readonly ThreadEvent[]): readonly EventOf<"action_flagged">[] {
  return events.filter((event): event is EventOf<"action_flagged"> => event.type === "action_flagged");
}

async function answer(opened: TestRuntime, threadId: string): Promise<void> {
  for (const { requestId } of await opened.openRequests())
    await opened.decide(requestId, { kind: "answer", value: "yes" });
  await opened.settle(threadId);
}

describe("flagging an action as wrong", () => {
  it("records who and why, and the thread goes on as before", async () => {
    const opened = await paid();
    expect(await flagAction(opened.runtime, opened.threadId, key, flag)).toBe(true);
    await opened.settle(opened.threadId);
    expect(flagsOf(await opened.events(opened.threadId))).toMatchObject([{ key, ...flag }]);
    await answer(opened, opened.threadId);
    expect(await opened.types(opened.threadId)).toContain("thread_completed");
    expect((await opened.runtime.store.verify({})).problems).toEqual([]);
  });

  it("is possible after the thread's end", async () => {
    const opened = await paid();
    await answer(opened, opened.threadId);
    await flagAction(opened.runtime, opened.threadId, key, flag);
    expect((await opened.types(opened.threadId)).slice(-2)).toEqual(["thread_completed", "action_flagged"]);
    expect((await opened.runtime.store.due({ now: Number.MAX_SAFE_INTEGER, limit: 9 })).threadIds).toEqual(
      [],
    );
  });

  it("happens once per person, also when two say it at once", async () => {
    const opened = await paid();
    const again = (by: string) => flagAction(opened.runtime, opened.threadId, key, { ...flag, by });
    const first = await Promise.all([
      again("dana@example.com"),
      again("dana@example.com"),
      again("lee@example.com"),
    ]);
    expect(first.filter(Boolean)).toHaveLength(2);
    expect(
      flagsOf(await opened.events(opened.threadId))
        .map(({ by }) => by)
        .sort(),
    ).toEqual(["dana@example.com", "lee@example.com"]);
  });

  it("is refused for what has not started, for unknown threads, and for agents", async () => {
    const opened = await paid({ risk: "high" }); // it waits for its approval
    const refusal = (threadId: string, by = flag.by) =>
      flagAction(opened.runtime, threadId, key, { ...flag, by }).catch((error) => error.code);
    expect(await refusal(opened.threadId)).toBe("operation_not_found");
    expect(await refusal("th_none")).toBe("thread_not_found");
    expect(await refusal(opened.threadId, `thread:${opened.threadId}`)).toBe("not_an_approver");
  });
});
