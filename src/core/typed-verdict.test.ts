import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { EventOf, VerdictKind } from "./events.ts";
import type { Json } from "./json.ts";
import { typedInput, typedVerdict } from "./typed-verdict.ts";

const kinds: readonly VerdictKind[] = [
  "approve",
  "edit",
  "reject",
  "answer",
  "continue",
  "stop",
  "done",
  "not_done",
];

function opened(answerSchema?: z.ZodType, choices = kinds): EventOf<"request_opened"> {
  const schema = answerSchema && (z.toJSONSchema(answerSchema) as Json);
  return { choices, ...(schema !== undefined && { answerSchema: schema }) } as EventOf<"request_opened">; // what a form reads of it
}

describe("what is typed beside a choice", () => {
  it.each([
    ["approve", "whatever", { kind: "approve" }],
    ["edit", '{"cents":4}', { kind: "edit", args: { cents: 4 } }],
    ["done", "null", { kind: "done", value: null }],
    ["reject", " too late ", { kind: "reject", why: "too late" }],
    ["stop", "", { kind: "stop" }],
    ["continue", "go on", { kind: "continue", why: "go on" }],
    ["answer", "two\r\nlines", { kind: "answer", value: "two\nlines" }],
  ])("makes the verdict %s", (kind, text, verdict) => {
    expect(typedVerdict(opened(), { kind, text })).toEqual(verdict);
  });

  it.each([
    [z.number(), "12", 12],
    [z.union([z.boolean(), z.string()]), "true", true],
    [z.union([z.boolean(), z.string()]), "maybe", "maybe"],
  ])("answers as the question's schema may take it", (schema, text, value) => {
    expect(typedVerdict(opened(schema), { kind: "answer", text })).toEqual({ kind: "answer", value });
  });

  it.each([
    ["a choice that is not offered", "approve", "", /takes reject/, ["reject"]],
    ["no reason", "reject", " ", /a reason is needed/, kinds],
    ["no JSON", "edit", "{", /is not JSON/, kinds],
    ["arguments that say two things", "edit", '{"cents":1,"cents":400}', /"cents" is given twice/, kinds],
    ["a result that says two things", "done", '{"id":1,"id":2}', /"id" is given twice/, kinds],
  ] as const)("refuses %s", (_name, kind, text, message, choices) => {
    const refused = expect.objectContaining({
      code: "verdict_invalid",
      message: expect.stringMatching(message),
    });
    expect(() => typedVerdict(opened(undefined, choices), { kind, text })).toThrow(refused);
  });

  it("is asked in a form that shows markup and what is invisible as text", () => {
    const action = {
      args: { note: "</textarea><script>\u202e" },
    } as unknown as EventOf<"request_opened">["action"];
    const [field] = typedInput({ ...opened(), action } as EventOf<"request_opened">, "edit");
    expect(field?.html).toContain("&lt;/textarea&gt;&lt;script&gt;\\u202e");
  });

  it.each(["edit", "done", "answer", "reject", "not_done", "continue", "stop"] as const)(
    "keeps what was typed for %s",
    (kind) => {
      const [field] = typedInput(opened(), kind, '"><b>');
      expect(field?.html).toContain("&quot;&gt;&lt;b&gt;");
      expect(field?.html).not.toContain("<b>");
    },
  );
});
