// What the real packages send for legal model inputs is what the window asked for: no false alarm in strict mode.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isHoldpointError } from "../../../src/core/errors.ts";
import { captureWire } from "../../../src/models/wire/capture-wire.ts";
import { wireDifferences } from "../../../src/models/wire/wire-differences.ts";
import { wireFetch } from "../../../src/models/wire/wire-fetch.ts";
import type { ModelInput } from "../../../src/ports/model.ts";
import { modelInput, output } from "./arbitraries.ts";
import { callOptionsOf, type Loopback, type ModelName, models, openLoopback, send } from "./providers.ts";

let loopback: Loopback;
beforeAll(async () => {
  loopback = await openLoopback();
});
afterAll(() => loopback.close());

async function differencesOf(name: ModelName, input: ModelInput, how: "doGenerate" | "doStream") {
  loopback.bodies.length = 0;
  const model = models[name]({ baseURL: loopback.baseURL, fetch: wireFetch() });
  const options = await callOptionsOf(input);
  await captureWire({ id: name, input }, () => send(model, options, how)).catch((error: unknown) => {
    if (isHoldpointError(error)) throw error;
  });
  const [body] = loopback.bodies;
  return body === undefined ? "nothing was sent" : wireDifferences(JSON.parse(body.toString()), { input });
}

const runs = 60;

/** GPT-5.6 gets a warning with its tools; see the offenders. */
const silent = (Object.keys(models) as ModelName[]).filter(
  (name) => name !== "OpenAI, chat, without reasoning for tools",
);

for (const name of silent) {
  describe(name, () => {
    for (const how of ["doGenerate", "doStream"] as const) {
      test(`${how}: ${runs} legal inputs show no difference`, async () => {
        await fc.assert(
          fc.asyncProperty(modelInput, async (input) => {
            expect(await differencesOf(name, input, how)).toEqual([]);
          }),
          { numRuns: runs },
        );
      });
    }
  });
}

const takeSchemas = [
  "OpenAI, chat",
  "OpenAI, chat, reasoning",
  "OpenAI, responses",
  "Google",
  "Google, third generation",
  "compatible, with schemas",
] as const satisfies readonly ModelName[];

for (const name of takeSchemas) {
  test(`${name}: ${runs} output schemas show no difference`, async () => {
    await fc.assert(
      fc.asyncProperty(modelInput, output, async (input, asked) => {
        const withOutput = { ...input, tools: [], output: asked };
        expect(await differencesOf(name, withOutput, "doGenerate")).toEqual([]);
      }),
      { numRuns: runs },
    );
  });
}
