import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { chooseModel } from "../../examples/support-desk/choose-model.ts";

const main = join(import.meta.dirname, "../../examples/support-desk/main.ts");
const config = join(import.meta.dirname, "../../examples/support-desk/holdpoint.config.json");
const cli = join(import.meta.dirname, "../../src/cli/main.ts");
let data: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "support-desk-"));
});

afterEach(() => rm(data, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script as a user would, without any provider's key. */
function node(script: string, ...args: readonly string[]): Promise<Ended> {
  const { PATH = "" } = process.env;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, ...args], {
    env: { PATH },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

it("ends by itself, says which model it used, and shows how to answer", async () => {
  const { code, stdout, stderr } = await node(main, "--data", data);
  expect(code).toBe(0);
  expect(stdout).toContain("offline stand-in");
  expect(stdout).toMatch(/npm run holdpoint -- approve r_\w+ --store /);
  expect(stdout).toContain(
    "02-broken-candles.eml          waits          refunded EUR 18.00 for SO-1006; asks: send_email to oskar@example.org",
  );
  expect(stdout).toContain("the same e-mail as 01-where-is-my-order.eml");
  expect(stderr).toContain("02-broken-candles.eml  act:issue_refund#1 done");
});

it("carries out on its next run what the command line approved", async () => {
  const first = JSON.parse((await node(main, "--data", data, "--json")).stdout);
  const [requestId] = first.threads.flatMap((thread: { requests: { requestId: string }[] }) =>
    thread.requests.map((request) => request.requestId),
  );
  const store = ["--store", join(data, "holdpoint.db"), "--config", config, "--json"];
  const refused = await node(cli, "approve", requestId, ...store, "--as", "kim@example.com");
  expect(refused).toMatchObject({ code: 4, stdout: expect.stringContaining("role:support-lead") });
  const approved = await node(cli, "approve", requestId, ...store, "--as", "dana@example.com");
  expect(approved).toMatchObject({ code: 0 });
  const second = JSON.parse((await node(main, "--data", data, "--json")).stdout);
  expect(second.thisRun).toEqual({ started: 0, actions: 1 });
  const third = JSON.parse((await node(main, "--data", data, "--json")).stdout);
  expect(third.thisRun).toEqual({ started: 0, actions: 0 });
});

it("reports an unreadable e-mail and says so with its exit code", async () => {
  await writeFile(join(data, "bad.eml"), "no e-mail");
  const { code, stdout } = await node(main, "--data", data, "--inbox", data, "--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout).mails).toEqual([
    { file: "bad.eml", kind: "unreadable", error: expect.objectContaining({ code: "invalid_input" }) },
  ]);
});

it.each([
  ["an unknown option", ["--nonsense"]],
  ["an inbox that is not there", ["--inbox", "/nowhere/at/all"]],
  ["a store that cannot be", ["--data", main]],
])("answers %s with a code and a way out", async (_name, args) => {
  const { code, stdout } = await node(main, "--data", data, "--json", ...args);
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toEqual({
    error: { code: "usage", message: expect.any(String), fix: expect.any(String) },
  });
});

it.each([
  [{}, "offline/rules", true],
  [{ ANTHROPIC_API_KEY: "" }, "offline/rules", true],
  [{ OPENAI_API_KEY: "sk-secret" }, "openai/gpt-6-astra", false],
  [{ OPENAI_API_KEY: "sk-secret", HOLDPOINT_MODEL: "openai/other" }, "openai/other", false],
])("chooses the model by the environment %o", (environment, name, isStandIn) => {
  expect(chooseModel(environment)).toMatchObject({ name, isStandIn });
  expect([...chooseModel(environment).secrets.values()]).toEqual(
    Object.values(environment).filter((value) => value.startsWith("sk-")),
  );
});
