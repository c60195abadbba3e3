// Recorded streams in other pieces than they came in, and cut off. A share of each sweep, chosen by a fixed seed; the
// whole of both is in test/soak/corpus-streams.test.ts.
import { describe, expect, test } from "vitest";
import { hasCorpus, whyNoCorpus } from "./corpus.ts";
import { sweepCuts, sweepSplits } from "./corpus-streams.ts";

describe.skipIf(!hasCorpus)(`recorded streams${whyNoCorpus}`, () => {
  test("in whatever pieces a stream comes, its output is the same", { timeout: 300_000 }, async () => {
    const plan = { everyUpTo: 800, sampled: 2, sampledInCharacters: 3, singleBytesUpTo: 2_000 };
    expect(await sweepSplits(plan)).toMatchInlineSnapshot(`
      {
        "atEvery": 8,
        "differ": [],
        "inCharacters": 218,
        "splits": 6106,
        "streams": 239,
      }
    `);
  });

  test("a stream that is cut decides the same, or is tried again", { timeout: 300_000 }, async () => {
    expect(await sweepCuts(6)).toMatchInlineSnapshot(`
      {
        "cuts": 2400,
        "none": 0,
        "retried": 2011,
        "same": 389,
        "streams": 239,
        "wrong": [],
      }
    `);
  });
});
