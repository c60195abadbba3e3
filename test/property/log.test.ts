import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chainNext, chainStart, decodeEvent, encodeEvent } from "../../src/core/codec.ts";
import { type EventBody, event } from "../../src/core/events.ts";
import { evolve } from "../../src/core/evolve.ts";
import { canonicalJson, type Json, toJson } from "../../src/core/json.ts";
import { replay, startReplay } from "../../src/core/replay.ts";
import { initialState } from "../../src/core/state.ts";
import { flowOf, hostileJson, programs, runLog, shapeOf } from "../kit/programs.ts";

const choices = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 25 });
const values = fc.array(hostileJson, { minLength: 1, maxLength: 5 });

describe("any legal log", () => {
  it("folds, and replays to the same rest at every prefix, also in memory", async () => {
    await fc.assert(
      fc.asyncProperty(programs, choices, values, async (program, picks, data) => {
        const events = await runLog(program, picks, data);
        const state = events.slice(0, 1).reduce(evolve, initialState());
        const live = startReplay(flowOf(program), state, new Map());
        for (let length = 1; length <= events.length; length++) {
          for (const next of events.slice(Math.max(1, length - 1), length))
            if (state.head < next.seq) evolve(state, next);
          const inMemory = shapeOf(await live.advance());
          expect(inMemory).toEqual(shapeOf(await replay(flowOf(program), events.slice(0, length))));
        }
        expect(live.unclaimed()).toEqual([]);
        expect(live.mismatch()).toBeNull();
      }),
      { numRuns: 200 },
    );
  });

  it("reads back as it was written, whatever its strings imitate", () => {
    fc.assert(
      fc.property(hostileJson, fc.string({ unit: "binary" }), (value, name) => {
        const body: EventBody = event("signal_received", { signalId: name, signal: name, value, by: name });
        const text = encodeEvent(body, "2026-01-01T00:00:00.000Z");
        const stored = Buffer.from(text, "utf8").toString("utf8"); // what a file gives back
        const { seq, ...read } = decodeEvent(stored, 7, "th_1");
        expect(seq).toBe(7);
        expect(JSON.stringify(read)).toBe(JSON.stringify({ ...body, at: "2026-01-01T00:00:00.000Z" }));
      }),
      { numRuns: 500 },
    );
  });
});

describe("the chain", () => {
  it("differs for every difference in text, place or thread", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), fc.nat(), (one, two, seqOne, seqTwo) => {
        const same = one === two && seqOne === seqTwo;
        const left = chainNext(chainStart("a"), seqOne, one);
        const right = chainNext(chainStart("a"), seqTwo, two);
        expect(left === right).toBe(same);
        expect(chainNext(chainStart("b"), seqOne, one)).not.toBe(left);
      }),
    );
  });
});

describe("canonical JSON", () => {
  it("is one text per value, whatever the order of keys", () => {
    fc.assert(
      fc.property(hostileJson, (value) => {
        const shuffled = reverseKeys(value);
        expect(canonicalJson(shuffled)).toBe(canonicalJson(value));
        expect(canonicalJson(JSON.parse(canonicalJson(value)) as Json)).toBe(canonicalJson(value));
      }),
    );
  });

  it("keeps what JSON keeps, and refuses the rest by path", () => {
    fc.assert(
      fc.property(hostileJson, (value) => {
        expect(JSON.stringify(toJson(value))).toBe(JSON.stringify(value));
      }),
    );
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    for (const bad of [
      cyclic,
      { a: 1n },
      [() => 1],
      { b: Number.NaN },
      new Map(),
      { c: new Uint8Array(2) },
      [Buffer.from("text")],
      new Blob(["text"]),
      new Response("text"),
    ]) {
      expect(() => toJson(bad)).toThrow(expect.objectContaining({ code: "not_json" }));
    }
  });
});

function reverseKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(reverseKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reverseKeys(member as Json)]),
  );
}
