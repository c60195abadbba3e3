// I12. A schema may run any code (`refine` with a promise): none keeps a thread, a person or a graceful stop waiting.
import { expect, it } from "vitest";
import { z } from "zod";
import { agent } from "../../src/core/agent.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { validationTimeoutMs } from "../../src/runtime/validate-within.ts";
import { decideRequest } from "../../src/runtime/verdicts.ts";
import { settleThreads } from "../../src/runtime/worker.ts";
import { calls, payTool, runtimesOfEachTest, type TestRuntime, turns } from "../kit/runtime.ts";

const openRuntime = runtimesOfEachTest();

/** Takes amounts, and hangs at 13, for ever. `asked` resolves when it does. */
function hangingSchema() {
  let onAsked: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    onAsked = resolve;
  });
  const cents = z.number().refine((value) => {
    if (value !== 13) return true;
    onAsked();
    return new Promise<boolean>(() => {});
  });
  return { asked, input: z.object({ cents, note: z.string().default("none") }) };
}

const why = `its schema gave no verdict within ${validationTimeoutMs} ms`;

/** Runs until the schema has been asked, and then for as long as it may take. */
async function pastDeadline<T>(
  { clock }: TestRuntime,
  asked: Promise<void>,
  running: Promise<T>,
): Promise<T> {
  running.catch(() => {}); // it may fail before it is looked at
  await asked;
  await clock.advance(validationTimeoutMs);
  return running;
}

it("refuses a model's call whose schema never answers, and asks again", async () => {
  const { asked, input } = hangingSchema();
  const pay = payTool({ input });
  const model = turns(calls(["pay", { cents: 13 }]), calls(["pay", { cents: 7 }]), { text: "Paid." });
  const opened = await openRuntime({ agents: [agent({ name: "a", prompt: "Pay.", tools: [pay], model })] });
  const { threadId } = await startThread(opened.runtime, "a", "x", { by: "test" });
  await pastDeadline(opened, asked, opened.settle(threadId));
  const events = await opened.events(threadId);
  expect(events.at(-1)?.type).toBe("thread_completed");
  const rejected = events.find((event) => event.type === "decision_rejected");
  expect(rejected?.error).toMatchObject({ code: "invalid_decision", message: expect.stringContaining(why) });
  expect(pay.runs).toEqual([{ cents: 7, note: "none" }]);
});

it("refuses an action of the flow", async () => {
  const { asked, input } = hangingSchema();
  const pay = payTool({ input });
  const opened = await openRuntime({
    agents: [agent({ name: "a", tools: [pay], flow: (t) => t.act(pay, { cents: 13, note: "none" }) })],
  });
  const { threadId } = await startThread(opened.runtime, "a", "x", { by: "test" });
  await pastDeadline(opened, asked, opened.settle(threadId));
  const denied = (await opened.events(threadId)).find((event) => event.type === "action_denied");
  expect(denied).toMatchObject({ deniedBy: "validation", why });
  expect(pay.runs).toEqual([]);
});

it("refuses an input, an edit and an answer", async () => {
  const { asked, input } = hangingSchema();
  const pay = payTool({ input, risk: "high" });
  const opened = await openRuntime({
    agents: [
      agent({ name: "takes", input, flow: async () => null }),
      agent({ name: "acts", tools: [pay], flow: (t) => t.act(pay, { cents: 7, note: "none" }) }),
    ],
  });
  const starting = startThread(opened.runtime, "takes", { cents: 13 }, { by: "test" });
  await expect(pastDeadline(opened, asked, starting)).rejects.toMatchObject({
    code: "invalid_input",
    message: expect.stringContaining(why),
  });
  const { threadId } = await startThread(opened.runtime, "acts", null, { by: "test" });
  await opened.settle(threadId);
  const requestId = (await opened.openRequests())[0]?.requestId ?? "";
  const verdict = { kind: "edit", args: { cents: 13, note: "none" } } as const;
  const deciding = decideRequest(opened.runtime, requestId, { verdict, by: "dana@example.com", via: "test" });
  await expect(pastDeadline(opened, asked, deciding)).rejects.toMatchObject({ code: "verdict_invalid" });
  expect(await opened.openRequests()).toHaveLength(1);
});

it.each(["decide", "act"] as const)(
  "ends with its turn, and leaves nothing of it behind: %s",
  async (kind) => {
    const { asked, input } = hangingSchema();
    const pay = payTool({ input });
    const opened = await openRuntime({
      graceMs: 2_000,
      agents: [
        agent({
          name: "a",
          prompt: "Pay.",
          tools: [pay],
          model: turns(calls(["pay", { cents: 13 }])),
          flow: async (t) =>
            kind === "decide" ? void (await t.decide()) : t.act(pay, { cents: 13, note: "none" }),
        }),
      ],
    });
    const { threadId } = await startThread(opened.runtime, "a", "x", { by: "test" });
    const stop = new AbortController();
    const settling = settleThreads(opened.runtime, [threadId], { signal: stop.signal });
    await asked;
    stop.abort();
    await opened.clock.advance(opened.runtime.graceMs);
    await opened.clock.advance(opened.runtime.graceMs);
    await settling;
    expect(await opened.types(threadId)).toEqual(["thread_started"]);
  },
);
