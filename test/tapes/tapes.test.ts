// A short share of `bench/tapes`: recorded real runs through Holdpoint's provider package, window, gate and store.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runKilled } from "../../bench/tapes/killed.ts";
import { type ChatMessage, matchRequest } from "../../bench/tapes/match-request.ts";
import { runGold, runPlain, runSmallWindow } from "../../bench/tapes/plain.ts";
import { callsOf, hasTapes, type Recording, readRecordings, writesOf } from "../../bench/tapes/recordings.ts";
import { holds, isReached, type Report } from "../../bench/tapes/report.ts";
import { tempFolder } from "../kit/runtime.ts";
import { whyNoTapes } from "../kit/tape.ts";
import { once } from "../window/once.ts";

const recordings = once(() => readRecordings());
const five = ["airline-2-0", "airline-6-2", "airline-41-2", "airline-43-0", "telecom-9"];
const some = (...ids: readonly string[]): readonly Recording[] =>
  recordings().filter(({ id }) => ids.includes(id));

describe.skipIf(!hasTapes)(`recorded runs, replayed${whyNoTapes}`, () => {
  test("there are 140, with what they wrote and what they should have written", () => {
    const all = recordings();
    const counts = {
      runs: all.length,
      calls: all.flatMap(callsOf).length,
      writes: all.flatMap(writesOf).length,
      gold: all.flatMap(({ gold }) => gold).length,
    };
    expect(counts).toMatchInlineSnapshot(`
      {
        "calls": 779,
        "gold": 141,
        "runs": 140,
        "writes": 152,
      }
    `);
  });

  test("five end with the recorded results, and the ledger has the recorded writes", async () => {
    expectHeld(await inFolder((folder) => runPlain(some(...five), { folder, signal: never })));
  });

  test("so they do with a window of 8,000 tokens, and no request is larger", async () => {
    const report = await inFolder((folder) => runSmallWindow(some("telecom-9"), { folder, signal: never }));
    expectHeld(report);
    expect(figureOf(report, /something is compacted/)).toBeGreaterThan(0);
  });

  test("an approver who follows the gold actions lets no wrong write through", async () => {
    const report = await inFolder((folder) =>
      runGold(some("airline-41-2", "airline-43-0"), { folder, signal: never }),
    );
    expectHeld(report);
    expect(figureOf(report, /wrong writes executed, every write allowed/)).toBeGreaterThan(0);
    expect(figureOf(report, /right writes executed, approver/)).toBeGreaterThan(0);
  });

  test("a run whose process is killed at its event boundaries ends as recorded, with nothing paid twice", async () => {
    const options = { kills: 4, threadsPerKill: 1, signal: never, progress: () => {} };
    const report = await inFolder((folder) => runKilled(some("airline-41-2"), { ...options, folder }));
    expectHeld(report);
    expect(figureOf(report, /SIGKILLs/)).toBeGreaterThanOrEqual(4);
  }, 60_000);

  test("a write that took place before the kill, and is not in the log, does not take place again", async () => {
    const first = { event: 20, when: "before" } as const; // the completion of its only write
    const options = { kills: 1, threadsPerKill: 1, first, signal: never, progress: () => {} };
    const report = await inFolder((folder) => runKilled(some("airline-43-0"), { ...options, folder }));
    expectHeld(report);
    expect(figureOf(report, /after a write took place/)).toBe(1);
  }, 60_000);

  describe("a request that differs from the recording is refused, by what differs", () => {
    const recording = once(() => some("airline-6-2")[0] as Recording);

    test("as it was recorded it is answered, whichever turn it asks for", () => {
      const turns = recording().turns.map((_, turn) =>
        matchRequest(recording(), requestFor(recording(), turn), "whole"),
      );
      expect(turns).toEqual(turns.map((_, turn) => ({ kind: "turn", turn, shown: turn, referenced: 0 })));
    });

    test.each<{ name: string; change: (messages: ChatMessage[]) => ChatMessage[]; why: RegExp }>([
      {
        name: "another policy",
        change: ([first, ...rest]) => [{ role: "system", content: `${first?.content}!` }, ...rest],
        why: /not the policy/,
      },
      {
        name: "another result",
        change: (messages) =>
          messages.map((message) =>
            message.role === "tool" ? { ...message, content: '{"other":1}' } : message,
          ),
        why: /the result of \w+ is \{"other":1\}/,
      },
      {
        name: "no result",
        change: (messages) => messages.filter(({ role }) => role !== "tool"),
        why: /there are no results of/,
      },
      {
        name: "something more",
        change: ([first, ...rest]) => [
          first as ChatMessage,
          { role: "user", content: "And hurry." },
          ...rest,
        ],
        why: /said first is missing/,
      },
    ])("$name", ({ change, why }) => {
      const last = recording().turns.length - 1;
      const matched = matchRequest(recording(), change([...requestFor(recording(), last)]), "whole");
      expect(matched).toEqual({ kind: "difference", why: expect.stringMatching(why) });
    });

    test("a reference to another value than the recorded one", () => {
      const last = recording().turns.length - 1;
      const messages = requestFor(recording(), last).map((message) =>
        message.role === "tool"
          ? { ...message, content: '{"artifact":"art_0123456789abcdef","bytes":900}' }
          : message,
      );
      expect(matchRequest(recording(), messages, "compacted").kind).toBe("difference");
    });
  });
});

/** What Holdpoint sends at this turn, written out by hand. */
function requestFor({ system, input, turns }: Recording, turn: number): readonly ChatMessage[] {
  const before = turns.slice(0, turn).flatMap((one): ChatMessage[] => {
    if (one.kind === "reply") {
      const content = `Asked a person: ${JSON.stringify(one.text)} Answer: ${JSON.stringify(one.next)}`;
      return [{ role: "user", content }];
    }
    const made = one.calls.map(({ tool, args }) => ({
      function: { name: tool, arguments: JSON.stringify(args) },
    }));
    return [
      { role: "assistant", content: one.text, tool_calls: made },
      ...one.calls.map(({ result }): ChatMessage => ({ role: "tool", content: result })),
    ];
  });
  return [{ role: "system", content: system }, { role: "user", content: input }, ...before];
}

const never = new AbortController().signal;

async function inFolder(run: (folder: string) => Promise<Report>): Promise<Report> {
  const folder = tempFolder();
  try {
    return await run(join(folder.path, "tapes"));
  } finally {
    folder.remove();
  }
}

function expectHeld(report: Report): void {
  const missed = report.figures.filter((figure) => !isReached(figure));
  expect({ missed, problems: report.problems }).toEqual({ missed: [], problems: [] });
  expect(holds(report)).toBe(true);
}

function figureOf({ figures }: Report, what: RegExp): number {
  return figures.find((figure) => what.test(figure.what))?.value ?? Number.NaN;
}
