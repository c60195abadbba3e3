import { describe, expect, test } from "vitest";
import { runtimesOfEachTest } from "../../test/kit/runtime.ts";
import { agent } from "../core/agent.ts";
import type { Json } from "../core/json.ts";
import type { Schema } from "../core/schema.ts";
import { jsonSchema } from "../json-schema.ts";
import { startThread } from "./commands.ts";
import { decideRequest } from "./verdicts.ts";

const open = runtimesOfEachTest();

/** A thread that waits for an answer of this form. */
async function asked(answer: Schema) {
  const asker = agent({ name: "asker", flow: async (t) => (await t.ask("Which?", { answer })).kind });
  const opened = await open({ agents: [asker] });
  const { threadId } = await startThread(opened.runtime, "asker", null, { by: "test" });
  const requestNow = async () => {
    await opened.settle(threadId);
    return (await opened.openRequests())[0];
  };
  const give = async (value: Json) => {
    const { requestId = "" } = (await requestNow()) ?? {};
    await decideRequest(opened.runtime, requestId, {
      verdict: { kind: "answer", value },
      by: "dana@example.com",
      via: "test",
    });
    return requestNow();
  };
  return { give };
}

/** As a library writes one that refers to another document. */
const elsewhere: Schema = {
  "~standard": {
    ...jsonSchema({ type: "integer" })["~standard"],
    jsonSchema: { input: () => ({ $ref: "https://example.com/whole-number" }) },
  },
};

describe("a question whose schema cannot be read early", () => {
  test.each<readonly [what: string, answer: Schema, bad: Json, good: Json]>([
    [
      "if",
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      jsonSchema({ if: { type: "string" }, then: { minLength: 2 } }),
      "a",
      "ab",
    ],
    ["not", jsonSchema({ not: { type: "string" } }), "a", 1],
    ["dependentRequired", jsonSchema({ dependentRequired: { a: ["b"] } }), { a: 1 }, { a: 1, b: 2 }],
    [
      "unevaluatedProperties",
      jsonSchema({ type: "object", properties: { a: {} }, unevaluatedProperties: false }),
      { b: 1 },
      { a: 1 },
    ],
    ["a reference elsewhere", elsewhere, "a", 1],
  ])(
    "%s: the thread asks again after a wrong answer, and takes a right one",
    async (_what, schema, bad, good) => {
      const { give } = await asked(schema);
      const again = await give(bad);
      expect(again?.opened.again).toMatch(/^the answer by dana@example.com was not valid: /);
      expect(await give(good)).toBeUndefined();
    },
  );
});

test("a question whose schema can be read refuses a wrong answer at once", async () => {
  const { give } = await asked(jsonSchema({ type: "integer" }));
  await expect(give("a")).rejects.toMatchObject({ code: "verdict_invalid" });
  expect(await give(1)).toBeUndefined();
});
