import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HoldpointError } from "../core/errors.ts";
import type { Model, ModelInput, ModelOutput, ModelProgress } from "../ports/model.ts";
import { recordModel } from "./record-model.ts";
import { recordedModel } from "./recorded-model.ts";
import { scriptedModel } from "./scripted-model.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "recording-"));
  path = join(folder, "made", "recording.jsonl");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;

function asking(content: string): ModelInput {
  return {
    messages: [
      { role: "system", content: "You help." },
      { role: "user", content },
    ],
    tools: [{ name: "find", description: "Finds.", inputSchema: { type: "object", properties: {} } }],
    maxOutputTokens: 100,
  };
}

const full: ModelOutput = {
  text: "Let me look.",
  calls: [
    { callId: "c1", tool: "find", args: { q: "ü 👍", n: [1, null] }, providerData: { acme: { id: "x" } } },
  ],
  finish: "calls",
  reasoning: [{ text: "hm", providerData: { acme: { signature: "s" } } }],
  usage: { inputTokens: 3, outputTokens: 4, cachedTokens: 1 },
  warnings: ["top_k is ignored"],
  wire: { digest: "00", bytes: 2 },
};

/** Answers each question as told, streaming. */
function answering(answers: { readonly [content: string]: ModelOutput | Error }): Model {
  return {
    id: "acme/large",
    generate: async ({ messages }, { onProgress }) => {
      const answer = answers[messages.at(-1)?.content ?? ""];
      if (answer instanceof Error) throw answer;
      if (!answer) throw new Error("nothing to say");
      onProgress?.({ kind: "text", text: answer.text.slice(0, 3) });
      onProgress?.({ kind: "text", text: answer.text.slice(3) });
      return answer;
    },
  };
}

async function record(
  model: Model,
  questions: readonly string[],
  secrets: ReadonlyMap<string, string> = new Map(),
  onProgress?: (piece: ModelProgress) => void,
): Promise<string> {
  const recorder = recordModel(model, { path, secrets });
  for (const question of questions)
    await recorder.generate(asking(question), { signal, ...(onProgress && { onProgress }) }).catch(() => {});
  return readFile(path, "utf8");
}

describe("what was recorded", () => {
  test("comes back as it was, to the model's name and the last piece", async () => {
    await record(answering({ a: full }), ["a"], new Map(), () => {});
    const played = await recordedModel({ path });
    const pieces: ModelProgress[] = [];
    expect([played.id, played.remaining]).toEqual(["acme/large", 1]);
    expect(await played.generate(asking("a"), { signal, onProgress: (piece) => pieces.push(piece) })).toEqual(
      full,
    );
    expect(pieces).toEqual([
      { kind: "text", text: "Let" },
      { kind: "text", text: " me look." },
    ]);
    expect(played.remaining).toBe(0);
  });

  test("does not stream when nobody listened, nor to one who does not", async () => {
    const streamed = await record(answering({ a: full }), ["a"], new Map(), () => {});
    const plain = await record(answering({ a: full }), ["a"]);
    expect([streamed.includes('"progress"'), plain.includes('"progress"')]).toEqual([true, false]);
    await writeFile(path, streamed);
    expect(await (await recordedModel({ path })).generate(asking("a"), { signal })).toEqual(full);
  });

  test("answers equal requests in the order of the recording, whatever order the keys have", async () => {
    const script = scriptedModel(["first", "other", "second"]);
    await record(script, ["a", "b", "a"]);
    const played = await recordedModel({ path });
    const { messages, tools, maxOutputTokens } = asking("a");
    const texts: string[] = [];
    for (const input of [asking("a"), { maxOutputTokens, tools, messages }, asking("b")])
      texts.push((await played.generate(input, { signal })).text);
    expect(texts).toEqual(["first", "second", "other"]);
    await expect(played.generate(asking("a"), { signal })).rejects.toThrow(
      /has this request 2 times only, and it was made once more/,
    );
  });

  test("fails as it failed", async () => {
    const error = new HoldpointError("model_throttled", "slow down", {
      retryable: true,
      retryAfterMs: 1_234,
      fix: "Wait.",
      details: { limitTokens: 5 },
    });
    await record(answering({ a: error, b: new TypeError("broken") }), ["a", "b"]);
    const played = await recordedModel({ path });
    const failing = played.generate(asking("a"), { signal });
    await expect(failing).rejects.toBeInstanceOf(HoldpointError);
    await expect(failing).rejects.toMatchObject({
      code: "model_throttled",
      message: "slow down",
      retryable: true,
      retryAfterMs: 1_234,
      fix: "Wait.",
      details: { limitTokens: 5 },
    });
    await expect(played.generate(asking("b"), { signal })).rejects.toMatchObject({
      code: "model_failed",
      message: "broken",
      retryable: true,
    });
  });

  test("is the same file for the same calls, in the order of asking, and none for an aborted one", async () => {
    const first = Promise.withResolvers<ModelOutput>();
    let firstTokenMs = 1;
    const model: Model = {
      id: "acme/large",
      generate: ({ messages }) =>
        messages.at(-1)?.content === "a"
          ? first.promise
          : Promise.resolve({ ...full, firstTokenMs: firstTokenMs++ }),
    };
    const recorder = recordModel(model, { path });
    const slow = recorder.generate(asking("a"), { signal });
    const output = await recorder.generate(asking("b"), { signal });
    expect(output.firstTokenMs).toBe(1);
    const early = await readFile(path, "utf8");
    expect(early.split("\n").length).toBe(3);
    first.resolve(full);
    await slow;
    const controller = new AbortController();
    const stopped = recordModel(scriptedModel([{ never: true }]), { path: `${path}.other` }).generate(
      asking("a"),
      {
        signal: controller.signal,
      },
    );
    controller.abort(new Error("stop"));
    await expect(stopped).rejects.toThrow("stop");
    await expect(readFile(`${path}.other`, "utf8")).rejects.toThrow("ENOENT");

    const late = await readFile(path, "utf8");
    expect(late.split("\n")[2]).toBe(early.split("\n")[1]);
    expect(await record(answering({ a: full, b: full }), ["a", "b"])).toBe(late);
  });

  test("is handed out in copies: who changes one changes nothing", async () => {
    await record(answering({ a: full }), ["a", "a"]);
    const played = await recordedModel({ path });
    const output = await played.generate(asking("a"), { signal });
    (output.calls[0]?.args as { q: string }).q = "changed";
    expect(await played.generate(asking("a"), { signal })).toEqual(full);
  });
});

describe("a request that was not recorded", () => {
  test("says in what it differs from the nearest that was", async () => {
    const long = (name: string): string =>
      `${"The same beginning. ".repeat(20)}It is ${name}. ${"And on. ".repeat(50)}`;
    await record(answering({ [long("noon")]: full, x: full }), ["x", long("noon")]);
    const played = await recordedModel({ path });
    const error: HoldpointError = await played.generate(asking(long("nine")), { signal }).then(
      () => expect.fail("was answered"),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ code: "model_failed", retryable: false });
    expect(error.message).toMatch(
      /does not have this request; nearest is line \d, but for messages\[1\]\.content/,
    );
    expect(error.message).toMatch(/recorded: ….*It is noon.*asked: ….*It is nine/);
    expect(error.message.length).toBeLessThan(600);
  });

  test("says what is missing and what is more", async () => {
    await record(answering({ x: full }), ["x"]);
    const played = await recordedModel({ path });
    const { messages } = asking("x");
    await expect(played.generate({ messages, tools: [], maxOutputTokens: 100 }, { signal })).rejects.toThrow(
      /tools\[0\]\.name, which was not asked .*; and 1 more|tools\[0\].*and \d more/,
    );
    await expect(
      played.generate({ ...asking("x"), output: { name: "o", schema: {} } }, { signal }),
    ).rejects.toThrow(/nearest is line 2, but for output\.name, which it does not have \(asked: "o"\)/);
    expect(played.remaining).toBe(1);
  });
});

describe("a file that is no recording is refused, and its line named", () => {
  const good = async (): Promise<string> => record(answering({ a: full, b: full }), ["a", "b"]);
  const cases: readonly (readonly [string, (text: string) => string, string, RegExp])[] = [
    [
      "a later version",
      (text) => text.replace('"v":1', '"v":2'),
      "store_newer",
      /line 1: recorded in version 2/,
    ],
    ["an empty file", () => "", "store_corrupt", /line 1: the line is empty/],
    ["another file", () => '{"name":"holdpoint"}\n', "store_corrupt", /line 1: holdpoint/],
    ["a line cut off", (text) => text.slice(0, -30), "store_corrupt", /line 3: the line does not end/],
    ["half a line", (text) => `${text.slice(0, -30)}\n`, "store_corrupt", /line 3: the line is no JSON/],
    [
      "a changed request",
      (text) => text.replace('"b"', '"c"'),
      "store_corrupt",
      /line 3: the input is not the one/,
    ],
    [
      "an unknown member",
      (text) => text.replace('"request"', '"extra":1,"request"'),
      "store_corrupt",
      /line 2: .*extra/,
    ],
    [
      "an unknown finish",
      (text) => text.replace('"finish":"calls"', '"finish":"x"'),
      "store_corrupt",
      /line 2: output\.finish/,
    ],
    [
      "neither output nor error",
      (text) => text.replace(/"output":.*?,"request"/, '"request"'),
      "store_corrupt",
      /line 2: a call ends in either/,
    ],
    [
      "a merge conflict",
      (text) => text.replace("\n", "\n<<<<<<< main\n"),
      "store_corrupt",
      /line 2: the line is no JSON/,
    ],
  ];
  test.each(cases)("%s", async (_name, change, code, message) => {
    await writeFile(path, change(await good()));
    const opening = recordedModel({ path });
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toMatchObject({ code, retryable: false });
  });

  test("but one whose line ends a checkout has changed is read", async () => {
    await writeFile(path, (await good()).replaceAll("\n", "\r\n"));
    expect((await recordedModel({ path })).remaining).toBe(2);
  });

  test("one that is not there says how to make it", async () => {
    await expect(recordedModel({ path })).rejects.toMatchObject({
      code: "invalid_input",
      fix: "Record it once with recordModel.",
    });
  });

  test("one that cannot be written fails the call that it would lose", async () => {
    await writeFile(join(folder, "made"), "a file where a folder should be");
    await expect(
      recordModel(answering({ a: full }), { path }).generate(asking("a"), { signal }),
    ).rejects.toMatchObject({ code: "store_unavailable" });
  });

  test("one that cannot be written loses no answer where somebody is told, and leaves nothing beside it", async () => {
    await mkdir(path, { recursive: true }); // a folder where the file should be
    const told: string[] = [];
    const model = recordModel(answering({ a: full }), { path, onUnwritable: ({ code }) => told.push(code) });
    expect(await model.generate(asking("a"), { signal })).toEqual(full);
    expect(told).toEqual(["store_unavailable"]);
    expect(existsSync(`${path}.tmp`)).toBe(false);
  });
});

describe("secrets (I11)", () => {
  const secret = 'k3y-"quoted"/and\\more';
  const secrets = new Map([["SHOP_KEY", secret]]);
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(secret).toString("base64"),
  ];
  const holdsNone = (text: string): void => {
    for (const form of forms) expect(text).not.toContain(form);
  };

  test("are in no line, wherever they were and however written; and the request is found all the same", async () => {
    const question = forms.join(" | ");
    const output: ModelOutput = {
      ...full,
      text: `you said ${secret}`,
      calls: [
        { callId: secret, tool: "find", args: { [secret]: [secret], text: JSON.stringify({ secret }) } },
      ],
    };
    const error = new HoldpointError("model_failed", `no such key ${secret}`, { details: { key: secret } });
    const text = await record(answering({ [question]: output, "?": error }), [question, "?"], secrets);
    holdsNone(text);
    expect(text).toContain("[secret SHOP_KEY]");
    const played = await recordedModel({ path, secrets });
    expect((await played.generate(asking(question), { signal })).text).toBe("you said [secret SHOP_KEY]");
    const unknown = await played.generate(asking(`what is ${secret}`), { signal }).catch((thrown) => thrown);
    holdsNone(unknown.message);
  });

  test("are found also when a stream cut them in pieces", async () => {
    const model: Model = {
      id: "acme/large",
      generate: async (_, { onProgress }) => {
        for (const text of ["the key is ", secret.slice(0, 5), secret.slice(5), " ok"]) {
          onProgress?.({ kind: "text", text });
          onProgress?.({ kind: "call", callId: "c", tool: "find", text: "{" });
        }
        return full;
      },
    };
    const shown: string[] = [];
    const text = await record(model, ["a"], secrets, (piece) => shown.push(piece.text));
    expect(shown.join("")).toContain(secret.slice(5)); // who listens gets what came
    expect(text).not.toContain(secret.slice(5));
    const pieces: ModelProgress[] = [];
    await (await recordedModel({ path })).generate(asking("a"), {
      signal,
      onProgress: (piece) => pieces.push(piece),
    });
    expect(pieces.map((piece) => piece.text)).toEqual([
      "the key is [secret SHOP_KEY] ok",
      "{",
      "{",
      "{",
      "{",
    ]);
  });

  test.each([
    [{ headers: { Authorization: "Bearer abcdef0123456789abcdef" } }, "abcdef0123456789"],
    [{ "X-Api-Key": "0123456789" }, "0123456789"],
    [{ "set-cookie": ["session=00112233; Path=/"] }, "00112233"],
    [{ text: "authorization: Bearer zzz999" }, "zzz999"],
    [{ text: '{"x-goog-api-key":"AIza00112233"}' }, "AIza00112233"],
    [{ text: JSON.stringify(JSON.stringify({ cookie: "s=00112233" })) }, "00112233"],
    [{ text: "used sk-proj-00112233445566778899" }, "sk-proj"],
    [{ text: "curl -H 'Bearer eyJhbGciOi.JIUzI1NiIsInR5.cCI6'" }, "eyJhbGciOi"],
    [{ access_token: "00112233" }, "00112233"],
  ])("what stands where credentials stand is masked: %j", async (args, credential) => {
    const output: ModelOutput = { ...full, calls: [{ callId: "c", tool: "find", args }] };
    const text = await record(answering({ a: output }), ["a"]);
    expect(text).not.toContain(credential);
    expect(text).toContain("[masked]");
  });

  test("ordinary text, schemas and ids are left alone", async () => {
    const args = {
      text: "The bearer instruments and the api key of life; password reset for token holders. A cookie is sweet.",
      properties: { authorization: { type: "string" }, password: { type: "string", minLength: 8 } },
      digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
      tokens: 5,
    };
    const output: ModelOutput = { ...full, calls: [{ callId: "c", tool: "find", args }] };
    await record(answering({ a: output }), ["a"]);
    expect(await (await recordedModel({ path })).generate(asking("a"), { signal })).toEqual(output);
  });

  test("one too short to be found is refused, and an empty one is none", async () => {
    expect(() => recordModel(answering({}), { path, secrets: new Map([["PIN", "12345"]]) })).toThrow(
      /the secret PIN is too short/,
    );
    await record(answering({ a: full }), ["a"], new Map([["UNSET", ""]]));
    expect((await recordedModel({ path })).remaining).toBe(1);
  });
});
