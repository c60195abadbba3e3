import { describe, expect, test } from "vitest";
import { drawsOf } from "../../bench/controls/draws.ts";

const draws = drawsOf({ seed: 3, faults: 0.2, approverErrors: 0.1 });
const calls = Array.from({ length: 4_000 }, (_, index) => ({
  task: Math.floor(index / 4),
  call: 1 + (index % 4),
}));
const modelFaults = calls.flatMap(({ task, call }) => draws.modelFault(task, call) ?? []);
const within = (count: number, of: number, share: number): void => {
  const error = 4 * Math.sqrt((share * (1 - share)) / of); // one draw in 16,000 lies outside
  expect(count / of).toBeGreaterThan(share - error);
  expect(count / of).toBeLessThan(share + error);
};

describe("faults of model calls", () => {
  test("follow from seed, task and call alone", () => {
    const again = drawsOf({ seed: 3, faults: 0.2, approverErrors: 0 });
    const backwards = calls.toReversed().map(({ task, call }) => again.modelFault(task, call));
    expect(backwards.toReversed()).toEqual(calls.map(({ task, call }) => draws.modelFault(task, call)));
    const other = drawsOf({ seed: 4, faults: 0.2, approverErrors: 0 });
    expect(calls.map(({ task, call }) => other.modelFault(task, call))).not.toEqual(backwards.toReversed());
  });

  test("are as many as asked for, a third of each kind, and all kinds of each", () => {
    const firsts = calls.filter(({ call }) => call === 1); // later ones may be stuck since
    const faults = firsts.flatMap(({ task, call }) => draws.modelFault(task, call) ?? []);
    within(faults.length, firsts.length, 0.2);
    for (const kind of ["form", "call", "action"])
      within(faults.filter((fault) => fault.kind === kind).length, faults.length, 1 / 3);
    const names = new Set(modelFaults.map(({ name }) => name));
    expect(names.size).toBe(19 + 8 + 4);
    expect(names).not.toContain("overflow"); // it comes of lengths
  });

  test("a model that is stuck stays so for some calls, and not for ever", () => {
    const stuckAt = calls.find(({ task, call }) => draws.modelFault(task, call)?.name === "stuck");
    if (!stuckAt) throw new Error("some model gets stuck");
    const stuck = (after: number): boolean =>
      draws.modelFault(stuckAt.task, stuckAt.call + after)?.name === "stuck";
    expect(stuck(1)).toBe(true);
    const never = Array.from({ length: 1_000 }, (_, after) => stuck(after)).every(Boolean);
    expect(never).toBe(false);
  });

  test("there are none at a rate of 0", () => {
    const sound = drawsOf({ seed: 3, faults: 0, approverErrors: 0 });
    for (const { task, call } of calls) {
      expect(sound.modelFault(task, call)).toBeNull();
      expect(sound.toolFault(task, "issue_refund", call, true)).toBeNull();
      expect(sound.obeys(task, call)).toBe(false);
    }
  });
});

test("tools fail in half as many runs, a fifth as many writes are killed, and no read is", () => {
  const writes = calls.map(({ task, call }) => draws.toolFault(task, "send_email", call, true));
  const reads = calls.map(({ task, call }) => draws.toolFault(task, "send_email", call, false));
  within(writes.filter((fault) => fault?.startsWith("fails")).length, writes.length, 0.1);
  within(writes.filter((fault) => fault?.startsWith("killed")).length, writes.length, 0.04);
  expect(reads.filter((fault) => fault?.startsWith("killed"))).toEqual([]);
});

test("people err at their rate, and times lie around their median", () => {
  const errors = calls.filter(({ task, call }) => draws.approverErrs(task, "send_email", call)).length;
  within(errors, calls.length, 0.1);
  const times = calls.map(({ task, call }) => draws.takesMs(`${task} ${call}`, 300_000, 1));
  within(times.filter((ms) => ms < 300_000).length, times.length, 0.5);
  within(times.filter((ms) => ms < 300_000 / Math.E).length, times.length, 0.1587);
});
