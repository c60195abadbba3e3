// What the stand-in makes of the messages it is given, whoever wrote them: a window, or a loop that appends.
import { z } from "zod";
import type { ModelInput } from "../../src/index.ts";

const knownSchema = z.object({
  mail: z.object({
    from: z.string(),
    name: z.string(),
    messageId: z.string(),
    subject: z.string(),
    text: z.string(),
  }),
  ticket: z.object({
    customer: z.object({ customerId: z.string(), name: z.string() }),
    orders: z.array(z.object({ orderId: z.string(), refundableCents: z.number() })),
  }),
});

/** One call and what is shown of its result. */
export interface Made {
  readonly tool: string;
  readonly args: unknown;
  readonly content: string;
  readonly outcome: "done" | "denied" | "failed" | "failed for good" | "open";
}

export type View = z.infer<typeof knownSchema> & { readonly made: readonly Made[] };

/** `null` when it sees no instructions, or no mail. */
export function viewOf({ messages }: ModelInput, instructions: string): View | null {
  const isInstructed = messages.some(
    (message) => message.role === "system" && message.content.includes(instructions),
  );
  if (!isInstructed) return null;
  for (const message of messages) {
    if (message.role !== "user") continue;
    const known = knownSchema.safeParse(parseJson(message.content));
    if (known.success) return { ...known.data, made: madeIn(messages) };
  }
  return null;
}

function madeIn(messages: ModelInput["messages"]): readonly Made[] {
  const args = new Map<string, unknown>();
  return messages.flatMap((message): readonly Made[] => {
    if (message.role === "assistant")
      for (const call of message.calls) args.set(call.callId, parsedArgs(call.args));
    if (message.role !== "tool") return [];
    const { tool, content, callId } = message;
    return [{ tool, args: args.get(callId), content, outcome: outcomeOf(content) }];
  });
}

function parsedArgs(args: unknown): unknown {
  return typeof args === "string" ? parseJson(args) : args;
}

/** Reasons that pass by themselves, in the words of providers, tools and runtimes. */
const passing = /\b(503|429|timeout|timed out|unavailable|rate_limited|ECONNRESET)\b/i;

function outcomeOf(content: string): Made["outcome"] {
  const value = parseJson(content);
  if (typeof value === "object" && value !== null) {
    if ("status" in value && value.status === "denied") return "denied";
    if ("status" in value && value.status === "not run") return "open";
    if (!("error" in value)) return "done";
  }
  if (value !== undefined && !/"error"/.test(content)) return "done";
  if (!/^\w+ failed after|error/i.test(content)) return "done";
  return passing.test(content) ? "failed" : "failed for good";
}

/** Counts failures, also those that one line stands for. */
export function failuresOf(made: readonly Made[]): number {
  return made.reduce((total, { outcome, content }) => {
    if (outcome !== "failed" && outcome !== "failed for good") return total;
    return total + Number(/failed after (\d+) attempt/.exec(content)?.[1] ?? 1);
  }, 0);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
