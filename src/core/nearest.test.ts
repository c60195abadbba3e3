import { describe, expect, it } from "vitest";
import { nearest } from "./nearest.ts";

describe("nearest", () => {
  it("finds what was mistyped or copied in part, best first", () => {
    const ids = ["th_3ea611d7", "th_3ea611d8", "th_99999999"];
    expect(nearest("th_3ea611d7x", ids)).toEqual(["th_3ea611d7", "th_3ea611d8"]);
    expect(nearest("9999", ids)).toEqual(["th_99999999"]);
    expect(nearest("something else", ids)).toEqual([]);
  });
});
