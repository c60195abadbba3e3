import { describe, expect, it } from "vitest";
import { type Accept, agent } from "../../src/core/agent.ts";
import type { EventOf } from "../../src/core/events.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { runtimesOfEachTest } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();
const secrets = new Map([["TOKEN", "sk-very-secret-value"]]);

async function endOf(accept: Accept<never, never> | undefined): Promise<EventOf<"thread_completed">> {
  const check = accept as Accept | undefined; // each test knows what its flow gives
  const flow = async () => ({ total: 7 });
  const opened = await openRuntime({
    agents: [agent({ name: "a", flow, ...(check && { accept: check }) })],
    secrets,
  });
  const { threadId } = await startThread(opened.runtime, "a", { wanted: 7 }, { by: "test" });
  const settled = opened.settle(threadId);
  await opened.clock.advance(10_000);
  await settled;
  const last = (await opened.events(threadId)).at(-1);
  if (last?.type !== "thread_completed") throw new Error(`it ended with ${last?.type}`);
  return last;
}

describe("an agent's own check of its output", () => {
  it.each([
    {
      name: "agrees",
      accept: (out: { total: number }, given: { wanted: number }) => out.total === given.wanted,
      accepted: true,
    },
    { name: "does not", accept: async () => false, accepted: false },
  ])("is recorded when the thread completes: it $name", async ({ accept, accepted }) => {
    const end = await endOf(accept as Accept<never, never>);
    expect([end.accepted, end.why, end.output.value]).toEqual([accepted, undefined, { total: 7 }]);
  });

  it("is not recorded where there is none", async () => {
    expect(await endOf(undefined)).not.toHaveProperty("accepted");
  });

  it("that gives no verdict accepts nothing, and says why, without secrets", async () => {
    const why = async (accept: () => unknown) => {
      const end = await endOf(accept as Accept<never, never>);
      return [end.accepted, end.why];
    };
    expect(await why(() => "yes")).toEqual([false, "its check returned neither true nor false"]);
    expect(await why(() => new Promise(() => {}))).toEqual([
      false,
      "its check gave no verdict within 10000 ms",
    ]);
    const throws = (): never => {
      throw new Error("no sk-very-secret-value");
    };
    expect(await why(throws)).toEqual([false, "its check failed: no [secret TOKEN]"]);
  });

  it("cannot change the output", async () => {
    const accept = (out: { total: number }): boolean => {
      out.total = 99;
      return true;
    };
    expect((await endOf(accept as Accept<never, never>)).output.value).toEqual({ total: 7 });
  });
});
