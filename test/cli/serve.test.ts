// `holdpoint serve` and `holdpoint token` as processes: the first try works, what is closed stays closed, a stop is clean.
import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { fixture, newProject, type Project } from "./command.ts";

interface Serving {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function serving(project: Project, { args = [], env = {} }: Serving = {}) {
  const running = project.start(["serve", "--port", "0", ...args], { input: null, env });
  let noted = "";
  running.child.stderr?.on("data", (text: string) => {
    noted += text;
  });
  await running.until("listening on ");
  const url = /listening on (\S+)/.exec(noted)?.[1] ?? "";
  return { ...running, url };
}

/** `fetch` lets nobody say another host. */
async function bodyAs(host: string, url: string): Promise<string> {
  const sent = request(url, { headers: { host } }).end();
  const [response] = await once(sent, "response");
  return text(response);
}

async function token(project: Project, ...args: readonly string[]): Promise<string> {
  const { document } = await project.json("token", "create", "--principal", "dana@example.com", ...args);
  return document.token;
}

describe("holdpoint token", () => {
  test("shows a token once, lists it without, and revokes it", async () => {
    const project = newProject();
    const made = await project.run(
      "token",
      "create",
      "--principal",
      "dana@example.com",
      "--scope",
      "decide,read",
      "--role",
      "role:lead",
      "--expires",
      "90d",
    );
    expect(made.stdout).toMatch(/^hp_[\w-]{43}\n$/);
    const { document } = await project.json("token", "list");
    expect(document.tokens).toMatchObject([
      { principal: "dana@example.com", scopes: ["read", "decide"], roles: ["lead"], usedAt: null },
    ]);
    expect(JSON.stringify(document)).not.toContain(made.stdout.trim());
    const [{ tokenId }] = document.tokens;
    expect((await project.json("token", "revoke", tokenId)).document.revokedAt).toMatch(/^20/);
    expect((await project.run("token", "list")).stdout).toContain("revoked");
    expect((await project.json("token", "revoke", "tk_none")).document.error.code).toBe("token_not_found");
  });

  test.each([
    ["no principal", ["--scope", "read"]],
    ["no scope", ["--principal", "dana@example.com"]],
    ["an unknown scope", ["--principal", "dana@example.com", "--scope", "write"]],
    ["an agent's voice", ["--principal", "agent:desk", "--scope", "decide"]],
    ["a thread's voice", ["--principal", "thread:th_1", "--scope", "decide"]],
    ["an agent's voice in another spelling", ["--principal", "Agent:desk", "--scope", "decide"]],
    ["a role", ["--principal", "role:lead", "--scope", "decide"]],
    ["a principal of two lines", ["--principal", "dana\nroot", "--scope", "read"]],
    ["a role with spaces", ["--principal", "dana@example.com", "--scope", "read", "--role", "a b"]],
    ["an end in the past", ["--principal", "dana@example.com", "--scope", "read", "--expires", "0s"]],
    ["an end that is no time", ["--principal", "dana@example.com", "--scope", "read", "--expires", "soon"]],
  ])("refuses %s", async (_name, args) => {
    const project = newProject();
    const { code, document } = await project.json("token", "create", ...args);
    expect([code, document.error.code]).toEqual([2, "usage"]);
  });
});

describe("holdpoint serve", () => {
  test("works on the first try: it says how to make a token, and with one it runs, asks, decides", async () => {
    const project = newProject();
    const { url, child, ended, until } = await serving(project, { args: ["--agent", fixture("desk.ts")] });
    await until("holdpoint token create");
    expect((await fetch(`${url}/v1/threads`)).status).toBe(401);
    const client = createClient({
      url,
      token: await token(project, "--scope", "read,run,decide", "--role", "lead"),
    });
    const { threadId } = await client.startThread({ agent: "desk", input: { orderId: "A7", cents: 4_200 } });
    const types: string[] = [];
    for await (const event of client.events(threadId)) {
      types.push(event.type);
      if (event.type === "request_opened") await client.decide(event.requestId, { kind: "approve" });
    }
    expect(types.at(-1)).toBe("thread_completed");
    expect(await client.thread(threadId)).toMatchObject({ output: 'refund: {"refunded":4200}' });
    child.kill("SIGTERM");
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toContain('"path":"/v1/threads"');
    expect(stderr).not.toContain("hp_");
  });

  test("tells what goes wrong in the background", async () => {
    const project = newProject();
    const config = { channels: [{ type: "webhook", url: "https://127.0.0.1/", secretVariables: ["HOOK"] }] };
    project.write("holdpoint.config.json", JSON.stringify(config));
    const HOOK = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
    const agent = ["--agent", fixture("desk.ts")];
    await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":4200}');
    const { child, ended, until } = project.start(["serve", "--port", "0", ...agent], {
      input: null,
      env: { HOOK },
    });
    await until("channel webhook gave up on a delivery");
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  });

  test("answers under the public hosts of its channels, and under no other name", async () => {
    const project = newProject();
    const publicUrl = "https://Holdpoint.example.com";
    const smtp = { host: "smtp.example.com" };
    const from = "holdpoint@example.com";
    const slack = { type: "slack", tokenVariable: "TOKEN", signingSecretVariable: "SIGNING" };
    const config = {
      channels: [
        { type: "email", from, publicUrl, secretVariable: "LINKS", smtp },
        { ...slack, publicUrl: "https://clicks.example.com/holdpoint" },
        { ...slack, name: "quiet" },
      ],
    };
    project.write("holdpoint.config.json", JSON.stringify(config));
    const env = { LINKS: "x".repeat(32), TOKEN: "xoxb-1", SIGNING: "y".repeat(32) };
    const { child, ended, url } = await serving(project, { env });
    for (const path of ["/channels/email/decide", "/channels/slack/interactions"]) {
      expect(await bodyAs("holdpoint.example.com", url + path)).not.toContain("origin_refused");
      expect(await bodyAs("clicks.example.com", url + path)).not.toContain("origin_refused");
      expect(await bodyAs("evil.example.com", url + path)).toContain("origin_refused");
    }
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  });

  test("runs nothing with --no-worker, and stops with open streams and threads under way", async () => {
    const project = newProject();
    const { url, child, ended } = await serving(project, {
      args: ["--agent", fixture("desk.ts"), "--no-worker"],
    });
    const client = createClient({ url, token: await token(project, "--scope", "admin") });
    const { threadId } = await client.startThread({ agent: "desk", input: { orderId: "A7", cents: 1 } });
    const events = client.events(threadId)[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ type: "thread_started" });
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
    const { document } = await project.json("threads");
    expect(document.threads).toMatchObject([{ threadId, headSeq: 1 }]);
  });

  test("is open to nobody without a token: other machines cannot even reach it", async () => {
    const project = newProject();
    const { code, document } = await project.json("serve", "--host", "0.0.0.0", "--port", "0");
    expect([code, document.error.code]).toEqual([2, "usage"]);
    expect(document.error.fix).toContain("token create");
  });

  test("takes its address from the config", async () => {
    const project = newProject();
    project.write(
      "holdpoint.config.json",
      '{"server": {"publicUrl": "https://approve.example.com", "port": 0}}',
    );
    const running = project.start(["serve"], { input: null });
    await running.until("listening on http://127.0.0.1:");
    running.child.kill("SIGTERM");
    expect((await running.ended).code).toBe(0);
    const { document } = await project.json("serve", "--public-url", "approve.example.com", "--port", "0");
    expect(document.error.message).toContain("public URL");
  });
});
