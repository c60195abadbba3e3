import { describe, expect, it } from "vitest";
import { type GatePolicy, gate } from "./gate.ts";

const action = (tool: string, risk?: "low" | "medium" | "high") => ({
  agent: "a",
  tool,
  args: { cents: 5_000 },
  risk,
  effect: "once" as const,
  at: "2026-01-01T12:00:00.000Z",
});

describe("the gate", () => {
  const cases: readonly {
    readonly name: string;
    readonly policy?: GatePolicy;
    readonly given: ReturnType<typeof action>;
    readonly outcome: string;
  }[] = [
    { name: "holds high risk", given: action("pay", "high"), outcome: "hold" },
    { name: "holds undeclared risk", given: action("look"), outcome: "hold" },
    {
      name: "holds a risk that it does not know",
      given: { ...action("pay"), risk: "High" as "high" },
      outcome: "hold",
    },
    { name: "lets low risk run", given: action("look", "low"), outcome: "allow" },
    { name: "lets medium risk run", given: action("note", "medium"), outcome: "allow" },
    {
      name: "lets a listed name run that declares its risk",
      given: action("delete_draft", "low"),
      outcome: "allow",
    },
    {
      name: "holds what a policy holds",
      policy: { decide: () => ({ kind: "hold", reason: "x" }) },
      given: action("look", "low"),
      outcome: "hold",
    },
    {
      name: "denies what a policy denies",
      policy: { decide: () => ({ kind: "deny", reason: "x" }) },
      given: action("pay", "high"),
      outcome: "deny",
    },
    {
      name: "asks the default when a policy has no opinion",
      policy: { decide: () => undefined },
      given: action("pay", "high"),
      outcome: "hold",
    },
  ];
  it.each(cases)("$name", ({ policy, given, outcome }) => {
    expect(gate(policy).judge(given).kind).toBe(outcome);
  });

  it("holds when a policy is async, and outlives its rejection", async () => {
    const decide = (() => Promise.reject(new Error("no network"))) as unknown as NonNullable<
      GatePolicy["decide"]
    >;
    expect(gate({ decide }).judge(action("look", "low"))).toMatchObject({ kind: "hold", isBroken: true });
    await new Promise(setImmediate); // where it would be unhandled
  });

  it.each(["delete_account", "DELETE_ACCOUNT", "deploy", "deploy_web", "charge_card", "send_email"])(
    "names the list of high risks for %s",
    (tool) => {
      expect(gate().judge(action(tool))).toEqual({
        kind: "hold",
        reason: "its name is on the list of high risks",
      });
    },
  );

  it("takes names that the user adds, with characters that mean something to a pattern", () => {
    const judge = gate({ highRisk: ["wire.*", "a+b"] }).judge;
    const reason = (tool: string) => (judge(action(tool)) as { reason: string }).reason;
    expect(reason("wire.money")).toContain("list");
    expect(reason("a+b")).toContain("list");
    expect(reason("wiremoney")).toContain("not declared");
    expect(reason("aab")).toContain("not declared");
  });

  it("knows the names of high risk, whatever their tools declare", () => {
    const { isHighRiskName } = gate({ highRisk: ["wire*"] });
    expect(["delete_draft", "WIRE_money", "send_email", "send_emails", "find"].map(isHighRiskName)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
