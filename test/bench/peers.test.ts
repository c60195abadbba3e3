// The work of `npm run bench:peers` on the two peers that need no package of their own: what it counts must be right
// before it is said of others.
import { afterEach, beforeEach, expect, test } from "vitest";
import { peer as bare } from "../../bench/peers/bare.ts";
import { holdpoint } from "../../bench/peers/holdpoint.ts";
import { faultNames, roles } from "../../bench/peers/roles.ts";
import { tempFolder } from "../kit/runtime.ts";

const ours = holdpoint({ title: "Holdpoint", verifies: true });
let folder: ReturnType<typeof tempFolder>;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(() => folder.remove());

const given = {
  runId: "r",
  steps: 3,
  deliveries: 1,
  fault: "wrong type",
  forEver: false,
  maxTokens: 32_000,
  isGuarded: false,
} as const;

test.each([ours, bare])("$title takes its steps to the end, and they are on disk", async (peer) => {
  const taken = await roles.steps?.(peer, { ...given, steps: 50, folder: folder.path });
  expect(taken).toMatchObject({ outcome: { kind: "ended" } });
  expect(taken).toHaveProperty(
    "bytesPerStep",
    expect.toSatisfy((bytes: number) => bytes > 1_000),
  );
});

test.each([ours, bare])("$title pauses for an approval and runs the action after it", async (peer) => {
  const at = { ...given, folder: folder.path };
  expect(await roles.pause?.(peer, at)).toEqual({ kind: "paused" });
  expect(await roles.resume?.(peer, at)).toMatchObject({ kind: "ended", ms: expect.any(Number) });
});

test.each(faultNames)("no tool of Holdpoint runs on what is invalid: %s", async (fault) => {
  const result = await roles.invalid?.(ours, { ...given, fault, folder: folder.path });
  expect(result).toMatchObject({ ran: [], asked: 2, outcome: { kind: "ended" }, keepsCall: false });
});

test("the bare loop runs on it, so the count is no constant", async () => {
  const result = await roles.invalid?.(bare, { ...given, folder: folder.path });
  expect(result).toMatchObject({ ran: [{ page: "one" }], keepsCall: true });
});

test("the endpoint refuses what is over its limit: the bare loop ends on it", async () => {
  const result = await roles.overflow?.(bare, { ...given, folder: folder.path });
  expect(result).toMatchObject({ outcome: { kind: "failed" }, refused: 1 });
});
