// Model inputs of every legal shape: what the window could make of any thread.
import fc from "fast-check";
import { z } from "zod";
import { jsonSchemaOf } from "../../../src/core/schema.ts";
import type { ModelInput, ModelMessage, ModelTool } from "../../../src/ports/model.ts";

const text = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "\n\n",
    "  padded \n",
    "a",
    "a b",
    "Größe 🧾 漢字 \u0000 \u2028",
    "\ud800 alone",
    '{"a":1}',
    "x ".repeat(5_000),
  ),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.lorem(),
);

/** Not `toString` and the like: see "a tool named as a method of objects". */
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/).filter((each) => !(each in {}));

/** Zod's own, as agents write them. */
const schema: fc.Arbitrary<z.ZodType> = fc.letrec<{ any: z.ZodType }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc
      .constantFrom<() => z.ZodType>(
        () => z.string(),
        () => z.string().min(1).max(80).describe("A name; at most 80."),
        () => z.email(),
        () => z.iso.datetime(),
        () => z.url(),
        () => z.string().regex(/^(?=.*\d)[a-z\d]+$/),
        () => z.string().regex(/^[A-Z]{2}\d+$/),
        () => z.number(),
        () => z.int().min(0).max(1_000_000),
        () => z.number().positive().multipleOf(0.01),
        () => z.boolean(),
        () => z.null(),
        () => z.literal("refund"),
        () => z.literal([1, 2]),
        () => z.enum(["low", "medium", "high"]),
        () => z.unknown(),
        () => z.tuple([z.string(), z.number()]),
        () => tree,
      )
      .map((make) => make()),
    tie("any").map((inner) => z.array(inner).min(1)),
    tie("any").map((inner) => z.record(z.string(), inner)),
    tie("any").map((inner) => inner.nullable()),
    fc.tuple(tie("any"), tie("any")).map(([left, right]) => z.union([left, right])),
    fc
      .tuple(tie("any"), tie("any"))
      .map(([left, right]) =>
        z.discriminatedUnion("kind", [
          z.object({ kind: z.literal("a"), left }),
          z.object({ kind: z.literal("b"), right }),
        ]),
      ),
    fc.dictionary(name, fc.tuple(tie("any"), fc.nat(4)), { maxKeys: 4 }).map(objectOf),
  ),
})).any;

const tree: z.ZodType = z.object({
  label: z.string().default("leaf"),
  get children() {
    return z.array(tree).optional().describe("Trees below.");
  },
});

function objectOf(members: Record<string, [z.ZodType, number]>): z.ZodType {
  const shape = Object.entries(members).map(([key, [inner, how]]) => {
    const ways = [inner, inner.optional(), inner.nullish(), inner.describe(`What ${key} is.`), inner];
    return [key, ways[how] ?? inner] as const;
  });
  return z.object(Object.fromEntries(shape));
}

const jsonSchema = fc
  .dictionary(name, fc.tuple(schema, fc.nat(4)), { maxKeys: 4 })
  .map((members) => jsonSchemaOf(objectOf(members) as never, "a test")); // zod 4 is a Standard Schema

const tool: fc.Arbitrary<ModelTool> = fc.record({ name, description: text, inputSchema: jsonSchema });

const args = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }).map(
  (value) => JSON.parse(JSON.stringify(value)) as unknown, // as the log gives it back
);

/** A decision with its results, all of them and in order, then perhaps a note. */
const turn = fc.record({
  content: text,
  calls: fc.array(fc.record({ tool: name, args, result: text }), { maxLength: 3 }),
  note: fc.option(text, { nil: undefined }),
});

type Turn = typeof turn extends fc.Arbitrary<infer Each> ? Each : never;

function messagesOf({ content, calls, note }: Turn, index: number): readonly ModelMessage[] {
  const made = calls.map((call, at) => ({ ...call, callId: `decide_${index}_${at}` }));
  return [
    {
      role: "assistant",
      content,
      calls: made.map(({ callId, tool: called, args: given }) => ({ callId, tool: called, args: given })),
    },
    ...made.map(
      ({ callId, tool: called, result }): ModelMessage => ({
        role: "tool",
        callId,
        tool: called,
        content: result,
      }),
    ),
    ...(note === undefined ? [] : [{ role: "user" as const, content: note }]),
  ];
}

/** Without an output schema. */
export const modelInput: fc.Arbitrary<ModelInput> = fc
  .record({
    systems: fc.array(text, { maxLength: 3 }),
    users: fc.array(text, { minLength: 1, maxLength: 2 }),
    turns: fc.array(turn, { maxLength: 4 }),
    tools: fc.uniqueArray(tool, { maxLength: 3, selector: (each) => each.name }),
    maxOutputTokens: fc.integer({ min: 1, max: 4_096 }),
  })
  .map(({ systems, users, turns, tools, maxOutputTokens }) => ({
    messages: [
      ...systems.map((content) => ({ role: "system" as const, content })),
      ...users.map((content) => ({ role: "user" as const, content })),
      ...turns.flatMap(messagesOf),
    ],
    tools,
    maxOutputTokens,
  }));

export const output: fc.Arbitrary<NonNullable<ModelInput["output"]>> = fc.record({
  name,
  schema: jsonSchema,
});
