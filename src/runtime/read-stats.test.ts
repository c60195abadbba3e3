import { expect, it } from "vitest";
import type { NumbersStore } from "../ports/numbers-store.ts";
import { readStats } from "./read-stats.ts";

const now = Date.parse("2026-11-24T12:00:00Z");

/** The period that is asked of the store, which has nothing. */
async function periodOf(since: string): Promise<{ readonly since: string; readonly until: string }> {
  const numbers: NumbersStore = {
    read: async () => ({ threads: [], facts: [], answers: [] }),
    totals: async () => [],
  };
  return readStats(numbers, { since }, now);
}

it.each([
  ["12h", "2026-11-24T00:00:00.000Z"],
  ["2026-11-23", "2026-11-23T00:00:00.000Z"],
  ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ["2026-11-24T08:00Z", "2026-11-24T08:00:00.000Z"],
  ["2026-11-24T08:00:00.5+02:00", "2026-11-24T06:00:00.500Z"],
])("counts from %s", async (given, since) => expect(await periodOf(given)).toMatchObject({ since }));

it.each([
  "2026-02-30",
  "2026-02-29",
  "2026-02-30T08:00:00Z",
  "2026-13-01",
  "2026-11-24T08:00:00", // of which zone?
  "2026-11-24T24:00:00Z",
  "2026-11-24 08:00:00Z",
  "2026-11-24 (foo)",
  "2026-11-2",
  "",
])("takes no period from %j", (given) => expect(periodOf(given)).rejects.toMatchObject({ code: "usage" }));
