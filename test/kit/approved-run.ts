// A thread that is watched: it loads something, asks its model, waits for an approval in one runtime, and goes on in
// another one an hour later.

import type { ThreadEvent } from "../../src/index.ts";
import { agent, gate, startThread, type Telemetry } from "../../src/index.ts";
import {
  calls,
  openTestRuntime,
  payTool,
  type TestRuntime,
  type Turn,
  tempFolder,
  turns,
} from "./runtime.ts";

/** It stands in the prompt, in the tool's result and in the answer. */
export const secret = "hunter2-hunter2";
const secrets = new Map([["TILL_KEY", secret]]);

const asksForPay: Turn = {
  ...calls(["pay", { cents: 4_200, note: "order A7" }]),
  responseModel: "scripted-2026",
  firstTokenMs: 250,
};
const answers: Turn = {
  text: `Paid for Mrs. Lovelace with ${secret}.`,
  usage: { inputTokens: 30, outputTokens: 7, cachedTokens: 20, cacheWriteTokens: 3, reasoningTokens: 2 },
};

/** A desk that loads something, asks its model, pays after an approval, and answers. */
function desk(script: readonly Turn[], run: () => unknown = () => ({ receipt: "re_55", key: secret })) {
  return agent({
    name: "desk",
    version: "7",
    prompt: `You are at the counter. The till opens with ${secret}.`,
    model: turns(...script),
    tools: [payTool({ risk: "high", effect: "once", version: "3", run })],
    gate: gate({ approvers: ["dana@example.com"] }),
    flow: async (t) => {
      await t.step("load order", () => "order A7 of Mrs. Lovelace");
      for (;;) {
        const next = await t.decide();
        if (next.kind === "answer") return next.value;
        await t.act(next.calls);
      }
    },
  });
}

export const threadId = "th_1";

export interface Watched {
  readonly telemetry?: Telemetry;
  /** What the tool does. */
  readonly run?: () => unknown;
}

/** @returns the whole log, which is the same whoever watches. */
export async function approvedRun({ telemetry, run }: Watched = {}): Promise<readonly ThreadEvent[]> {
  const folder = tempFolder();
  const options = { folder, secrets, ...(telemetry && { telemetry }) };
  const first = await openTestRuntime({ ...options, agents: [desk([asksForPay])] });
  const second = await openTestRuntime({ ...options, agents: [desk([answers], run)], clock: first.clock });
  try {
    await startThread(first.runtime, "desk", "Pay Mrs. Lovelace.", { by: "kim@example.com", threadId });
    await first.settle(threadId);
    await first.clock.advance(3_600_000);
    await approve(first);
    await second.settle(threadId);
    return await second.events(threadId);
  } finally {
    await first.close();
    await second.close();
    folder.remove();
  }
}

async function approve({ openRequests, decide }: TestRuntime): Promise<void> {
  const [request] = await openRequests();
  await decide(request?.requestId ?? "", { kind: "approve" });
}
