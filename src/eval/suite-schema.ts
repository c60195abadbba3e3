// The form of a suite. One strict object for each kind of thing, also where members exclude one another: its errors name
// the member that is wrong, which those of a union do not.
import { z } from "zod";
import { type Duration, durationMs } from "../core/duration.ts";
import type { RequestKind, VerdictKind } from "../core/events.ts";

const requestKinds = ["approval", "question", "escalation"] as const satisfies readonly RequestKind[];
const sayings = [
  "approve",
  "edit",
  "reject",
  "answer",
  "continue",
  "stop",
  "done",
  "not_done",
  "ignore",
] as const satisfies readonly (VerdictKind | "ignore")[];

const text = z.string().min(1);
const name = z
  .string()
  .regex(
    /^(?=\S)[^\p{Cc}]{1,200}$/u,
    "is no name: 1 to 200 characters on one line, not beginning with a space",
  );
const count = z.int().min(0);
const regex = z.string().superRefine((source, context) => {
  try {
    new RegExp(source, "u");
  } catch (error) {
    const message = `is no regular expression (${error instanceof Error ? error.message : String(error)})`;
    context.addIssue({ code: "custom", message });
  }
});
const duration = z.union([z.string(), z.number()]).refine(isDuration, "is no duration, such as 30s or 5m");
const pattern = z.json();

const limits = z.strictObject({ time: duration.exactOptional(), tokens: z.int().min(1).exactOptional() });

const person = z.strictObject({
  kind: z.enum(requestKinds).exactOptional(),
  tool: text.exactOptional(),
  args: pattern.exactOptional(),
  question: regex.exactOptional(),
  times: z.int().min(1).exactOptional(),
  by: text.exactOptional(),
  say: z.enum(sayings),
  with: z.record(z.string(), z.json()).exactOptional(),
  value: z.json().exactOptional(),
  why: text.exactOptional(),
});

const never = z.strictObject({
  tool: text.exactOptional(),
  args: pattern.exactOptional(),
  text: text.exactOptional(),
  withoutApproval: z.literal(true).exactOptional(),
  proposed: z.literal(true).exactOptional(),
  modelCalls: count.exactOptional(),
  windowTokens: count.exactOptional(),
  request: z.enum([...requestKinds, "any"]).exactOptional(),
});

const action = z.strictObject({
  tool: text,
  args: pattern.exactOptional(),
  times: z
    .union([count, z.strictObject({ min: count.exactOptional(), max: count.exactOptional() })])
    .exactOptional(),
  status: z.enum(["completed", "failed", "denied"]).exactOptional(),
  before: text.exactOptional(),
  after: text.exactOptional(),
});

const expectations = z.strictObject({
  outcome: z.enum(["completed", "failed", "cancelled"]).exactOptional(),
  accepted: z.boolean().exactOptional(),
  result: pattern.exactOptional(),
  paths: z.record(text, pattern).exactOptional(),
  schema: z
    .custom<unknown>((value) => typeof value === "object" && value !== null, "is no schema")
    .exactOptional(),
  matches: regex.exactOptional(),
  error: text.exactOptional(),
  actions: z.array(action).exactOptional(),
  inOrder: z.boolean().exactOptional(),
});

const seed = z.union([z.string(), z.number()]);

const evalCase = z.strictObject({
  name,
  agent: text.exactOptional(),
  input: z.json().exactOptional(),
  people: z.array(person).exactOptional(),
  inOrder: z.boolean().exactOptional(),
  seed: seed.exactOptional(),
  clock: z.iso.datetime({ offset: true, error: "is no time such as 2026-01-05T09:00:00Z" }).exactOptional(),
  limits: limits.exactOptional(),
  expect: expectations.exactOptional(),
  never: z.array(never).exactOptional(),
  check: z.custom<unknown>((value) => typeof value === "function", "is no function").exactOptional(),
});

export const suiteSchema: z.ZodType<unknown> = z.strictObject({
  name,
  agent: text.exactOptional(),
  setup: z
    .custom<unknown>(
      (value) => typeof value === "function" || isText(value),
      "is neither a file nor a function",
    )
    .exactOptional(),
  model: z
    .custom<unknown>((value) => typeof value === "object" || isText(value), "is no model")
    .exactOptional(),
  trials: z.int().min(1).max(10_000).exactOptional(),
  limits: limits.exactOptional(),
  people: z.array(person).exactOptional(),
  never: z.array(never).exactOptional(),
  cases: z.array(evalCase).min(1, "are none: a suite needs at least one"),
});

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

function isDuration(given: string | number): boolean {
  try {
    return durationMs(given as Duration) > 0; // it says what is none
  } catch {
    return false;
  }
}
