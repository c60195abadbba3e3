// `check --probe` against local doubles: what is asked of the other side, and what is said when it does not work.
import { createServer as createTcpServer, type Server } from "node:net";
import { SMTPServer } from "smtp-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { probe } from "../../src/cli/probe.ts";
import { readSettings } from "../../src/cli/settings.ts";
import { agent, emailChannel, slackChannel, tool, webhookChannel } from "../../src/index.ts";
import { startReceiver } from "../kit/http-receiver.ts";
import { signingSecret, slackToken } from "../kit/slack-double.ts";
import { json, type Loopback, openLoopback } from "../models/loopback.ts";

const find = tool({
  name: "find_order",
  description: "Finds an order of the shop.",
  input: z.object({ orderId: z.string() }),
  risk: "low",
  effect: "read",
  run: () => null,
});
const clerk = agent({
  name: "clerk",
  model: "local/small",
  prompt: "You answer e-mails of a shop.",
  tools: [find],
});
const signal = new AbortController().signal;

const answer = (inputTokens: number): string =>
  JSON.stringify({
    id: "1",
    object: "chat.completion",
    created: 1,
    model: "small",
    choices: [{ index: 0, message: { role: "assistant", content: "ok" }, finish_reason: "length" }],
    usage: { prompt_tokens: inputTokens, completion_tokens: 1, total_tokens: inputTokens + 1 },
  });

async function probeModel(baseURL: string, timeoutMs?: number) {
  const settings = {
    ...(await readSettings({})),
    providers: { local: { baseURL, apiKey: "sk-local", stream: false } },
  };
  return probe({ settings, signal }, clerk, { channels: [], ...(timeoutMs !== undefined && { timeoutMs }) });
}

describe("the model", () => {
  test("is sent the prompt and the tools once, for a few tokens of output, and its count is told", async () => {
    const provider: Loopback = await openLoopback(json(answer(1_234)));
    const { findings, said } = await probeModel(`${provider.url}/v1`);
    expect(provider.received).toHaveLength(1);
    const [{ body } = { body: null }] = provider.received;
    expect(body).toMatchObject({
      max_tokens: 16,
      messages: [{ role: "system", content: "You answer e-mails of a shop." }, { role: "user" }],
      tools: [{ function: { name: "find_order" } }],
    });
    expect(said).toEqual([expect.stringMatching(/takes prompt and tools: 1,234 tokens in, 1 out/)]);
    expect(findings).toMatchObject([{ code: "probe_count_low", level: "warning" }]); // it counted more than the estimate
    provider.respond = json(answer(5));
    expect((await probeModel(`${provider.url}/v1`)).findings).toEqual([]);
  });

  test("that refuses the key, or cannot be reached, or is silent, is told apart", async () => {
    const refusing = await openLoopback(json('{"error":{"message":"Incorrect API key provided"}}', 401));
    const wrongKey = await probeModel(`${refusing.url}/v1`);
    expect(wrongKey).toMatchObject({ said: [], findings: [{ code: "probe_model_failed", level: "error" }] });
    expect(wrongKey.findings[0]?.message).toMatch(/401|key/i);
    expect(JSON.stringify(wrongKey)).not.toContain("sk-local");

    const closed = await probeModel(`${await nobody()}/v1`);
    expect(closed.findings).toMatchObject([{ code: "probe_model_failed" }]);
    expect(closed.findings[0]?.message).toMatch(/ECONNREFUSED/);

    const silent = await openLoopback(() => {});
    expect((await probeModel(`${silent.url}/v1`, 200)).findings).toMatchObject([
      { code: "probe_model_failed", message: "the model gave no answer within 200 ms" },
    ]);
  });
});

describe("Slack", () => {
  async function probeSlack(baseUrl: string, timeoutMs = 10_000): Promise<string> {
    const channel = slackChannel({ token: slackToken, signingSecret, channel: "C1", baseUrl, timeoutMs });
    return said(channel);
  }

  test("is asked whether it takes the token, and nothing else", async () => {
    const slack = await startReceiver(() => ({ status: 200, body: '{"ok":true,"team":"Shop"}' }));
    expect(await probeSlack(`${slack.url}/api/`)).toBe("channel slack: Slack takes the token (Shop)");
    expect(slack.received).toMatchObject([
      { path: "/api/auth.test", headers: { authorization: `Bearer ${slackToken}` } },
    ]);
  });

  test("that does not take it, is not there, or is silent, is told apart, with what to mend", async () => {
    const refusing = await startReceiver(() => ({
      status: 200,
      body: '{"ok":false,"error":"invalid_auth"}',
    }));
    expect(await probeSlack(`${refusing.url}/api/`)).toMatch(
      /refused auth\.test: invalid_auth → Set the token/,
    );
    expect(await probeSlack(`${await nobody()}/api/`)).toMatch(
      /nobody listens there \(ECONNREFUSED\) → Check host/,
    );
    const silent = await startReceiver(() => null);
    expect(await probeSlack(`${silent.url}/api/`, 200)).toMatch(/no answer within 200 ms → Check host/);
    const https = (await tlsServer()).replace("http:", "https:");
    expect(await probeSlack(`${https}/api/`)).toMatch(/certificate is not trusted \([A-Z_]+\) → Renew it/);
  });
});

describe("a webhook", () => {
  const secrets = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
  const to = (url: string, timeoutMs = 10_000) =>
    said(webhookChannel({ url, secrets, allowPrivate: true, timeoutMs }));

  test("is connected to, and sent nothing", async () => {
    const receiver = await startReceiver(() => 200);
    expect(await to(receiver.url)).toBe(`channel webhook: ${receiver.url} takes connections`);
    expect(receiver.received).toEqual([]);
  });

  test("whose other side is not there, or not to be trusted, or no TLS server, is told apart", async () => {
    expect(await to("http://127.0.0.1:1/")).toMatch(/nobody listens there \(ECONNREFUSED\) → Check host/);
    expect(await to((await tlsServer()).replace("http:", "https:"))).toMatch(/certificate is not trusted/);
    const plain = await startReceiver(() => 200);
    expect(await to(plain.url.replace("http:", "https:"))).toMatch(/does not speak TLS|ended the connection/);
    const deaf = await tcpServer();
    expect(await to(deaf.replace("http:", "https:"), 200)).toMatch(/no answer within 200 ms/);
  });
});

describe("a mail server", () => {
  const through = (smtp: Partial<Parameters<typeof emailChannel>[0]["smtp"]>) =>
    said(
      emailChannel({
        from: "holdpoint@example.com",
        publicUrl: "https://holdpoint.example.com",
        secret: "0123456789abcdef0123456789abcdef",
        smtp: { host: "127.0.0.1", timeoutMs: 2_000, ...smtp },
      }),
    );

  test("is greeted and logged in to, and sent nothing", async () => {
    const port = await smtpServer({ password: "right" });
    const login = { port, user: "shop", requireTls: false };
    expect(await through({ ...login, password: "right" })).toBe(
      "channel email: the mail server 127.0.0.1 answers, and takes the login",
    );
    expect(await through({ ...login, password: "wrong" })).toMatch(/answered 535: .* → Mend `user`/);
  });

  test("that is not there, silent, without TLS or with a certificate of nobody is told apart", async () => {
    expect(await through({ port: 1 })).toMatch(/ECONNREFUSED.* → Check host/);
    const deaf = Number(new URL(await tcpServer()).port);
    expect(await through({ port: deaf, timeoutMs: 200 })).toMatch(
      /(?:imeout|Greeting never received).* → Check host/,
    );
    const plain = await smtpServer({ password: "right" });
    expect(await through({ port: plain, requireTls: true })).toMatch(/STARTTLS.* → Turn TLS on/);
    const tls = Number(new URL(await tlsServer()).port);
    expect(await through({ port: tls, secure: true })).toMatch(/certificate.* → Renew it/);
  });
});

test("a channel that heeds no signal does not hold the probe up", async () => {
  const settings = await readSettings({});
  const deaf = {
    name: "deaf",
    recipients: () => [],
    deliver: async () => null,
    probe: () => new Promise<string>(() => {}),
  };
  const silent = agent({ name: "silent", flow: async () => null });
  const { findings } = await probe({ settings, signal }, silent, { channels: [deaf], timeoutMs: 100 });
  expect(findings).toContainEqual(
    expect.objectContaining({
      code: "probe_channel_failed",
      message: "channel deaf: no answer within 100 ms",
    }),
  );
});

/** What the probe of one channel says: a line, or what is wrong and what to do. */
async function said(channel: ReturnType<typeof webhookChannel>): Promise<string> {
  const settings = await readSettings({});
  const noModel = {
    ...clerk,
    model: { id: "test/none", generate: async () => Promise.reject(new Error("no")) },
  };
  const { findings, said: lines } = await probe({ settings, signal }, noModel, { channels: [channel] });
  const problem = findings.find(({ code }) => code === "probe_channel_failed");
  return problem ? `${problem.message} → ${problem.fix}` : lines.join("\n");
}

/** Takes connections, and says nothing. */
async function tcpServer(): Promise<string> {
  const server = createTcpServer((socket) => onTestFinished(() => void socket.destroy()));
  return listen(server);
}

/** With the certificate for tests that its library brings, which nobody signed. */
async function tlsServer(): Promise<string> {
  const server = new SMTPServer({ secure: true, closeTimeout: 0, logger: false });
  server.on("error", () => {}); // of clients that do not trust it
  onTestFinished(() => new Promise<void>((resolve) => void server.close(resolve)));
  const listening = server.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  const address = listening.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

async function smtpServer({ password }: { readonly password: string }): Promise<number> {
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    closeTimeout: 0,
    onAuth: (auth, _session, done) =>
      auth.password === password ? done(null, { user: auth.username }) : done(new Error("Invalid login")),
  });
  onTestFinished(() => new Promise<void>((resolve) => void server.close(resolve)));
  const listening = server.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  const address = listening.address();
  return typeof address === "object" ? (address?.port ?? 0) : 0;
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

/** An address at which nobody listens any more. */
async function nobody(): Promise<string> {
  const server = createTcpServer();
  const url = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return url;
}
