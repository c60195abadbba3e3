// I9 on real tools and real calls (Berkeley function calling leaderboard): what is right comes through in every
// encoding, and of what was corrupted nothing comes through but what was meant.
import { afterAll, describe, expect, test } from "vitest";
import type { EncodingName } from "../../src/core/encodings/encoding.ts";
import { encodings } from "../../src/core/encodings/encodings.ts";
import { gate } from "../../src/core/gate.ts";
import { canonicalJson, type Json } from "../../src/core/json.ts";
import { jsonSchema } from "../../src/json-schema.ts";
import type { ModelOutput } from "../../src/ports/model.ts";
import { type ValidatedDecision, validateDecision } from "../../src/runtime/operations/validate-decision.ts";
import {
  bfclReason,
  compile,
  type GoldCase,
  hasBfcl,
  type JsonObject,
  normalise,
  readGoldCases,
  readSchemas,
  toolsOf,
} from "../kit/bfcl.ts";
import { callCorruptions, type Random, seeded, textCorruptions } from "../kit/corruptions.ts";

const names = ["tools", "json", "text"] as const;
type Call = { readonly tool: string; readonly args: Json };
type Tools = ReturnType<typeof toolsOf>;

/** `mangle` changes the JSON text: of one call's arguments, or of the whole output. */
function written(
  encoding: EncodingName,
  calls: readonly Call[],
  mangle?: (json: string) => string | null,
  which = 0,
): ModelOutput | null {
  if (encoding === "tools") {
    const texts = calls.map(({ args }, index) => {
      const json = JSON.stringify(args);
      return mangle && index === which ? mangle(json) : json;
    });
    if (texts.includes(null)) return null;
    return {
      text: "",
      finish: "calls",
      calls: calls.map(({ tool }, index) => ({ callId: `c${index}`, tool, args: texts[index] })), // as an adapter leaves text
    };
  }
  const json = JSON.stringify({ calls: calls.map(({ tool, args }) => ({ intent: tool, args })) });
  const text = mangle ? mangle(json) : json;
  return text === null ? null : { text, finish: "stop", calls: [] };
}

function judge(encoding: EncodingName, output: ModelOutput, tools: Tools): Promise<ValidatedDecision> {
  const offered = [...tools.values()].map(({ name, description, inputSchema }) => ({
    name,
    description,
    inputSchema,
  }));
  return validateDecision(output, {
    tools,
    offer: { tools: offered, answer: null },
    encoding: encodings[encoding],
    answer: undefined,
    gate: gate(),
    callIdPrefix: "decide_1",
  });
}

type Outcome = "refused" | "as meant, unrepaired" | "as meant, repaired" | "otherwise";

function outcomeOf(result: ValidatedDecision, meant: readonly Call[]): Outcome {
  if (!result.ok) return "refused";
  const { decision, repairs } = result;
  if (decision.kind !== "calls") return "otherwise";
  const got = decision.calls.map(({ tool, args }) => ({ tool, args }));
  if (canonicalJson(got) !== canonicalJson(meant.map(({ tool, args }) => ({ tool, args }))))
    return "otherwise";
  return repairs.length > 0 ? "as meant, repaired" : "as meant, unrepaired";
}

const counts = new Map<string, Map<string, number>>();

function count(kind: string, outcome: string): void {
  const row = counts.get(kind) ?? new Map<string, number>();
  counts.set(kind, row);
  row.set(outcome, (row.get(outcome) ?? 0) + 1);
}

afterAll(() => {
  const lines = [...counts].map(([kind, row]) => `${kind}: ${listed(row)}`);
  const total = new Map<string, number>();
  for (const [kind, row] of counts) {
    if (!/^(tools|json|text), /.test(kind)) continue;
    for (const [outcome, n] of row) total.set(outcome, (total.get(outcome) ?? 0) + n);
  }
  if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\nall corruptions: ${listed(total)}\n`);
});

function listed(row: ReadonlyMap<string, number>): string {
  return [...row].map(([outcome, n]) => `${n} ${outcome}`).join(", ");
}

describe.skipIf(!hasBfcl)(`tools of the function calling leaderboard${bfclReason}`, () => {
  test("a schema in its own notation is refused, naming the place and the type", () => {
    for (const schema of readSchemas()) {
      expect(() => jsonSchema(schema)).toThrow(
        /#.*\/type "(dict|float|tuple|any|String|Boolean|)" is no type of JSON Schema/,
      );
      count("schemas as they are", "refused by name");
    }
  });

  test("every schema is valid once its notation is JSON Schema's", () => {
    for (const schema of readSchemas()) {
      compile(normalise(schema) as JsonObject);
      count("schemas brought into JSON Schema's notation", "valid");
    }
  });

  test("its right calls are decisions in every encoding, unless the data set contradicts its own schema", async () => {
    for (const gold of readGoldCases()) {
      const tools = toolsOf(gold, "high");
      const results = await Promise.all(
        names.map(async (name) => judge(name, written(name, gold.calls) as ModelOutput, tools)),
      );
      const [first] = results;
      for (const result of results) expect(result.ok).toBe(first?.ok);
      const valid = gold.calls.every((call) => !("issues" in checked(tools, call)));
      if (first?.ok)
        expect(results.map((result) => outcomeOf(result, gold.calls))).toEqual(
          names.map(() => "as meant, unrepaired"),
        );
      else if (valid) expect(first?.why).toMatch(/is not a field of it$/);
      count(
        "right calls, in questions",
        first?.ok
          ? "decided"
          : valid
            ? "refused for a field that is not declared"
            : "refused by their own schema",
      );
    }
  });
});

function checked(tools: Tools, { tool, args }: Call): object {
  return tools.get(tool)?.input["~standard"].validate(args) ?? { issues: [] };
}

/** The questions whose right calls are decisions; every second one, which is plenty and takes half the time. */
async function findRightCases(): Promise<readonly GoldCase[]> {
  const cases = readGoldCases().filter((_, index) => index % 2 === 0);
  const judged = await Promise.all(
    cases.map((gold) => judge("json", written("json", gold.calls) as ModelOutput, toolsOf(gold, "low"))),
  );
  return cases.filter((_, index) => judged[index]?.ok);
}

let found: Promise<readonly GoldCase[]> | undefined;

function rightCases(): Promise<readonly GoldCase[]> {
  found ??= findRightCases();
  return found;
}

describe.skipIf(!hasBfcl)(`corrupted calls${bfclReason}`, () => {
  for (const encoding of names) {
    test(`${encoding}: corrupted text is refused, or comes to what was meant`, async () => {
      const random = seeded(20_261);
      for (const gold of await rightCases()) {
        const tools = toolsOf(gold, "low");
        for (const { name, repairable, corrupt } of textCorruptions) {
          const which = Math.floor(random() * gold.calls.length);
          const output = written(encoding, gold.calls, (json) => corrupt(json, random), which);
          if (output === null) continue;
          const outcome = outcomeOf(await judge(encoding, output, tools), gold.calls);
          const shown = `${gold.id}, ${name}: ${JSON.stringify(output)}`;
          if (outcome === "otherwise") expect.soft(shown).toBe("never");
          const isRisky = gold.calls.some((call) => gate().isHighRiskName(call.tool)); // send_email, for one
          if (repairable && !isRisky && outcome !== "as meant, repaired") expect.soft(shown).toBe("repaired");
          count(`${encoding}, text: ${name}`, outcome);
        }
      }
    });

    test(`${encoding}: a corrupted call is refused`, async () => {
      const random = seeded(20_262);
      for (const gold of await rightCases()) {
        const tools = toolsOf(gold, "low");
        for (const { name, corrupt } of callCorruptions) {
          const calls = corruptOne(gold, tools, corrupt, random);
          if (calls === null) continue;
          const output = written(encoding, calls) as ModelOutput;
          const outcome = outcomeOf(await judge(encoding, output, tools), gold.calls);
          if (outcome !== "refused")
            expect.soft(`${gold.id}, ${name}: ${JSON.stringify(output)}`).toBe("refused");
          count(`${encoding}, call: ${name}`, outcome);
        }
      }
    });

    test(`${encoding}: what had to be repaired calls no risky tool`, async () => {
      const random = seeded(20_263);
      for (const gold of await rightCases()) {
        const tools = toolsOf(gold, "high");
        for (const { corrupt } of textCorruptions.filter(({ repairable }) => repairable)) {
          const output = written(encoding, gold.calls, (json) => corrupt(json, random));
          if (output === null) continue;
          const result = await judge(encoding, output, tools);
          expect(result).toMatchObject({
            ok: false,
            why: expect.stringMatching(/had to be repaired .* risky tool/),
          });
          count(`${encoding}, repairable text, high risk`, "refused");
        }
      }
    });
  }

  test("two calls of one id are refused", async () => {
    for (const gold of (await rightCases()).filter(({ calls }) => calls.length > 1)) {
      const output = written("tools", gold.calls) as ModelOutput;
      const calls = output.calls.map((call) => ({ ...call, callId: "same" }));
      const result = await judge("tools", { ...output, calls }, toolsOf(gold, "low"));
      expect(result).toEqual({ ok: false, why: 'two calls have the id "same"' });
      count("tools, call: ids that are the same", "refused");
    }
  });
});

function corruptOne(
  gold: GoldCase,
  tools: Tools,
  corrupt: (typeof callCorruptions)[number]["corrupt"],
  random: Random,
): readonly Call[] | null {
  const which = Math.floor(random() * gold.calls.length);
  const call = gold.calls[which];
  if (!call) return null;
  const corrupted = corrupt(call, tools.get(call.tool)?.inputSchema as JsonObject, random);
  return corrupted === null ? null : gold.calls.map((each, index) => (index === which ? corrupted : each));
}
