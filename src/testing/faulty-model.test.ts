import { describe, expect, test } from "vitest";
import { HoldpointError } from "../core/errors.ts";
import type { ModelInput, ModelOutput, ModelProgress } from "../ports/model.ts";
import { type FaultName, type FaultyModelOptions, faultKinds, faultyModel } from "./faulty-model.ts";
import { manualClock } from "./manual-clock.ts";
import { scriptedModel } from "./scripted-model.ts";

const schema = (name: string) => ({
  type: "object",
  properties: { [name]: { type: "string" }, cents: { type: "integer" } },
  required: [name],
  additionalProperties: false,
});
const past = { callId: "decide_1_0", tool: "look", args: { page: "p0" } };
const input: ModelInput = {
  messages: [
    { role: "user", content: "Pay it." },
    { role: "assistant", content: "", calls: [past] },
    { role: "tool", callId: past.callId, tool: "look", content: "{}" },
  ],
  tools: ["look", "pay", "answer"].map((name) => ({
    name,
    description: name,
    inputSchema: schema(name === "answer" ? "summary" : "page"),
  })),
  maxOutputTokens: 100,
};
const wanted: ModelOutput = {
  text: "Let me pay.",
  calls: [
    { callId: "a", tool: "look", args: { page: "one" } },
    { callId: "b", tool: "pay", args: { page: "two", cents: 5 } },
  ],
  finish: "calls",
  usage: { inputTokens: 10, outputTokens: 5 },
  warnings: ["w"],
};
const inner = () => ({ id: "acme/large", generate: async () => wanted });
const signal = new AbortController().signal;
const faulty = (rates: FaultyModelOptions["rates"], seed: string | number = 1) =>
  faultyModel(inner(), { seed, rates });
const always = (fault: FaultName) => faulty({ [fault]: 1 });
const named = (number: number): ModelInput => ({
  ...input,
  messages: [{ role: "user", content: `${number}` }, ...input.messages.slice(1)],
});

/** The call of an output that differs from what was wanted. */
function spoiltCall({ calls }: ModelOutput): { readonly args: unknown; readonly original: unknown } {
  const index = calls.findIndex((call, at) => call !== wanted.calls[at]);
  return { args: calls[index]?.args, original: wanted.calls[index]?.args };
}

describe("faults of outputs", () => {
  const cases: readonly (readonly [FaultName, (output: ModelOutput) => void])[] = [
    ["unparsable_arguments", (output) => expect(() => JSON.parse(String(spoiltCall(output).args))).toThrow()],
    [
      "truncated_arguments",
      (output) => {
        const { args, original } = spoiltCall(output);
        expect(JSON.stringify(original).startsWith(String(args))).toBe(true);
        expect(output.finish).toBe("length");
      },
    ],
    [
      "truncated_unnoticed",
      (output) => {
        const { args, original } = spoiltCall(output);
        expect(JSON.stringify(original).startsWith(String(args))).toBe(true);
        expect(args).not.toBe(JSON.stringify(original));
        expect(output.finish).toBe("calls");
      },
    ],
    ["cut_by_length", (output) => expect(output).toEqual({ ...wanted, finish: "length" })],
    ["unknown_tool", (output) => expect(output.calls.map((call) => call.tool).join()).toMatch(/_now/)],
    [
      "wrong_types",
      (output) => {
        const { args, original } = spoiltCall(output);
        expect(Object.keys(args as object).sort()).toEqual(Object.keys(original as object).sort());
        expect(args).not.toEqual(original);
      },
    ],
    ["missing_field", (output) => expect(spoiltCall(output).args).not.toHaveProperty("page")],
    ["extra_field", (output) => expect(spoiltCall(output).args).toHaveProperty("x_confidence")],
    ["two_answers", (output) => expect(output.calls.map((call) => call.tool)).toEqual(["answer", "answer"])],
    [
      "answer_beside_calls",
      (output) => expect(output.calls.map((call) => call.tool)).toEqual(["look", "pay", "answer"]),
    ],
    ["empty", (output) => expect(output).toMatchObject({ text: "", calls: [], finish: "stop" })],
    ["refusal", (output) => expect(output).toMatchObject({ calls: [], finish: "refused" })],
    ["duplicate_call_ids", (output) => expect(output.calls.map((call) => call.callId)).toEqual(["a", "a"])],
    ["prose_instead_of_calls", (output) => expect(output).toMatchObject({ calls: [], finish: "stop" })],
    [
      "silent_overflow",
      (output) => {
        expect(output).toMatchObject({ text: "", calls: [], finish: "length" });
        expect(output.usage?.inputTokens).toBeGreaterThan(200_000);
      },
    ],
    ["fenced_arguments", (output) => expect(spoiltCall(output).args).toMatch(/^```json\n\{.*\}\n```$/)],
    ["think_arguments", (output) => expect(spoiltCall(output).args).toMatch(/^<think>.*<\/think>\n\{.*\}$/)],
    ["trailing_comma", (output) => expect(spoiltCall(output).args).toMatch(/^\{.*,\}$/)],
    ["single_quotes", (output) => expect(spoiltCall(output).args).toMatch(/^\{'page':'/)],
    [
      "quoted_arguments",
      (output) => {
        const { args, original } = spoiltCall(output);
        expect(args).toBe(JSON.stringify(JSON.stringify(original)));
      },
    ],
    ["repeated_call", (output) => expect(output.calls).toEqual([past])],
  ];

  test.each(cases)("%s", async (fault, check) => {
    const model = always(fault);
    for (let number = 0; number < 20; number++) check(await model.generate(named(number), { signal }));
    expect(model.counts()).toEqual({ [fault]: 20 });
    expect(model.calls[0]).toMatchObject({ callNumber: 1, occurrence: 1, fault, wanted });
  });

  test("every one of them has a case here", () => {
    const ofOutputs = Object.entries(faultKinds).flatMap(([name, kind]) =>
      kind === "failure" || name === "slow_first_token" ? [] : [name],
    );
    expect(cases.map(([name]) => name).sort()).toEqual(ofOutputs.sort());
  });

  test("are shown as they are put out, not as they were wanted", async () => {
    const pieces: ModelProgress[] = [];
    const model = always("fenced_arguments");
    const output = await model.generate(input, { signal, onProgress: (piece) => pieces.push(piece) });
    const shown = pieces.flatMap((piece) => (piece.kind === "call" ? [piece.text] : [])).join("");
    expect(shown).toBe(
      output.calls.map(({ args }) => (typeof args === "string" ? args : JSON.stringify(args))).join(""),
    );
  });

  test("in JSON in plain text, they spoil that", async () => {
    const text = '{"intent":"pay","cents":5}';
    const model = faultyModel(
      scriptedModel(() => text),
      { seed: 1, rates: { trailing_comma: 1 } },
    );
    expect((await model.generate(input, { signal })).text).toBe('{"intent":"pay","cents":5,}');
  });

  test("one that an output cannot have gives way to the next that it can have, else to none", async () => {
    const plain = scriptedModel(() => "Thank you.");
    const next = faultyModel(plain, { seed: 1, rates: { missing_field: 0.5, empty: 0.5 } });
    for (let number = 0; number < 20; number++) await next.generate(named(number), { signal });
    expect(next.counts()).toEqual({ empty: 20 });
    const none = faultyModel(plain, { seed: 1, rates: { missing_field: 1 } });
    const pieces: ModelProgress[] = [];
    const onProgress = (piece: ModelProgress): number => pieces.push(piece);
    expect((await none.generate(input, { signal, onProgress })).text).toBe("Thank you.");
    expect(pieces.length).toBe(2);
    expect([none.calls[0]?.fault, none.counts()]).toEqual([null, {}]);
  });
});

describe("failures of calls", () => {
  const cases: readonly (readonly [FaultName, object])[] = [
    ["throttled", { code: "model_throttled", retryable: true, retryAfterMs: expect.any(Number) }],
    ["overloaded", { code: "model_failed", retryable: true }],
    ["network_error", { code: "model_failed", retryable: true }],
    ["repeated_failure", { code: "model_failed", retryable: true }],
    ["garbled", { code: "model_failed", retryable: true }],
    [
      "overflow",
      {
        code: "model_overflow",
        retryable: false,
        details: { limitTokens: 200_000 },
        message: /> 200000 maximum/,
      },
    ],
  ];

  test.each(cases)("%s", async (fault, error) => {
    const { message, ...members } = error as { message?: RegExp };
    const model = always(fault);
    const failing = model.generate(input, { signal });
    await expect(failing).rejects.toBeInstanceOf(HoldpointError);
    await expect(failing).rejects.toMatchObject(members);
    if (message) await expect(failing).rejects.toThrow(message);
    expect(model.calls[0]).not.toHaveProperty("wanted");
  });

  test("interrupted: after something was shown, and never all of it", async () => {
    const whole = JSON.stringify(wanted.calls.map(({ args }) => args)).length;
    for (let number = 0; number < 20; number++) {
      const pieces: ModelProgress[] = [];
      const onProgress = (piece: ModelProgress): number => pieces.push(piece);
      await expect(
        always("interrupted").generate(named(number), { signal, onProgress }),
      ).rejects.toMatchObject({
        code: "model_interrupted",
        retryable: true,
      });
      expect(pieces.length).toBeGreaterThan(0);
      const shown = pieces.map(({ text }) => text).join("").length;
      expect(shown).toBeLessThan(whole + wanted.text.length);
    }
  });

  test("timeout: nothing until aborted, then the signal's reason", async () => {
    const controller = new AbortController();
    const model = always("timeout");
    const generating = model.generate(input, { signal: controller.signal });
    expect(model.waiting).toBe(1);
    controller.abort(new Error("too late"));
    await expect(generating).rejects.toThrow("too late");
    expect(model.waiting).toBe(0);
  });

  test("slow_first_token: what was wanted, when the clock has gone on", async () => {
    const clock = manualClock();
    const model = faultyModel(inner(), { seed: 1, rates: { slow_first_token: 1 }, clock, slowMs: 700 });
    const generating = model.generate(input, { signal, onProgress: () => {} });
    expect(model.waiting).toBe(1);
    await clock.advance(700);
    expect(await generating).toEqual({ ...wanted, firstTokenMs: 700 });
    const controller = new AbortController();
    const stopped = model.generate(input, { signal: controller.signal });
    controller.abort(new Error("stop"));
    await expect(stopped).rejects.toThrow("stop");
    expect([model.waiting, clock.pending]).toEqual([0, 0]);
  });

  test("repeated_failure fails the same request five times, and no other", async () => {
    const model = faulty({ repeated_failure: 0.05 }, "outage");
    const fails = async (number: number): Promise<boolean> =>
      model.generate(named(number), { signal }).then(
        () => false,
        () => true,
      );
    let number = 0;
    while (!(await fails(number))) number += 1;
    const next = [await fails(number), await fails(number), await fails(number), await fails(number)];
    expect(next).toEqual([true, true, true, true]);
    expect(await fails(number)).toBe(false);
    expect(number).toBeGreaterThan(0);
  });

  test("an aborted call is none, and what the wrapped model throws comes through", async () => {
    const model = faultyModel(scriptedModel([]), { seed: 1, rates: 0 });
    const aborted = AbortSignal.abort(new Error("before"));
    await expect(model.generate(input, { signal: aborted })).rejects.toThrow("before");
    expect(model.calls).toEqual([]);
    await expect(model.generate(input, { signal })).rejects.toMatchObject({ code: "model_failed" });
    expect(model.calls[0]?.fault).toBeNull();
  });
});

describe("rates and seeds", () => {
  async function faultsOf(seed: number, order: readonly number[]): Promise<ReadonlyMap<number, unknown>> {
    const model = faulty(0.5, seed);
    const controller = new AbortController();
    const faults = new Map<number, unknown>();
    const running = order.map(async (number) => {
      const at = model.calls.length;
      const [ended] = await Promise.allSettled([
        model.generate(named(number), { signal: controller.signal }),
      ]);
      faults.set(number, [model.calls[at]?.fault, ended.status === "fulfilled" ? ended.value : ended.reason]);
    });
    await Promise.resolve();
    controller.abort(new Error("end"));
    await Promise.all(running);
    return faults;
  }

  test("the same seed gives the same faults, in whatever order the calls come", async () => {
    const order = Array.from({ length: 200 }, (_, number) => number);
    const first = await faultsOf(7, order);
    const again = await faultsOf(7, order.toReversed());
    const other = await faultsOf(8, order);
    const sorted = (faults: ReadonlyMap<number, unknown>): unknown =>
      order.map((number) => faults.get(number));
    expect(sorted(again)).toEqual(sorted(first));
    expect(sorted(other)).not.toEqual(sorted(first));
  });

  test("the faults of a seed stay as they are, from release to release and on any machine", async () => {
    const model = faulty({ empty: 0.25, refusal: 0.25 }, 42);
    for (let number = 0; number < 60; number++) await model.generate(named(number), { signal });
    expect(model.calls.map(({ fault }) => fault?.[0] ?? ".").join("")).toMatchInlineSnapshot(
      `"....r........r...err.rr.r.e...e.rr..rrre.....e.r.r..r.rr...."`,
    );
  });

  test("a number gives every fault its share, and together that many", async () => {
    const model = faultyModel(inner(), { seed: 3, rates: 0.3, slowMs: 0 });
    const calls = 6_000;
    const controller = new AbortController();
    const running = Array.from({ length: calls }, (_, number) =>
      model.generate(named(number), { signal: controller.signal }).catch(() => {}),
    );
    await new Promise(setImmediate);
    controller.abort();
    await Promise.all(running);
    const counts = model.counts();
    const injected = Object.values(counts).reduce((sum, count) => sum + count, 0);
    expect(injected / calls).toBeCloseTo(0.3, 1);
    expect(Object.keys(counts).sort()).toEqual(Object.keys(faultKinds).sort());
    const share = injected / Object.keys(faultKinds).length;
    for (const count of Object.values(counts)) {
      expect(count).toBeGreaterThan(share / 2);
      expect(count).toBeLessThan(share * 2);
    }
  });

  test.each([
    [{ emty: 0.1 }, /there is no fault "emty"/],
    [{ empty: 1.2 }, /no probabilities/],
    [{ empty: -0.1, refusal: 0.5 }, /no probabilities/],
    [{ empty: Number.NaN }, /no probabilities/],
    [{ empty: 0.6, refusal: 0.6 }, /no probabilities/],
    [1.01, /no probabilities/],
  ])("refuses %j", (rates, message) => {
    expect(() => faulty(rates as number)).toThrow(message);
  });
});
