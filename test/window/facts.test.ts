// What a user told over several sessions: all of it stays in the log, and what was pinned in the window. How much of the
// rest is left when the thread is compacted is a table of `test/soak/window-facts.test.ts`.
import { describe, expect, test } from "vitest";
import { hasFact, hasFacts, readConversations, whyNoFacts, wordsOf } from "../kit/memory-facts.ts";
import { unbounded } from "../kit/window-run.ts";
import { factBudgets, lostFacts, tellThread, unpinnedFacts, wordsIn } from "./facts-measure.ts";
import { once } from "./once.ts";

const conversations = once(readConversations);

describe.skipIf(!hasFacts)(`facts of conversations${whyNoFacts}`, () => {
  test("all 79 are in the conversations, each in the message that its source is taken from", () => {
    const facts = conversations().flatMap(({ messages, facts }) =>
      facts.filter((fact) => hasFact(fact, wordsOf(messages[fact.message] ?? ""))),
    );
    expect(facts.length).toBe(79);
  });

  test("all are in a window without bound", () => {
    const facts = conversations().flatMap((each) => {
      const { windows } = tellThread(each.messages, {
        carrier: "signal",
        budget: unbounded,
        counter: "estimate",
      });
      const words = windows.slice(-1).flatMap(wordsIn);
      return each.facts.filter((fact) => hasFact(fact, words));
    });
    expect(facts.length).toBe(79);
  });

  for (const carrier of ["signal", "answer", "result"] as const) {
    test(`every fact told by ${carrier} is reachable through the log and its artifacts`, () => {
      expect(conversations().flatMap((each) => lostFacts(each, carrier))).toEqual([]);
    });
  }

  for (const budget of factBudgets) {
    test(`every pinned fact is in the window of ${budget} tokens`, () => {
      expect(conversations().flatMap((each) => unpinnedFacts(each, budget))).toEqual([]);
    });
  }
});
