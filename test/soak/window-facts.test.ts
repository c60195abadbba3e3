// How much of what a user told is left in what is sent, beside other ways to make a conversation fit. What is measured is
// whether the words are there; what a model would make of them is not.
import { afterAll, describe, expect, test } from "vitest";
import { hasFacts, readConversations, whyNoFacts } from "../kit/memory-facts.ts";
import { measureFacts, showFacts } from "../window/facts-measure.ts";

const printed: string[] = [];
afterAll(() => void process.stdout.write(printed.map((text) => `${text}\n\n`).join("")));

describe.skipIf(!hasFacts)(`facts of conversations${whyNoFacts}`, () => {
  test("a window of 8,000, 4,000 and 2,000 tokens keeps of them what the table shows, and is never over", () => {
    const conversations = readConversations();
    const rows = measureFacts(conversations);
    printed.push(`Facts in what is sent\n${showFacts(rows, conversations)}`);
    for (const row of rows.filter(({ name }) => name.startsWith("the window")))
      expect.soft(row.over, `${row.name} at ${row.budget}`).toBe(0);
  });
});
