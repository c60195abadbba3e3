import { describe, expect, it } from "vitest";
import { actionDone, log, proposed, started, stepDone } from "../../test/kit/log.ts";
import { argumentSources } from "./argument-sources.ts";
import { type EventBody, event } from "./events.ts";
import { evolve } from "./evolve.ts";
import type { Json } from "./json.ts";
import { initialState } from "./state.ts";

function sourcesOf(args: Json, bodies: readonly EventBody[], requested?: Json) {
  const state = log(...bodies).reduce(evolve, initialState());
  const sources = argumentSources(state, new Map([["big", '["in the artifact X-77"]']]), { args, requested });
  return Object.fromEntries(
    sources.map(({ path, found, filledIn }) => [
      path,
      filledIn ? "filled in" : found && `${found.seq} ${found.from}`,
    ]),
  );
}

describe("where an argument comes from", () => {
  it("is the first event that holds it word for word", () => {
    const bodies = [
      started("Refund order A-1007, please. dana@example.com"),
      stepDone("step:find#1", { order: "A-1007", total: 4200 }),
      proposed("act:look#1", {}),
      actionDone("act:look#1", { iban: ["DE02 1203"] }),
    ];
    expect(
      sourcesOf(
        {
          id: "A-1007",
          cents: 4200,
          to: { mail: "dana@example.com" },
          banks: [{ iban: "DE02 1203" }],
          why: "made up",
        },
        bodies,
      ),
    ).toEqual({
      id: "1 input",
      cents: "2 step:find#1",
      "to.mail": "1 input",
      "banks[0].iban": "4 act:look#1",
      why: null,
    });
  });

  it.each([
    ["dana@example.com", "not-dana@example.com"],
    ["dana@example.com", "dana@example.com.evil.test"],
    ["4200", "14200"],
    ["4200", "4200.50"],
    ["4.50", "14.50"],
    ["A-17", "A-170"],
  ])("is not where %s stands in %s", (leaf, text) => {
    expect(sourcesOf([leaf], [started(text)])).toEqual({ "[0]": null });
  });

  it.each([
    ["dana@example.com", "<dana@example.com>."],
    ["4200", "cents:4200,"],
    ["A-17", "it is A-17. Thanks"],
  ])("is where %s stands in %s", (leaf, text) => {
    expect(sourcesOf([leaf], [started(text)])).toEqual({ "[0]": "1 input" });
  });

  it("may be a large value, and is not what a child was given", () => {
    const artifact = { digest: "big", bytes: 9, preview: "" };
    const large = event("step_completed", {
      key: "step:load#1",
      attempt: 1,
      durationMs: 1,
      result: { artifact },
    });
    const child = event("child_started", {
      key: "call:c#1",
      childId: "th_c",
      agent: "c",
      input: { value: "from the parent" },
    });
    expect(sourcesOf(["X-77", "from the parent"], [started(""), large, child])).toEqual({
      "[0]": "2 step:load#1",
      "[1]": null,
    });
  });

  it("is the schema, for what nobody asked for", () => {
    expect(sourcesOf({ id: "A-1", note: "none" }, [started("x")], { id: "A-1" })).toEqual({
      id: null,
      note: "filled in",
    });
  });

  it("is looked for within bounds: short leaves, forty of them, and half a million characters", () => {
    const args = {
      short: "ab",
      long: "x".repeat(201),
      flag: true,
      many: Array.from({ length: 60 }, (_, index) => `leaf ${index}`),
    };
    const startedAt = performance.now();
    const sources = sourcesOf(args, [started("y ".repeat(2_000_000)), stepDone("step:s#1", "leaf 1")]);
    expect(Object.keys(sources)).toHaveLength(40);
    expect(sources["many[1]"]).toBe(null); // beyond what is searched
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
