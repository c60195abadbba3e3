import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "./child.ts";
import type { Cell, PeerRow } from "./peers.ts";
import { faultNames, type InvalidOutput, patienceCalls } from "./roles.ts";

const readings = {
  "unknown tool":
    "No tool can run on it. What differs is whether the run goes on, and whether the invalid call stays in every later prompt, where a model finds it as an example.",
  "wrong type":
    "A tool must not see it. The message should say which argument is wrong and what was expected, in few words: it is paid for with every later call.",
  "extra field":
    "The schema forbids further fields. A field that is dropped in silence may have been what the model meant; one that is let through reaches code that nobody wrote for it.",
  "cut off, as said":
    "The endpoint says that the output ended at its limit. Half an argument must not become a whole one.",
  "cut off, unsaid": "The same, from an endpoint that does not say so: only the JSON tells.",
} as const satisfies Readonly<Record<(typeof faultNames)[number], string>>;

export const invalidRows: readonly PeerRow[] = faultNames.map((fault) => ({
  name: `Invalid output: ${fault}`,
  how: "The first output is spoilt, the next is an answer. Whether a tool ran on it, how the run ended, and what the next prompt holds of it.",
  isTimed: false,
  reading: readings[fault],
  measure: async (peer, _facts, folder) => show(await put(peer, folder, fault, false)),
}));

export const persistentRow: PeerRow = {
  name: "Invalid output, for ever (wrong type)",
  how: `Every output is spoilt, with the limits at their defaults. Model calls until the run stopped, and how; the model gives in after ${patienceCalls}.`,
  isTimed: false,
  reading:
    "Each call is paid. What matters is that it stops, after how many, and whether someone is told: an error that names the cause, a person who is asked, or a result that looks like any other.",
  async measure(peer, _facts, folder) {
    const { asked, outcome } = await put(peer, folder, "wrong type", true);
    const end = outcome.kind === "failed" ? outcome.error : outcome.kind;
    const text =
      asked >= patienceCalls ? `no stop in ${patienceCalls} calls` : `${asked} calls, then ${short(end)}`;
    return { text, data: { asked, outcome } };
  },
};

async function put(peer: string, folder: string, fault: string, forEver: boolean): Promise<InvalidOutput> {
  const own = join(folder, String(forEver));
  mkdirSync(own, { recursive: true });
  return startChild<InvalidOutput>(peer, "invalid", { folder: own, fault, forEver }).result;
}

function show(result: InvalidOutput): Cell {
  const { ran, outcome, told, keepsCall } = result;
  const parts = [ran.length === 0 ? "nothing ran" : `**ran with ${JSON.stringify(ran[0])}**`];
  if (outcome.kind === "failed") parts.push(`run fails: ${short(outcome.error)}`);
  if (outcome.kind === "ended" && told === null)
    parts.push("the run ends on it as if it were an answer, and the model is not asked again");
  if (told !== null)
    parts.push(
      `next prompt ${keepsCall ? "keeps the call" : "is without the call"}, and says: “${short(told)}”`,
    );
  return { text: parts.join("; "), data: result };
}

const short = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 110 ? `${line.slice(0, 110)}…` : line;
};
