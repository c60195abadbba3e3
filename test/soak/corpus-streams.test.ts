// Recorded streams in other pieces than they came in, and cut off after every chunk.
import { describe, expect, test } from "vitest";
import { hasCorpus, whyNoCorpus } from "../models/corpus.ts";
import { sweepCuts, sweepSplits } from "../models/corpus-streams.ts";

/** Three minutes each on an idle core; a share of it on a busy machine. */
const longestMs = 1_800_000;

describe.skipIf(!hasCorpus)(`recorded streams${whyNoCorpus}`, () => {
  test("in whatever pieces a stream comes, its output is the same", { timeout: longestMs }, async () => {
    const plan = { everyUpTo: 4_000, sampled: 20, sampledInCharacters: 10_000, singleBytesUpTo: 50_000 };
    const { differ, ...counts } = await sweepSplits(plan);
    process.stdout.write(`streams in other pieces: ${JSON.stringify(counts)}\n`);
    expect(differ).toEqual([]);
  });

  test("a stream that is cut after any of its chunks decides the same, or is tried again", {
    timeout: longestMs,
  }, async () => {
    const { wrong, ...counts } = await sweepCuts(Number.POSITIVE_INFINITY);
    process.stdout.write(`streams cut off: ${JSON.stringify(counts)}\n`);
    expect(wrong).toEqual([]);
  });
});
