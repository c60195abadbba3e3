import { describe, expect, test } from "vitest";
import type { ModelInput, ModelProgress } from "../ports/model.ts";
import { scriptedModel } from "./scripted-model.ts";

const input: ModelInput = { messages: [{ role: "user", content: "hello" }], tools: [], maxOutputTokens: 100 };
const signal = new AbortController().signal;

describe("scriptedModel", () => {
  test("plays its turns in order, and counts the calls", async () => {
    const model = scriptedModel([
      {
        calls: [
          { tool: "find", args: { id: 1 } },
          { tool: "find", args: "{broken", callId: "mine" },
        ],
        usage: { inputTokens: 3, outputTokens: 4 },
      },
      { text: "cut off", finish: "length" },
      "done",
    ]);
    expect(await model.generate(input, { signal })).toEqual({
      text: "",
      calls: [
        { callId: "call_1_0", tool: "find", args: { id: 1 } },
        { callId: "mine", tool: "find", args: "{broken" },
      ],
      finish: "calls",
      usage: { inputTokens: 3, outputTokens: 4 },
    });
    expect(await model.generate(input, { signal })).toEqual({ text: "cut off", calls: [], finish: "length" });
    expect(await model.generate(input, { signal })).toEqual({ text: "done", calls: [], finish: "stop" });
    expect([model.id, model.callCount, model.inputs]).toEqual(["scripted/model", 3, []]);
  });

  test("past its end it fails, and says at which call", async () => {
    const model = scriptedModel(["once"], { id: "scripted/short" });
    await model.generate(input, { signal });
    await expect(model.generate(input, { signal })).rejects.toMatchObject({
      code: "model_failed",
      retryable: false,
      message: "the script of scripted/short has no turn for call 2",
    });
  });

  test("throws what it is told to", async () => {
    const error = new Error("overloaded");
    await expect(scriptedModel([{ throws: error }]).generate(input, { signal })).rejects.toBe(error);
  });

  test("follows what it is shown, and keeps it when asked to", async () => {
    const model = scriptedModel(({ messages }, callNumber) => `${callNumber}: ${messages.length} messages`, {
      record: true,
    });
    expect((await model.generate(input, { signal })).text).toBe("1: 1 messages");
    expect(model.inputs).toEqual([input]);
  });

  test("a turn that never ends ends with its signal", async () => {
    const controller = new AbortController();
    const generating = scriptedModel([{ never: true }]).generate(input, { signal: controller.signal });
    controller.abort(new Error("stop"));
    await expect(generating).rejects.toThrow("stop");
  });

  test("an aborted call is none", async () => {
    const model = scriptedModel(["unused"]);
    await expect(model.generate(input, { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow(
      "before",
    );
    expect(model.callCount).toBe(0);
  });

  test("gives what a real model gives besides text and calls", async () => {
    const usage = {
      inputTokens: 9,
      outputTokens: 8,
      cachedTokens: 4,
      cacheWriteTokens: 1,
      reasoningTokens: 5,
    };
    const reasoning = [{ text: "Let me see.", providerData: { anthropic: { signature: "s1" } } }];
    const model = scriptedModel([{ text: "yes", reasoning, usage, warnings: ["topK is not supported"] }]);
    expect(await model.generate(input, { signal })).toEqual({
      text: "yes",
      calls: [],
      finish: "stop",
      reasoning,
      usage,
      warnings: ["topK is not supported"],
    });
  });

  test("shows its output in pieces that add up to it, and cuts no character in two", async () => {
    const text = "first  look, then act 👍";
    const args = { note: "👩‍👩‍👧‍👧 ".repeat(10), id: 7 };
    const pieces: ModelProgress[] = [];
    const model = scriptedModel([
      { text, reasoning: [{ text: "hm, so" }], calls: [{ tool: "find", args, callId: "c1" }] },
    ]);
    await model.generate(input, { signal, onProgress: (piece) => pieces.push(piece) });
    const joined = (kind: string): string =>
      pieces.flatMap((piece) => (piece.kind === kind ? [piece.text] : [])).join("");
    expect([joined("reasoning"), joined("text"), joined("call")]).toEqual([
      "hm, so",
      text,
      JSON.stringify(args),
    ]);
    expect(pieces.length).toBeGreaterThan(10);
    expect(pieces.every((piece) => piece.text.isWellFormed())).toBe(true);
  });

  test("breaks off after what it has shown", async () => {
    const pieces: ModelProgress[] = [];
    const onProgress = (piece: ModelProgress): number => pieces.push(piece);
    const after = { text: "half a" };
    const model = scriptedModel([
      { throws: new Error("cut"), after },
      { never: true, after },
    ]);
    await expect(model.generate(input, { signal, onProgress })).rejects.toThrow("cut");
    const controller = new AbortController();
    const generating = model.generate(input, { signal: controller.signal, onProgress });
    controller.abort(new Error("stop"));
    await expect(generating).rejects.toThrow("stop");
    expect(pieces.map((piece) => piece.text)).toEqual(["half ", "a", "half ", "a"]);
  });
});
