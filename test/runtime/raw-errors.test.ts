import { expect, it } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { payTool, runtimesOfEachTest } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();
const secret = "s3cr3t value\nof two lines";

function failing(): Error {
  return Object.assign(new Error("the order failed", { cause: new Error(`refused ${secret}`) }), {
    response: { status: 409, data: { message: `closed by ${secret}` } },
    config: {
      headers: { authorization: "Bearer abcdef123456" },
      url: "https://u:hunter2@pay.example.com/orders/1",
    },
    stdout: `api_key=undeclared123 ${"x".repeat(60_000)} the end`,
  });
}

it("what an error holds is in the log, redacted and bounded, and nowhere else", async () => {
  const pay = payTool({
    effect: "repeatable",
    run: () => {
      throw failing();
    },
  });
  const paying = agent({
    name: "paying",
    tools: [pay],
    flow: async (t) => {
      const results = await t.act([{ callId: "c1", tool: "pay", args: { cents: 5 } }]);
      const step = await t
        .step("look", () => Promise.reject(failing()), { attempts: 1 })
        .catch((error: Error) => JSON.stringify(error.cause));
      return { results, step } as never;
    },
  });
  const opened = await openRuntime({ agents: [paying], secrets: new Map([["PAY_KEY", secret]]) });
  const { threadId } = await startThread(opened.runtime, "paying", null, { by: "test" });
  await opened.settle(threadId);
  const events = await opened.events(threadId);

  for (const type of ["action_failed", "step_failed"] as const) {
    const event = events.find((candidate) => candidate.type === type);
    if (event?.type !== "action_failed" && event?.type !== "step_failed") throw new Error(`no ${type}`);
    const { raw = "" } = event.error;
    expect(raw).toMatch(/^Error: the order failed\n {4}at /);
    expect(raw).toContain("Caused by: Error: refused [secret PAY_KEY]");
    expect(raw).toContain('response.data: {"message":"closed by [secret PAY_KEY]"}');
    expect(raw).toContain("pay.example.com/orders/1");
    expect(raw).toMatch(/the end$/);
    expect(raw.length).toBeLessThan(20_100);
    expect(raw).not.toContain("src/runtime/");
  }
  expect(JSON.stringify(events)).not.toMatch(/s3cr3t|of two lines|hunter2|abcdef123456|undeclared123/);

  const end = events.at(-1);
  if (end?.type !== "thread_completed") throw new Error(`it ended with ${end?.type}`);
  expect(JSON.stringify(end.output)).toContain("the order failed");
  expect(JSON.stringify(end.output)).not.toContain("raw");
});
