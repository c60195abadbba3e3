import { describe, expect, test } from "vitest";
import { payTool, runtimesOfEachTest } from "../../test/kit/runtime.ts";
import { agent } from "../core/agent.ts";
import type { Verdict } from "../core/events.ts";
import { gate } from "../core/gate.ts";
import { startThread } from "./commands.ts";
import { decideRequest } from "./verdicts.ts";

const open = runtimesOfEachTest();

/** Pays what two people approve when `quorum` is 2. */
function payer(quorum: number) {
  const pay = payTool({ risk: "high" });
  return agent({
    name: "payer",
    tools: [pay],
    gate: gate({ approvers: ["dana@example.com", "kim@example.com"], quorum, expiresIn: "1h" }),
    flow: async (t) => (await t.act(pay, { cents: 5, note: "none" })).status,
  });
}

describe("whoever gives the verdict is told what the store says from then on", () => {
  test.each<readonly [what: string, quorum: number, verdict: Verdict, by: readonly string[]]>([
    ["an approval", 1, { kind: "approve" }, ["dana@example.com"]],
    ["a rejection", 1, { kind: "reject", why: "too much" }, ["dana@example.com"]],
    ["an edit", 1, { kind: "edit", args: { cents: 4 } }, ["dana@example.com"]],
    ["the second of two approvals", 2, { kind: "approve" }, ["dana@example.com", "kim@example.com"]],
    ["the first of two approvals", 2, { kind: "approve" }, ["dana@example.com"]],
  ])("%s", async (_what, quorum, verdict, people) => {
    const { runtime, settle, openRequests } = await open({ agents: [payer(quorum)] });
    const { threadId } = await startThread(runtime, "payer", null, { by: "test" });
    await settle(threadId);
    const [{ requestId = "" } = {}] = await openRequests();
    for (const by of people) {
      const told = await decideRequest(runtime, requestId, { verdict, by, via: "test" });
      const [row] = (await runtime.store.requests({ requestId })).rows;
      expect(told).toEqual({ request: row, first: true });
    }
  });
});
