import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { HoldpointError } from "../core/errors.ts";
import type { GenerateOptions, Model, ModelInput, ModelOutput } from "../ports/model.ts";
import { type ManualClock, manualClock } from "../testing/manual-clock.ts";
import { type ModelLimiterOptions, modelLimiter } from "./limit-model.ts";

const input: ModelInput = { messages: [], tools: [], maxOutputTokens: 1 };
const output: ModelOutput = { text: "", calls: [], finish: "stop" };
const { signal } = new AbortController();

interface GatedCall {
  readonly number: number;
  readonly signal: AbortSignal;
  end(): void;
  fail(error: unknown): void;
}

/** A model whose calls wait until a test ends them; they take notice of their signals, unless `isDeaf`. */
function gatedModel(id = "acme/large", isDeaf = false): Model & { readonly calls: GatedCall[] } {
  const calls: GatedCall[] = [];
  return {
    id,
    calls,
    generate(_, options: GenerateOptions) {
      return new Promise((resolve, reject) => {
        calls.push({
          number: calls.length + 1,
          signal: options.signal,
          end: () => resolve(output),
          fail: reject,
        });
        if (!isDeaf) options.signal.addEventListener("abort", () => reject(options.signal.reason));
      });
    },
  };
}

function failure(
  kind: string,
  members: { code?: "model_throttled"; retryAfterMs?: number } = {},
): HoldpointError {
  const { code = "model_failed", retryAfterMs } = members;
  return new HoldpointError(code, kind, { retryable: true, retryAfterMs, details: { kind } });
}

function setUp(options: ModelLimiterOptions = {}): { clock: ManualClock; limit: (model: Model) => Model } {
  const clock = manualClock();
  return { clock, limit: modelLimiter(options, clock) };
}

/** Starts calls, and tells which have ended, and how. */
function start(model: Model, count: number, from = 1, callSignal = signal): string[] {
  const ended: string[] = [];
  for (let number = from; number < from + count; number += 1) {
    model.generate(input, { signal: callSignal }).then(
      () => ended.push(`${number}`),
      (error: unknown) =>
        ended.push(`${number} ${error instanceof HoldpointError ? error.code : String(error)}`),
    );
  }
  return ended;
}

describe("concurrency", () => {
  test("a thousand threads send 16 calls at once, first come, first served", async () => {
    const { limit } = setUp();
    const model = gatedModel();
    const ended = start(limit(model), 1_000);
    await setImmediate();
    expect(model.calls).toHaveLength(16);
    for (let index = 0; index < 1_000; index += 1) {
      model.calls[index]?.end();
      await setImmediate();
      expect(model.calls).toHaveLength(Math.min(1_000, index + 17));
    }
    expect(ended).toEqual(Array.from({ length: 1_000 }, (_, index) => `${index + 1}`));
  });

  test("models of one provider share it; another provider has its own", async () => {
    const { limit } = setUp({ everyProvider: { concurrency: 2 } });
    const [large, small, other] = [
      gatedModel("acme/large"),
      gatedModel("acme/small"),
      gatedModel("other/one"),
    ];
    start(limit(large), 2);
    start(limit(small), 2);
    start(limit(other), 3);
    await setImmediate();
    expect([large, small, other].map(({ calls }) => calls.length)).toEqual([2, 0, 2]);
    large.calls[0]?.end();
    await setImmediate();
    expect([large, small].map(({ calls }) => calls.length)).toEqual([2, 1]);
  });

  test("a model's own limit holds within its provider's, for all Models of its id", async () => {
    const { limit } = setUp({
      providers: { acme: { concurrency: 3 } },
      models: { "acme/large": { concurrency: 1 } },
    });
    const [large, same, small] = [
      gatedModel("acme/large"),
      gatedModel("acme/large"),
      gatedModel("acme/small"),
    ];
    start(limit(large), 2);
    start(limit(same), 2);
    start(limit(small), 5);
    await setImmediate();
    expect([large, same, small].map(({ calls }) => calls.length)).toEqual([1, 0, 2]);
  });

  test("an aborted call leaves the queue at once, and its place to the next", async () => {
    const { limit } = setUp({ everyProvider: { concurrency: 1 } });
    const model = gatedModel();
    const limited = limit(model);
    const controller = new AbortController();
    start(limited, 1);
    const aborted = start(limited, 1, 2, controller.signal);
    const third = start(limited, 1, 3);
    await setImmediate();
    controller.abort(new Error("stop"));
    await setImmediate();
    expect(aborted).toEqual(["2 Error: stop"]);
    model.calls[0]?.end();
    await setImmediate();
    expect(model.calls).toHaveLength(2);
    model.calls[1]?.end();
    await setImmediate();
    expect(third).toEqual(["3"]);
  });

  test("an abort under way frees the place, also when the model takes no notice", async () => {
    const { limit } = setUp({ everyProvider: { concurrency: 1 } });
    const model = gatedModel("acme/large", true);
    const limited = limit(model);
    const controller = new AbortController();
    const aborted = start(limited, 1, 1, controller.signal);
    start(limited, 1, 2);
    await setImmediate();
    controller.abort(new Error("stop"));
    await setImmediate();
    expect(aborted).toEqual(["1 Error: stop"]);
    expect(model.calls).toHaveLength(2);
  });

  test("an aborted signal starts nothing", async () => {
    const { limit } = setUp();
    const model = gatedModel();
    await expect(
      limit(model).generate(input, { signal: AbortSignal.abort(new Error("stop")) }),
    ).rejects.toThrow("stop");
    expect(model.calls).toHaveLength(0);
  });

  test("the queue is bounded", async () => {
    const { limit } = setUp({ everyProvider: { concurrency: 1 }, maxWaiting: 2 });
    const model = gatedModel();
    const limited = limit(model);
    const ended = start(limited, 1);
    await setImmediate();
    const waiting = start(limited, 3, 2);
    await setImmediate();
    expect(waiting).toEqual(["4 model_throttled"]);
    model.calls[0]?.end();
    await setImmediate();
    expect(ended).toEqual(["1"]);
    const later = start(limited, 1, 5);
    await setImmediate();
    expect(later).toEqual([]);
  });

  for (const bad of [0, -1, 1.5, Number.NaN, "4" as unknown as number]) {
    test(`a concurrency of ${String(bad)} is refused`, () => {
      expect(() => setUp({ providers: { acme: { concurrency: bad } } })).toThrow(
        expect.objectContaining({ code: "usage" }),
      );
    });
  }
});

describe("calls a minute", () => {
  test("no more start within any 60 seconds, in the order of asking", async () => {
    const { limit, clock } = setUp({ models: { "acme/large": { perMinute: 2 } } });
    const model = gatedModel();
    start(limit(model), 5);
    await setImmediate();
    expect(model.calls).toHaveLength(2);
    await clock.advance(59_999);
    expect(model.calls).toHaveLength(2);
    await clock.advance(1);
    expect(model.calls).toHaveLength(4);
    await clock.advance(60_000);
    expect(model.calls.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5]);
  });

  test("a provider's count holds for its models together", async () => {
    const { limit, clock } = setUp({ providers: { acme: { perMinute: 3 } } });
    const [large, small] = [gatedModel("acme/large"), gatedModel("acme/small")];
    start(limit(large), 2);
    start(limit(small), 2);
    await setImmediate();
    expect([large.calls.length, small.calls.length]).toEqual([2, 1]);
    await clock.advance(60_000);
    expect([large.calls.length, small.calls.length]).toEqual([2, 2]);
  });

  test("who is aborted while it waits for the minute leaves no timer", async () => {
    const { limit, clock } = setUp({ models: { "acme/large": { perMinute: 1 } } });
    const controller = new AbortController();
    const limited = limit(gatedModel());
    start(limited, 1);
    const aborted = start(limited, 2, 2, controller.signal);
    await setImmediate();
    expect(clock.pending).toBe(1);
    controller.abort(new Error("stop"));
    await setImmediate();
    expect(aborted).toEqual(["2 Error: stop", "3 Error: stop"]);
    expect(clock.pending).toBe(0);
  });

  test("a clock that is set back delays nobody for longer than a minute", async () => {
    const { limit, clock } = setUp({ models: { "acme/large": { perMinute: 1 } } });
    const model = gatedModel();
    start(limit(model), 2);
    await setImmediate();
    clock.set(clock.now() - 86_400_000);
    await clock.advance(60_000);
    expect(model.calls).toHaveLength(2);
  });
});

describe("a provider that throttles", () => {
  test("pauses its model until the time it gave; other models go on", async () => {
    const { limit, clock } = setUp({ everyProvider: { concurrency: 1 } });
    const [large, small] = [gatedModel("acme/large"), gatedModel("acme/small")];
    const ended = start(limit(large), 3);
    await setImmediate();
    large.calls[0]?.fail(failure("throttled", { code: "model_throttled", retryAfterMs: 20_000 }));
    await setImmediate();
    expect(ended).toEqual(["1 model_throttled"]);
    start(limit(small), 1);
    await setImmediate();
    expect([large.calls.length, small.calls.length]).toEqual([1, 1]);
    small.calls[0]?.end();
    await clock.advance(19_999);
    expect(large.calls).toHaveLength(1);
    await clock.advance(1);
    expect(large.calls).toHaveLength(2);
    large.calls[1]?.end();
    await setImmediate();
    large.calls[2]?.end();
    await setImmediate();
    expect(ended).toEqual(["1 model_throttled", "2", "3"]);
    expect(clock.pending).toBe(0);
  });

  test("a pause that is too long to wait for in memory is told to all", async () => {
    const { limit, clock } = setUp({ everyProvider: { concurrency: 1 } });
    const model = gatedModel();
    const limited = limit(model);
    const ended = start(limited, 3);
    await setImmediate();
    model.calls[0]?.fail(failure("throttled", { code: "model_throttled", retryAfterMs: 600_000 }));
    await setImmediate();
    expect(ended).toEqual(["1 model_throttled", "2 model_throttled", "3 model_throttled"]);
    await clock.advance(60_000);
    await expect(limited.generate(input, { signal })).rejects.toMatchObject({
      code: "model_throttled",
      retryable: true,
      retryAfterMs: 540_000,
    });
    expect([model.calls.length, clock.pending]).toEqual([1, 0]);
  });

  test("without a time, or without hope, pauses nothing", async () => {
    const { limit } = setUp({ everyProvider: { concurrency: 1 } });
    const model = gatedModel();
    start(limit(model), 3);
    await setImmediate();
    model.calls[0]?.fail(failure("throttled", { code: "model_throttled" }));
    await setImmediate();
    model.calls[1]?.fail(
      new HoldpointError("model_throttled", "too large", {
        retryable: false,
        details: { kind: "throttled" },
      }),
    );
    await setImmediate();
    expect(model.calls).toHaveLength(3);
  });
});

describe("a provider that is down", () => {
  async function fail(
    model: ReturnType<typeof gatedModel>,
    limited: Model,
    error: unknown,
  ): Promise<string[]> {
    const ended = start(limited, 1);
    await setImmediate();
    model.calls.at(-1)?.fail(error);
    await setImmediate();
    return ended;
  }

  for (const kind of ["server", "overloaded", "network", "timeout"]) {
    test(`${kind}, five times in a row: its model is not called for 30 s`, async () => {
      const { limit, clock } = setUp();
      const model = gatedModel();
      const limited = limit(model);
      for (let count = 0; count < 5; count += 1) await fail(model, limited, failure(kind));
      await clock.advance(10_000);
      await expect(limited.generate(input, { signal })).rejects.toMatchObject({
        code: "model_circuit_open",
        retryable: true,
        retryAfterMs: 20_000,
      });
      expect(model.calls).toHaveLength(5);
      const other = gatedModel("acme/small");
      start(limit(other), 1);
      await setImmediate();
      expect(other.calls).toHaveLength(1);
    });
  }

  for (const kind of [
    "throttled",
    "overflow",
    "invalid_request",
    "unauthorized",
    "quota",
    "content_filter",
    "garbled",
  ]) {
    test(`${kind} is an answer: it opens nothing`, async () => {
      const { limit } = setUp({ circuit: { failures: 2 } });
      const model = gatedModel();
      const limited = limit(model);
      for (let count = 0; count < 3; count += 1) await fail(model, limited, failure(kind));
      await fail(model, limited, failure("server"));
      await fail(model, limited, failure(kind));
      await fail(model, limited, failure("server"));
      expect(model.calls).toHaveLength(6);
      start(limited, 1);
      await setImmediate();
      expect(model.calls).toHaveLength(7);
    });
  }

  test("then one call tries; an answer closes the circuit", async () => {
    const { limit, clock } = setUp({ circuit: { failures: 1 } });
    const model = gatedModel();
    const limited = limit(model);
    await fail(model, limited, failure("server"));
    await clock.advance(30_000);
    const ended = start(limited, 3);
    await setImmediate();
    expect(model.calls).toHaveLength(2);
    expect(ended).toEqual(["2 model_circuit_open", "3 model_circuit_open"]);
    model.calls[1]?.end();
    await setImmediate();
    expect(ended.at(-1)).toBe("1");
    start(limited, 3);
    await setImmediate();
    expect(model.calls).toHaveLength(5);
  });

  test("a failure of the one opens it again", async () => {
    const { limit, clock } = setUp({ circuit: { failures: 3, openMs: 1_000 } });
    const model = gatedModel();
    const limited = limit(model);
    for (let count = 0; count < 3; count += 1) await fail(model, limited, failure("network"));
    await clock.advance(1_000);
    await fail(model, limited, failure("network"));
    expect(model.calls).toHaveLength(4);
    expect(await fail(model, limited, "unused")).toEqual(["1 model_circuit_open"]);
    await clock.advance(1_000);
    start(limited, 1);
    await setImmediate();
    expect(model.calls).toHaveLength(5);
  });

  test("an abort of the one lets the next try", async () => {
    const { limit, clock } = setUp({ circuit: { failures: 1 } });
    const model = gatedModel();
    const limited = limit(model);
    await fail(model, limited, failure("server"));
    await clock.advance(30_000);
    const controller = new AbortController();
    start(limited, 1, 1, controller.signal);
    await setImmediate();
    controller.abort(new Error("stop"));
    await setImmediate();
    start(limited, 2);
    await setImmediate();
    expect(model.calls).toHaveLength(3);
  });

  test("an abort says nothing of the provider", async () => {
    const { limit } = setUp({ circuit: { failures: 2 } });
    const model = gatedModel();
    const limited = limit(model);
    await fail(model, limited, failure("server"));
    const controller = new AbortController();
    start(limited, 1, 1, controller.signal);
    await setImmediate();
    controller.abort(new Error("stop"));
    await setImmediate();
    await fail(model, limited, failure("server"));
    await expect(limited.generate(input, { signal })).rejects.toMatchObject({ code: "model_circuit_open" });
  });

  test("calls that wait when it opens are not made", async () => {
    const { limit } = setUp({ everyProvider: { concurrency: 1 }, circuit: { failures: 1 } });
    const model = gatedModel();
    const ended = start(limit(model), 100);
    await setImmediate();
    model.calls[0]?.fail(failure("server"));
    await setImmediate();
    await setImmediate();
    expect(model.calls).toHaveLength(1);
    expect(ended).toHaveLength(100);
    expect(new Set(ended.slice(1).map((end) => end.split(" ")[1]))).toEqual(new Set(["model_circuit_open"]));
  });

  test("a clock that is set back keeps it open for no longer than at first", async () => {
    const { limit, clock } = setUp({ circuit: { failures: 1 } });
    const model = gatedModel();
    const limited = limit(model);
    await fail(model, limited, failure("server"));
    clock.set(clock.now() - 86_400_000);
    await expect(limited.generate(input, { signal })).rejects.toMatchObject({ retryAfterMs: 30_000 });
  });
});

describe("a call that is aborted", () => {
  test("since its time is over, opens the circuit", async () => {
    const { limit } = setUp({ circuit: { failures: 1 } });
    const controller = new AbortController();
    const limited = limit(gatedModel());
    start(limited, 1, 1, controller.signal);
    await setImmediate();
    controller.abort(new DOMException("no answer within 1000 ms", "TimeoutError"));
    await setImmediate();
    await expect(limited.generate(input, { signal })).rejects.toMatchObject({ code: "model_circuit_open" });
  });

  test("gives its place to the next, also when the model takes no notice", async () => {
    const { limit, clock } = setUp({ everyProvider: { concurrency: 1 } });
    const model = gatedModel("acme/large", true);
    const controller = new AbortController();
    const limited = limit(model);
    const ended = start(limited, 1, 1, controller.signal);
    start(limited, 1, 2);
    await setImmediate();
    expect(model.calls).toHaveLength(1);
    controller.abort(new Error("stop"));
    await setImmediate();
    expect([ended, model.calls.length, clock.pending]).toEqual([["1 Error: stop"], 2, 0]);
  });
});

test("a Model that throws before it returns a promise fails its call, and nothing else", async () => {
  const { limit, clock } = setUp({ everyProvider: { concurrency: 1 } });
  const limited = limit({
    id: "acme/large",
    generate() {
      throw new Error("no");
    },
  });
  await expect(limited.generate(input, { signal })).rejects.toThrow("no");
  await clock.advance(2_000);
  await expect(limited.generate(input, { signal })).rejects.toThrow("no");
});

test("a Model keeps its id, and gets the input and the options as they are", async () => {
  const { limit } = setUp();
  const seen: unknown[] = [];
  const onProgress = (): void => {};
  const limited = limit({
    id: "acme/large",
    async generate(given, options) {
      seen.push(given, options.onProgress);
      return output;
    },
  });
  expect(limited.id).toBe("acme/large");
  expect(await limited.generate(input, { signal, onProgress })).toBe(output);
  expect(seen).toEqual([input, onProgress]);
});
