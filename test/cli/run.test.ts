import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fixture, newProject } from "./command.ts";

describe("run", () => {
  it("runs to the end and prints what the thread gave, with progress on stderr", async () => {
    const { run } = newProject();
    const ended = await run("run", `${fixture("flows.ts")}#echo`, "hello");
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/^th_[0-9a-f]+ {2}echo 1 {2}completed, .*\nhello\n$/);
    expect(ended.stderr).toContain('completed  "hello"');
  });

  it("gives one document with --json, with the output as it is", async () => {
    const { json } = newProject();
    const { code, document } = await json("run", `${fixture("flows.ts")}#echo`, '{"a":[1,2]}');
    expect(code).toBe(0);
    expect(document).toMatchObject({
      agent: "echo",
      agentVersion: "1",
      status: "completed",
      output: { a: [1, 2] },
    });
    expect(document).toMatchObject({ created: true, headSeq: 2, requests: [], waits: [] });
  });

  it("parks off a terminal, exits with 0 and says how to answer", async () => {
    const { run, folder } = newProject();
    const ended = await run("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('issue_refund {"orderId":"A7","cents":42}');
    expect(ended.stdout).toMatch(/holdpoint approve r_\w+\n/);
    expect(existsSync(join(folder, "ledger.jsonl"))).toBe(false);
  });

  it("names the request in the document when it parks", async () => {
    const { json } = newProject();
    const { document } = await json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    expect(document).toMatchObject({ status: "waiting", openRequests: 1 });
    expect(document.requests).toMatchObject([
      {
        kind: "approval",
        status: "open",
        choices: ["approve", "edit", "reject"],
        approvers: [],
        action: { tool: "issue_refund", args: { orderId: "A7", cents: 42 }, risk: "high" },
      },
    ]);
  });

  it("exits with 1 when the thread fails, and says why", async () => {
    const { json, run } = newProject();
    const { code, document } = await json("run", `${fixture("flows.ts")}#failing`);
    expect(code).toBe(1);
    expect(document).toMatchObject({
      status: "failed",
      error: { code: "flow_failed", message: "the flow gave up" },
    });
    expect(await run("run", `${fixture("flows.ts")}#failing`)).toMatchObject({ code: 1 });
  });

  it("starts once for one key, and goes on with that thread", async () => {
    const { json } = newProject();
    const first = await json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}', "--key", "mail-1");
    const second = await json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}', "--key", "mail-1");
    expect(second.document).toMatchObject({
      threadId: first.document.threadId,
      created: false,
      status: "waiting",
    });
    expect((await json("threads")).document.threads).toHaveLength(1);
  });

  it("refuses the key with another input, and names the thread that has it", async () => {
    const { json } = newProject();
    const args = ["run", fixture("desk.ts")];
    const first = await json(...args, '{"orderId":"A7","cents":42}', "--key", "mail-1");
    const other = await json(...args, '{"orderId":"A7","cents":43}', "--key", "mail-1");
    expect([other.code, other.document.error.code]).toEqual([4, "key_conflict"]);
    expect(other.document.error.message).toContain(first.document.threadId);
    const same = await json(...args, '{"cents":42,"orderId":"A7"}', "--key", "mail-1");
    expect(same.document).toMatchObject({ threadId: first.document.threadId, created: false });
  });

  it("takes the input from stdin and from a file", async () => {
    const { start, json, write } = newProject();
    const piped = await start(["run", `${fixture("flows.ts")}#echo`, "-", "--json"], {
      input: '{"from":"stdin"}',
    }).ended;
    expect(JSON.parse(piped.stdout)).toMatchObject({ output: { from: "stdin" } });
    write("input.json", '{"from":"file"}');
    const { document } = await json("run", `${fixture("flows.ts")}#echo`, "--input-file", "input.json");
    expect(document).toMatchObject({ output: { from: "file" } });
  });

  it.each([
    { name: "text that is no JSON", args: ["plain text"], output: "plain text" },
    { name: "JSON as JSON", args: ["42"], output: 42 },
    { name: "JSON as text when told to", args: ["42", "--text"], output: "42" },
  ])("takes $name", async ({ args, output }) => {
    const { json } = newProject();
    expect((await json("run", `${fixture("flows.ts")}#echo`, ...args)).document).toMatchObject({ output });
  });

  it("takes text that reads like JSON as text when the agent's schema is of text", async () => {
    const { json } = newProject();
    const { document } = await json("run", `${fixture("flows.ts")}#asker`, "42");
    expect(document.requests[0].question).toBe("How many 42?");
  });

  it("keeps what agents print away from the document", async () => {
    const { json } = newProject();
    const { document, stderr } = await json("run", `${fixture("flows.ts")}#printer`);
    expect(document).toMatchObject({ status: "completed", output: "printed" });
    expect(stderr).toContain("printed with console.log");
    expect(stderr).toContain("written to stdout");
  });

  it("waits for a retry that is due soon, and parks for a timer that is not", async () => {
    const { json } = newProject();
    expect((await json("run", `${fixture("flows.ts")}#retrying`)).document).toMatchObject({
      output: "at the second try",
    });
    const { code, document } = await json("run", `${fixture("flows.ts")}#sleeper`);
    expect(code).toBe(0);
    expect(document).toMatchObject({ status: "waiting", waits: [{ kind: "timer", key: "sleep#1" }] });
  });

  it("tells what a child waits for", async () => {
    const { json } = newProject();
    const { document } = await json("run", `${fixture("flows.ts")}#parent`);
    expect(document).toMatchObject({
      agent: "parent",
      requests: [{ agent: "asker", question: "How many eggs?" }],
    });
  });

  it("remembers the agent's file beside the store, relative to it", async () => {
    const { folder, run, write } = newProject();
    write("own.ts", `export { echo as default } from ${JSON.stringify(fixture("flows.ts"))};`);
    await run("run", "own.ts", "x");
    const memory = JSON.parse(readFileSync(join(folder, ".holdpoint/agents.json"), "utf8"));
    expect(memory).toEqual({ v: 1, agents: { echo: "../own.ts" } });
    expect(await run("run", "echo", "by name")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("by name"),
    });
  });

  it("is quiet when asked to", async () => {
    const { run } = newProject();
    expect(await run("run", `${fixture("flows.ts")}#echo`, "x", "--quiet")).toMatchObject({
      code: 0,
      stderr: "",
    });
  });
});

describe("agents' files", () => {
  it("may import holdpoint from wherever they lie", async () => {
    const { write, json } = newProject();
    write(
      "mine.ts",
      `import { agent } from "holdpoint";
       import { scriptedModel } from "holdpoint/testing";
       export default agent({ name: "mine", model: scriptedModel(["hello"]), prompt: "Greet." });`,
    );
    expect((await json("run", "mine.ts", "hi")).document).toMatchObject({
      status: "completed",
      output: "hello",
    });
  });

  it("are found by a config, which also names the store", async () => {
    const { write, json } = newProject();
    write(
      "holdpoint.config.ts",
      `export default { store: "data/log.db", agents: [${JSON.stringify(fixture("flows.ts"))}] };`,
    );
    expect((await json("run", "echo", "x")).document).toMatchObject({ output: "x" });
    expect((await json("threads", "--store", "data/log.db")).document.threads).toHaveLength(1);
  });

  it("count tokens with the config's counter", async () => {
    const { write, json } = newProject();
    write(
      "mine.ts",
      `import { agent } from "holdpoint";
       import { scriptedModel } from "holdpoint/testing";
       export default agent({ name: "mine", model: scriptedModel(["hello"]), prompt: "Greet." });`,
    );
    write(
      "holdpoint.config.ts",
      `class Thousands { name = "thousands"; #each = 1_000; count() { return this.#each; } }
       export default { counter: new Thousands() };`,
    );
    const { threadId } = (await json("run", "mine.ts", "hi")).document;
    const { window } = (await json("prompt", threadId)).document;
    expect(window.tokens % 1_000).toBeLessThan(100); // thousands, and what each message takes besides
    expect(window.tokens).toBeGreaterThanOrEqual(2_000);
  });

  it.each([
    ["{ name: 'x', count: async (text) => text.length }", "its `count` gave a promise"],
    ["{ name: 'x', count() { throw new Error('no vocabulary'); } }", "its `count` threw: no vocabulary"],
    ["{ count: (text) => text.length }", "it has no `name`"],
    ["'o200k'", "it is no object"],
  ])("are not run with a counter that cannot be used: %s", async (counter, why) => {
    const { write, json } = newProject();
    write("holdpoint.config.ts", `export default { counter: ${counter} };`);
    const { code, document } = await json("run", fixture("flows.ts"), "x");
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      code: "usage",
      message: expect.stringContaining(
        "in the config ./holdpoint.config.ts, the token counter cannot be used",
      ),
    });
    expect(document.error.message).toContain(why);
  });

  it("are found by --agent", async () => {
    const { json } = newProject();
    expect((await json("run", "echo", "x", "--agent", fixture("flows.ts"))).document).toMatchObject({
      output: "x",
    });
  });

  it("keep secrets out of the log", async () => {
    const { write, start, run, folder } = newProject();
    write("holdpoint.config.json", '{ "secrets": ["SHOP_TOKEN"] }');
    const env = { SHOP_TOKEN: "s3cret-token-value", ANTHROPIC_API_KEY: "sk-very-secret-key" };
    const input = "tokens s3cret-token-value and sk-very-secret-key";
    const ended = await start(["run", `${fixture("flows.ts")}#echo`, input, "--json"], { env }).ended;
    expect(ended.code).toBe(0);
    const threadId = JSON.parse(ended.stdout).threadId;
    const exported = await run("export", threadId);
    expect(exported.stdout).toContain("[secret SHOP_TOKEN]");
    expect(exported.stdout).not.toContain("s3cret-token-value");
    expect(readFileSync(join(folder, ".holdpoint/holdpoint.db")).includes("sk-very-secret-key")).toBe(false);
  });

  it("that name no model get the one of HOLDPOINT_MODEL, before the config's", async () => {
    const { write, start } = newProject();
    write("holdpoint.config.json", '{ "defaultModel": "config/model" }');
    write(
      "any.ts",
      'import { agent } from "holdpoint";\nexport default agent({ name: "any", prompt: "Help." });',
    );
    const why = async (env: Readonly<Record<string, string>>) => {
      const { stdout } = await start(["run", "any.ts", "hi", "--json"], { env }).ended;
      return JSON.parse(stdout).error.message;
    };
    expect(await why({ HOLDPOINT_MODEL: "environment/model" })).toContain(
      '"environment/model" names no model',
    );
    expect(await why({ ANTHROPIC_API_KEY: "a-key-of-no-use" })).toContain('"config/model" names no model');
  });

  it("whose model has no key are refused before there is a thread, unless another model of theirs has one", async () => {
    const { write, start, run, exists } = newProject();
    const agentOf = (model: string) =>
      `import { agent } from "holdpoint";\nexport default agent({ name: "any", prompt: "Help.", model: ${model} });`;
    write("one.ts", agentOf('"anthropic/claude"'));
    const ended = await run("run", "one.ts", "hi", "--json");
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout).error).toMatchObject({
      code: "model_unavailable",
      message: expect.stringContaining("ANTHROPIC_API_KEY"),
    });
    write("several.ts", agentOf('["anthropic/claude", "google/gemini"]'));
    expect((await run("run", "several.ts", "hi", "--json")).code).toBe(1);
    expect(exists(".holdpoint")).toBe(false);
    const env = { GOOGLE_GENERATIVE_AI_API_KEY: "a-key-of-no-use" };
    const started = await start(["run", "several.ts", "hi", "--json"], { env }).ended;
    expect(JSON.parse(started.stdout)).toMatchObject({ created: true });
  });

  it("reach an endpoint of the config or the environment, with its key and no other", async () => {
    const { write, start, json, folder } = newProject();
    const keys: unknown[] = [];
    const server = createServer((request, response) => {
      keys.push(request.headers.authorization);
      const delta = { role: "assistant", content: "hello" };
      const choices = [{ index: 0, delta, finish_reason: "stop" }];
      const chunk = JSON.stringify({ id: "1", created: 1, model: "m", choices });
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(`data: ${chunk}\n\ndata: [DONE]\n\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port, so it has one
    const endpoint = { baseURL, apiKeyVariable: "ROUTER_KEY" };
    write("holdpoint.config.json", JSON.stringify({ providers: { router: endpoint, compatible: endpoint } }));
    write(
      "any.ts",
      'import { agent } from "holdpoint";\nexport default agent({ name: "any", prompt: "Help." });',
    );
    const runWith = async (env: Readonly<Record<string, string>>) => {
      const { stdout } = await start(["run", "any.ts", "hi router-key-1", "--json"], { env }).ended;
      return JSON.parse(stdout);
    };
    expect(await runWith({ HOLDPOINT_MODEL: "router/m" })).toMatchObject({
      error: { code: "model_unavailable", message: expect.stringContaining("ROUTER_KEY") },
    });
    const ROUTER_KEY = "router-key-1";
    expect(await runWith({ HOLDPOINT_MODEL: "router/m", ROUTER_KEY })).toMatchObject({ output: "hello" });
    const HOLDPOINT_BASE_URL = baseURL;
    const elsewhere = { HOLDPOINT_MODEL: "compatible/m", HOLDPOINT_BASE_URL, ROUTER_KEY };
    expect(await runWith(elsewhere)).toMatchObject({ output: "hello" });
    expect(await runWith({ ...elsewhere, HOLDPOINT_API_KEY: "key-2" })).toMatchObject({ output: "hello" });
    expect(keys).toEqual(["Bearer router-key-1", undefined, "Bearer key-2"]);
    expect(readFileSync(join(folder, ".holdpoint/holdpoint.db")).includes("router-key-1")).toBe(false);

    write(
      "holdpoint.config.json",
      JSON.stringify({ providers: { router: { baseURL, apiKey: "sk-in-a-file" } } }),
    );
    const { code, document } = await json("threads");
    expect([code, document.error.message]).toEqual([2, expect.stringContaining("apiKey")]);
    expect(JSON.stringify(document)).not.toContain("sk-in-a-file");
  });

  it("keep secrets off the screen, also in errors", async () => {
    const { write, start } = newProject();
    write("leaky.ts", 'throw new Error("refused: Bearer sk-very-secret-key");');
    const ended = await start(["run", "leaky.ts"], { env: { OPENAI_API_KEY: "sk-very-secret-key" } }).ended;
    expect(ended.stderr).toContain("refused: Bearer [secret OPENAI_API_KEY]");
  });
});
