// A small agent with an effect that can be counted. It pays, as often as its job says, after asking its model each time.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Ledger } from "../../examples/support-desk/ledger.ts";
import { type Agent, agent, gate, type Model, tool } from "../../src/index.ts";

const jobSchema = z.object({
  /** What is paid over a hundred is held. */
  cents: z.number(),
  /** Payments one after the other. */
  times: z.number().default(1),
  /** Slept before the first. */
  sleepMs: z.number().default(0),
});

export type Job = z.input<typeof jobSchema>;

const payInput = z.object({ cents: z.number() });

/** Where payments are kept: one file each, made once per key. */
export interface Payments {
  /** @returns false when the key has paid before. */
  pay(key: string): boolean;
  has(key: string): boolean;
}

export function openPayments(folder: string): Payments {
  const path = (key: string): string => join(folder, key.replaceAll("/", "."));
  return {
    pay(key) {
      mkdirSync(folder, { recursive: true });
      try {
        const file = openSync(path(key), "wx");
        fsyncSync(file);
        closeSync(file);
        return true;
      } catch (error) {
        if (existsSync(path(key))) return false;
        throw error;
      }
    },
    has: (key) => existsSync(path(key)),
  };
}

export function clerk(payments: Payments, ledger: Ledger): Agent {
  const pay = tool({
    name: "pay",
    description: "Pays.",
    input: payInput,
    risk: "low",
    effect: "once",
    run({ cents }, { idempotencyKey, signal }) {
      signal.throwIfAborted();
      ledger({ tool: "pay", idempotencyKey, phase: "begun" });
      ledger({ tool: "pay", idempotencyKey, phase: payments.pay(idempotencyKey) ? "happened" : "absorbed" });
      return { cents };
    },
    verify: ({ cents }, { idempotencyKey }) =>
      payments.has(idempotencyKey) ? { happened: true, value: { cents } } : { happened: false },
  });
  return agent({
    name: "clerk",
    model,
    prompt: "Pay what is known now.",
    tools: [pay],
    input: jobSchema,
    gate: gate({
      expiresIn: "7d",
      decide: ({ args }) =>
        payInput.parse(args).cents > 100 ? { kind: "hold", reason: "over a hundred" } : undefined,
    }),
    async flow(t, job) {
      if (job.sleepMs > 0) await t.sleep(job.sleepMs);
      const ends: string[] = [];
      for (let paid = 0; paid < job.times; paid++) {
        const next = await t.decide({ see: { cents: job.cents } });
        if (next.kind === "calls") ends.push(...(await t.act(next.calls)).map((result) => result.status));
      }
      return ends;
    },
  });
}

const marker = "Known now:\n";

/** Pays what it is shown. */
const model: Model = {
  id: "test/clerk",
  async generate({ messages }) {
    const shown = messages.findLast(
      (message) => message.role === "user" && message.content.startsWith(marker),
    );
    const { cents } = payInput.parse(JSON.parse(shown?.content.slice(marker.length) ?? "null"));
    return { text: "", calls: [{ callId: "pay", tool: "pay", args: { cents } }], finish: "calls" };
  },
};
