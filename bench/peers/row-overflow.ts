import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "./child.ts";
import type { Cell, PeerRow } from "./peers.ts";
import type { Overflow } from "./roles.ts";

const maxTokens = 32_000;

export const overflowRow: PeerRow = {
  name: "Context overflow: 20 results of 100 KB, a model that refuses over 32,000 tokens",
  how: "As it comes, and with the means that the documentation names switched on (in the first table). Whether the run ended, and how many calls the model refused. A single result fits, two do not.",
  isTimed: false,
  reading:
    "Ended says that the run went through, not that the model still saw what it needed: each means leaves older results out of the prompt. That Holdpoint ends as it comes is due to its default of keeping values over 64 KiB aside, by reference.",
  async measure(peer, _facts, folder) {
    const [plain, guarded] = [await run(peer, folder, false), await run(peer, folder, true)];
    return {
      text: `as it comes: ${show(plain)}; guarded: ${show(guarded)}`,
      data: { plain, guarded },
    };
  },
};

async function run(peer: string, folder: string, isGuarded: boolean): Promise<Overflow> {
  const own = join(folder, String(isGuarded));
  mkdirSync(own, { recursive: true });
  return startChild<Overflow>(peer, "overflow", { folder: own, maxTokens, isGuarded }).result;
}

function show({ outcome, asked, refused }: Overflow): Cell["text"] {
  const end = outcome.kind === "ended" && asked - refused >= 20 ? "ended" : `stopped at call ${asked}`;
  return `${end}, ${refused} refused`;
}
