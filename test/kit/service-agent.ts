// What a service under test runs: one payment each, which a person must approve. The ledger in the working folder says
// what took place, whatever any log says.
import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { fileLedger } from "../../examples/support-desk/ledger.ts";
import { agent, tool } from "../../src/index.ts";

const path = "ledger.jsonl";
const ledger = fileLedger(path);

const pay = tool({
  name: "pay",
  description: "Pays.",
  input: z.object({ number: z.int() }),
  risk: "high",
  effect: "once",
  run({ number }, { idempotencyKey, signal }) {
    signal.throwIfAborted();
    ledger({ tool: "pay", idempotencyKey, phase: "happened" });
    return { number };
  },
  verify: ({ number }, { idempotencyKey }) =>
    existsSync(path) && readFileSync(path, "utf8").includes(`${JSON.stringify(idempotencyKey)},`)
      ? { happened: true, value: { number } }
      : { happened: false },
});

export default agent({
  name: "payer",
  input: z.object({ number: z.int() }),
  tools: [pay],
  async flow(t, { number }) {
    const { status } = await t.act(pay, { number });
    return status;
  },
});
