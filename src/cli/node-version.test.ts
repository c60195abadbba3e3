import { expect, it } from "vitest";
import { nodeProblem } from "./node-version.ts";

it.each(["20.20.2", "22.17.1", "18.0.0"])("refuses Node %s in words, not with a stack", (version) => {
  expect(nodeProblem(version)).toContain(`needs Node 22.18 or later, and this is ${version}`);
});

it.each(["22.18.0", "23.0.0", "24.21.0", "26.0.0-nightly"])("takes Node %s", (version) => {
  expect(nodeProblem(version)).toBeNull();
});
