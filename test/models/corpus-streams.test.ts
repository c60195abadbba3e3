// Recorded streams in other pieces than they came in, and cut off. A share of each sweep, chosen by a fixed seed; the
// whole of both is in test/soak/corpus-streams.test.ts.
import { describe, expect, test } from "vitest";
import { type Exchange, hasCorpus, whyNoCorpus } from "./corpus.ts";
import { outcomeOf } from "./corpus-outcome.ts";
import { createRealModel } from "./corpus-packages.ts";
import { playPieces, recordedStreams, seededNumbers, sweepCuts, sweepSplits } from "./corpus-streams.ts";
import { type Loopback, openLoopback } from "./loopback.ts";

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

  test("over HTTP too", { timeout: 300_000 }, async () => {
    const server = await openLoopback();
    const differ: string[] = [];
    for (const [seed, stream] of recordedStreams().entries()) {
      const { dialect, vendor, model } = stream;
      const [at = 0] = seededNumbers(seed, 1, Buffer.concat(stream.chunks).length);
      server.respond = inTwo(stream, at);
      const real = createRealModel(dialect, vendor, model, { baseURL: server.url });
      const split = JSON.stringify(await outcomeOf(real, stream));
      const whole = JSON.stringify(await playPieces(stream, stream.chunks));
      if (split !== whole) differ.push(`${stream.name}, in two at ${at}`);
    }
    expect(differ).toEqual([]);
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

/** The second piece is sent when the first has left. */
function inTwo({ status, headers, chunks }: Exchange, at: number): Loopback["respond"] {
  const bytes = Buffer.concat(chunks);
  return (response) => {
    response.writeHead(status, headers);
    response.write(bytes.subarray(0, at), () => response.end(bytes.subarray(at)));
  };
}
