// Models as agents name them: what they send is held against the window.
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { modelResolver } from "../../../src/models/resolve-model.ts";
import type { ModelInput } from "../../../src/ports/model.ts";
import { type Loopback, models, openLoopback } from "./providers.ts";

let loopback: Loopback;
beforeEach(async () => {
  loopback = await openLoopback();
  loopback.respond = (response) =>
    response.writeHead(200, { "content-type": "application/json" }).end(
      JSON.stringify({
        id: "1",
        choices: [{ index: 0, message: { role: "assistant", content: "{}" }, finish_reason: "stop" }],
      }),
    );
});
afterEach(() => loopback.close());

const input: ModelInput = {
  messages: [{ role: "user", content: "Refund order A7." }],
  tools: [],
  maxOutputTokens: 321,
};
const asksForJson: ModelInput = { ...input, output: { name: "refund", schema: { type: "object" } } };
const given = { signal: new AbortController().signal };

const named = { what: "a name", model: () => "compatible/llama", isSent: false };
const made = {
  what: "an object that a user made",
  model: () => models["compatible, without schemas"]({ baseURL: loopback.baseURL }),
  isSent: true,
};

function resolved(model: unknown, strict?: boolean) {
  const providers = { compatible: { baseURL: loopback.baseURL } };
  return modelResolver({ providers, ...(strict !== undefined && { strict }) })(model);
}

for (const { what, model, isSent } of [named, made]) {
  describe(`a model by ${what}`, () => {
    test("gives the digest of the bytes that went out with its output", async () => {
      const output = await (await resolved(model())).generate(input, given);
      const [body = Buffer.alloc(0)] = loopback.bodies;
      const digest = createHash("sha256").update(body).digest("hex");
      expect(output.wire).toEqual({ digest, bytes: body.length });
      expect(output).not.toHaveProperty("warnings");
    });

    test(`is refused what it makes of a schema, ${isSent ? "afterwards" : "before it is sent"}`, async () => {
      const error = (await resolved(model())).generate(asksForJson, given);
      await expect(error).rejects.toMatchObject({
        code: "wire_mismatch",
        retryable: false,
        details: { isSent },
      });
      expect(loopback.bodies).toHaveLength(isSent ? 1 : 0);
    });

    test("warns of it when it is not strict", async () => {
      const output = await (await resolved(model(), false)).generate(asksForJson, given);
      expect(output.warnings).toContainEqual(
        expect.stringMatching(/^wire: schema_dropped: .* refund is left out$/),
      );
      expect(output.wire?.bytes).toBe(loopback.bodies[0]?.length);
    });
  });
}
