import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Risk } from "./events.ts";
import { type GatedAction, type GatePolicy, gate } from "./gate.ts";
import { outsideHours } from "./office-hours.ts";
import { type Rule, rule } from "./rule.ts";
import { tool } from "./tool.ts";

const refund = tool({
  name: "issue_refund",
  description: "Refunds.",
  input: z.object({ cents: z.number() }),
  risk: "high",
  run: () => null,
});

function action(given: Partial<GatedAction> = {}): GatedAction {
  const plain = { agent: "desk", tool: "issue_refund", args: { cents: 6_000 }, risk: "low" as const };
  return { ...plain, effect: "once", at: "2026-01-05T12:00:00.000Z", ...given }; // a Monday
}

const above = rule({
  name: "over 50",
  tool: refund,
  when: ({ args }) => args.cents > 5_000,
  outcome: "hold",
  reason: "more than 50.00",
});

describe("rules", () => {
  const cases: readonly {
    readonly name: string;
    readonly policy: GatePolicy;
    readonly given?: Partial<GatedAction>;
    readonly outcome: unknown;
  }[] = [
    {
      name: "hold by arguments, with their reason",
      policy: { rules: [above] },
      outcome: { kind: "hold", reason: "more than 50.00" },
    },
    {
      name: "leave what they do not fit to the default",
      policy: { rules: [above] },
      given: { args: { cents: 5_000 } },
      outcome: { kind: "allow" },
    },
    {
      name: "know tools by names with *",
      policy: { rules: [{ tool: ["delete_*", "issue_*"], outcome: "deny" }] },
      outcome: { kind: "deny", reason: 'the rule "rule 1" says so' },
    },
    {
      name: "know agents",
      policy: { rules: [{ agent: "night-*", outcome: "deny" }] },
      outcome: { kind: "allow" },
    },
    {
      name: "know the time",
      policy: {
        rules: [{ when: ({ at }) => at < "2026-02", outcome: "hold", reason: "not before February" }],
      },
      outcome: { kind: "hold", reason: "not before February" },
    },
    {
      name: "let a high risk run because the owner says so",
      policy: { rules: [{ tool: refund, outcome: "allow" }] },
      given: { risk: "high" },
      outcome: { kind: "allow" },
    },
    {
      name: "decide in their order",
      policy: { rules: [{ outcome: "allow" }, { outcome: "deny" }] },
      outcome: { kind: "allow" },
    },
    {
      name: "come before decide",
      policy: { rules: [above], decide: () => ({ kind: "allow" }) },
      outcome: { kind: "hold", reason: "more than 50.00" },
    },
    {
      name: "come before decide, which comes before the risk",
      policy: { rules: [above], decide: () => ({ kind: "allow" }) },
      given: { args: { cents: 1 }, risk: "high" },
      outcome: { kind: "allow" },
    },
  ];
  it.each(cases)("$name", ({ policy, given, outcome }) => {
    expect(gate(policy).judge(action(given))).toEqual(outcome);
  });

  it.each([
    {
      name: "throws",
      when: () => {
        throw new Error("no such order");
      },
      says: "failed: no such order",
    },
    { name: "gives a promise", when: async () => false, says: "gave a promise" },
    {
      name: "gives a promise that rejects",
      when: () => Promise.reject(new Error("x")),
      says: "gave a promise",
    },
    { name: "gives nothing", when: () => undefined, says: "said neither true nor false" },
    { name: "gives a number", when: () => 1, says: "said neither true nor false" },
  ])("hold when one $name, whatever its outcome", ({ when, says }) => {
    const broken = { name: "broken", when, outcome: "allow" } as unknown as Rule;
    expect(gate({ rules: [broken] }).judge(action())).toEqual({
      kind: "hold",
      reason: expect.stringContaining(`the rule "broken" ${says}`),
      isBroken: true,
    });
  });

  it.each([
    { name: "a member that does not exist", given: { tools: "issue_*", outcome: "allow" }, says: '"tools"' },
    { name: "an outcome that does not exist", given: { outcome: "Hold" }, says: "outcome" },
    { name: "no outcome", given: { tool: "x" }, says: "outcome" },
    { name: "a when that is no function", given: { when: true, outcome: "hold" }, says: "when" },
    { name: "a tool that is none", given: { tool: 7, outcome: "hold" }, says: "tool" },
    { name: "agents that are none", given: { agent: [null], outcome: "hold" }, says: "agent" },
    { name: "text", given: "hold", says: "is no object" },
  ])("are refused with $name", ({ given, says }) => {
    const make = (): unknown => gate({ rules: [given as unknown as Rule] });
    expect(make).toThrow(
      expect.objectContaining({ code: "agent_invalid", message: expect.stringContaining(says) }),
    );
  });
});

describe("shadow mode", () => {
  it("records what rules would have done, and why", () => {
    const trial: Rule = { name: "all refunds", tool: "issue_*", outcome: "deny", reason: "freeze" };
    expect(gate({ shadow: [above, trial] }).shadow(action())).toEqual([
      { outcome: "hold", reason: "more than 50.00", rule: "over 50" },
      { outcome: "deny", reason: "freeze", rule: "all refunds" },
    ]);
  });

  it("counts only rules that would have been asked", () => {
    const trial: Rule = { name: "trial", outcome: "deny", shadow: true };
    const policy = { rules: [{ ...trial, name: "first" }, above, trial] };
    expect(
      gate(policy)
        .shadow(action())
        .map(({ rule }) => rule),
    ).toEqual(["first"]);
    expect(
      gate(policy)
        .shadow(action({ args: { cents: 1 } }))
        .map(({ rule }) => rule),
    ).toEqual(["first", "trial"]);
  });

  it("never changes an outcome, whatever the rules are", () => {
    const whens = fc.constantFrom<Rule["when"]>(
      () => true,
      () => false,
      ({ risk }) => risk === "high",
      () => {
        throw new Error("broken");
      },
      () => undefined as unknown as boolean,
    );
    const rules = fc.array(
      fc.record({
        outcome: fc.constantFrom("allow" as const, "hold" as const, "deny" as const),
        when: whens,
        shadow: fc.boolean(),
      }),
      { maxLength: 6 },
    ) as fc.Arbitrary<Rule[]>;
    const risks = fc.constantFrom<Risk | undefined>("low", "medium", "high", undefined);
    fc.assert(
      fc.property(rules, rules, risks, (list, trials, risk) => {
        const live = list.filter(({ shadow }) => !shadow).map((each) => ({ ...each, name: "x" }));
        const all = list.map((each) => ({ ...each, name: "x" }));
        const given = action({ risk });
        expect(gate({ rules: all, shadow: trials }).judge(given)).toEqual(gate({ rules: live }).judge(given));
      }),
    );
  });
});

describe("office hours", () => {
  const berlin = outsideHours({ from: "09:00", to: "17:00", timeZone: "Europe/Berlin" });

  it.each([
    { at: "2026-01-05T08:00:00.000Z", outside: false, name: "nine on a winter's Monday" },
    { at: "2026-01-05T07:59:59.999Z", outside: true, name: "just before" },
    { at: "2026-07-06T07:00:00.000Z", outside: false, name: "nine on a summer's Monday" },
    { at: "2026-01-05T16:00:00.000Z", outside: true, name: "five" },
    { at: "2026-01-04T12:00:00.000Z", outside: true, name: "a Sunday" },
    { at: "2026-01-04T23:30:00.000Z", outside: true, name: "half an hour into a Monday" },
  ])("go by the clock on the wall: $name", ({ at, outside }) => {
    expect(berlin({ at })).toBe(outside);
  });

  it("hold when the time is none", () => {
    const night = gate({ rules: [{ when: berlin, outcome: "allow" }] });
    expect(night.judge(action({ at: "soon" })).kind).toBe("hold");
  });

  it.each([
    { name: "a time that is none", hours: { from: "9", to: "17:00" } },
    { name: "hours past midnight", hours: { from: "22:00", to: "06:00" } },
    { name: "an hour that does not exist", hours: { from: "09:00", to: "25:00" } },
    { name: "a time zone that does not exist", hours: { from: "09:00", to: "17:00", timeZone: "Mars/Base" } },
    { name: "a day that does not exist", hours: { from: "09:00", to: "17:00", days: ["Mon" as "mon"] } },
  ])("are refused with $name", ({ hours }) => {
    expect(() => outsideHours(hours)).toThrow(expect.objectContaining({ code: "agent_invalid" }));
  });
});
