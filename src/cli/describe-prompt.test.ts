import { describe, expect, it } from "vitest";
import type { ExactInput } from "../core/window/exact-input.ts";
import type { PartTreatment } from "../core/window/window-record.ts";
import { describeManifest } from "./describe-prompt.ts";

/** The members that a manifest tells of. */
function inputOf(treatments: readonly PartTreatment[]): ExactInput {
  const parts = treatments.map((treatment, index) => ({
    kind: "turn",
    seqs: [index, index],
    tokens: 10,
    treatment,
  }));
  return { parts, record: { tokens: 10, budget: 100, dropped: 0 } } as unknown as ExactInput;
}

describe("a prompt's manifest", () => {
  const lastLine = (treatments: readonly PartTreatment[]) =>
    describeManifest(inputOf(treatments), (_style, text) => text, 80).at(-1);

  it("does not say that nothing was left out beside a part that it marks as dropped", () => {
    expect(lastLine(["kept"])).toBe("told in short, or left out: nothing");
    expect(lastLine(["kept", "dropped"])).toBe(
      "told in short, or left out: nothing, besides what is marked dropped",
    );
  });
});
