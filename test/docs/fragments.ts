// Examples that are parts of a program: they compile with what they leave out, and are not run.

interface Fragment {
  /** Page and number of the example, among those of the page. */
  readonly at: string;
  /** What the reader has around it. */
  readonly around: string;
  readonly whyNotRun: string;
}

const needsKey = "it names a real model";
const isPart = "it is part of a file that the page describes";

export const fragments: readonly Fragment[] = [
  {
    at: "README.md 1",
    around: `declare const shop: {
        refund(orderId: string, cents: number, key: string): Promise<string>;
        wasRefunded(key: string): Promise<{ happened: true; value: string } | { happened: false }>;
        find(orderId: string): Promise<{ cents: number }>;
      };`,
    whyNotRun: needsKey,
  },
  {
    at: "docs/cli.md 1",
    around:
      'declare function countTokens(text: string): number; declare const hasOwner: import("holdpoint").Check;',
    whyNotRun: isPart,
  },
  {
    at: "docs/design.md 1",
    around: `import { agent, gate, promptFile, type Tool, window } from "holdpoint";
      import { z } from "zod";
      declare const orders: { find(id: string): Promise<string> };
      declare const [findOrder, issueRefund, sendEmail]: readonly [Tool, Tool, Tool];`,
    whyNotRun: needsKey,
  },
  {
    at: "docs/errors.md 1",
    around: `declare const error: import("holdpoint").ErrorInfo;`,
    whyNotRun: isPart,
  },
  {
    at: "docs/errors.md 2",
    around: `import { tool } from "holdpoint";
      import { z } from "zod";
      declare function reserve(args: { sku: string; quantity: number }): Promise<void>;`,
    whyNotRun: isPart,
  },
  { at: "docs/models.md 3", around: "declare const error: unknown;", whyNotRun: isPart },
  { at: "docs/models.md 4", around: `declare const model: import("holdpoint").Model;`, whyNotRun: isPart },
  { at: "docs/models.md 5", around: `declare const usage: import("holdpoint").Usage;`, whyNotRun: isPart },
  {
    at: "docs/models.md 7",
    around: `declare const input: import("holdpoint").ModelInput;`,
    whyNotRun: needsKey,
  },
  {
    at: "docs/tutorial.md 1",
    around: `import { tool } from "holdpoint";
      import { z } from "zod";`,
    whyNotRun: "tutorial.test.ts runs it in its place",
  },
];
