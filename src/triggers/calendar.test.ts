import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { calendar } from "./calendar.ts";

function ticks(cron: string, timezone: string, from: string, to: string): readonly string[] {
  const { ticks } = calendar(cron, timezone).between(Date.parse(from), Date.parse(to), 1_000);
  return ticks.map((tick) => new Date(tick).toISOString().slice(0, 16));
}

describe("when the clocks are changed", () => {
  test.each([
    {
      name: "Berlin, spring: a time that is left out comes when the gap ends",
      cron: "30 2 * * *",
      zone: "Europe/Berlin",
      days: ["2026-03-28T00:00Z", "2026-03-30T12:00Z"],
      expected: ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    },
    {
      name: "Berlin, autumn: a time that comes twice is taken the first time",
      cron: "30 2 * * *",
      zone: "Europe/Berlin",
      days: ["2026-10-24T00:00Z", "2026-10-26T12:00Z"],
      expected: ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
    },
    {
      name: "Berlin: a time of the morning moves with the clocks",
      cron: "0 9 * * *",
      zone: "Europe/Berlin",
      days: ["2026-03-28T00:00Z", "2026-03-30T00:00Z"],
      expected: ["2026-03-28T08:00", "2026-03-29T07:00"],
    },
    {
      name: "New York, spring",
      cron: "30 2 * * *",
      zone: "America/New_York",
      days: ["2026-03-07T00:00Z", "2026-03-09T12:00Z"],
      expected: ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"],
    },
    {
      name: "New York, autumn",
      cron: "30 1 * * *",
      zone: "America/New_York",
      days: ["2026-10-31T00:00Z", "2026-11-02T12:00Z"],
      expected: ["2026-10-31T05:30", "2026-11-01T05:30", "2026-11-02T06:30"],
    },
    {
      name: "New York, autumn: what runs every half hour runs through the hour that comes twice",
      cron: "*/30 * * * *",
      zone: "America/New_York",
      days: ["2026-11-01T04:59Z", "2026-11-01T07:00Z"],
      expected: [
        "2026-11-01T05:00",
        "2026-11-01T05:30",
        "2026-11-01T06:00",
        "2026-11-01T06:30",
        "2026-11-01T07:00",
      ],
    },
    {
      name: "Berlin, spring: what runs every hour has no gap",
      cron: "0 * * * *",
      zone: "Europe/Berlin",
      days: ["2026-03-28T23:30Z", "2026-03-29T02:00Z"],
      expected: ["2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T02:00"],
    },
    {
      name: "without a change of clocks nothing moves",
      cron: "30 2 * * *",
      zone: "UTC",
      days: ["2026-03-28T00:00Z", "2026-03-29T12:00Z"],
      expected: ["2026-03-28T02:30", "2026-03-29T02:30"],
    },
  ])("$name", ({ cron, zone, days: [from = "", to = ""], expected }) => {
    expect(ticks(cron, zone, from, to)).toEqual(expected);
  });
});

describe("the ticks of a span", () => {
  const crons = fc.constantFrom(
    "30 2 * * *",
    "*/17 * * * *",
    "0 1-3 * * *",
    "5 0,2,3 * * SUN",
    "*/40 * * * * *",
  );
  const zones = fc.constantFrom(
    "Europe/Berlin",
    "America/New_York",
    "UTC",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
  );
  const hours = fc.integer({ min: 0, max: 24 * 365 });

  it("are the same whether they are walked through or cut to the newest", () => {
    fc.assert(
      fc.property(crons, zones, hours, fc.integer({ min: 0, max: 3_600_000 }), (cron, zone, hour, length) => {
        const { between } = calendar(cron, zone);
        const from = Date.UTC(2026, 0, 1) + hour * 3_600_000;
        const to = from + length * 24;
        const all = between(from, to, 10_000);
        expect(all.isCut).toBe(false);
        expect(all.ticks.every((tick) => tick > from && tick <= to)).toBe(true);
        const cut = between(from, to, 3);
        expect(cut.ticks).toEqual(all.ticks.slice(-3));
        expect(cut.isCut).toBe(all.ticks.length > 3);
      }),
      { numRuns: 60 },
    );
  });

  it("are the same from wherever one looks", () => {
    fc.assert(
      fc.property(crons, zones, hours, fc.nat(7_200_000), (cron, zone, hour, step) => {
        const { between } = calendar(cron, zone);
        const from = Date.UTC(2026, 0, 1) + hour * 3_600_000;
        const whole = between(from, from + 7_200_000, 10_000).ticks;
        const parts = [between(from, from + step, 10_000), between(from + step, from + 7_200_000, 10_000)];
        expect(parts.flatMap(({ ticks }) => ticks)).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  test("a tick at the very end counts, one at the beginning does not", () => {
    const at = Date.UTC(2026, 0, 5, 9);
    const { between } = calendar("0 9 * * *", "UTC");
    expect(between(at - 1, at, 5).ticks).toEqual([at]);
    expect(between(at, at + 1, 5).ticks).toEqual([]);
    expect(between(at - 86_400_001, at, 1)).toEqual({ ticks: [at], isCut: true });
  });
});

describe("what is no cron expression is refused", () => {
  test.each([
    "",
    "daily",
    "* * * *",
    "99 * * * *",
    "* * * * * * 2027",
    "@reboot",
    "? 9 * * *",
    "0 0 30 2 *",
    "2026-11-24T09:00:00",
    "0 9 * * FUNDAY",
  ])("%j", (cron) => {
    expect(() => calendar(cron, "UTC")).toThrow(
      expect.objectContaining({ code: "usage", fix: expect.any(String) }),
    );
  });

  test.each(["Mars/Olympus", "", "+01:00"])("in the time zone %j", (zone) => {
    expect(() => calendar("0 9 * * *", zone)).toThrow(expect.objectContaining({ code: "usage" }));
  });
});
