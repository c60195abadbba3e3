// The approver page: it works without JavaScript, shows what every channel shows, and decides by POST only.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../../src/core/agent.ts";
import { gate } from "../../src/core/gate.ts";
import { origin, servicesOfEachTest, type TestService, type TestServiceOptions } from "../kit/http.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = servicesOfEachTest();

/** A browser without scripts: it keeps cookies, and sends forms with the fields that they hold. */
interface Browser {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Page>;
  post(
    path: string,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Page>;
  readonly cookie: string;
}

interface Page {
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
  /** The hidden fields of the form with this verdict. */
  form(kind: string): Readonly<Record<string, string>>;
}

function browse(service: TestService): Browser {
  let cookie = "";
  async function visit(
    path: string,
    body: string | null,
    headers: Readonly<Record<string, string>>,
  ): Promise<Page> {
    const response = await service.send(path, {
      token: null,
      headers: {
        ...(cookie !== "" && { cookie }),
        ...(body !== null && { "content-type": "application/x-www-form-urlencoded", origin }),
        ...headers,
      },
      ...(body !== null && { rawBody: body, method: "POST" }),
    });
    const set = response.headers.get("set-cookie");
    if (set !== null) cookie = set.split(";")[0] ?? "";
    const location = response.headers.get("location");
    if (response.status === 303 && location !== null) return visit(location, null, {});
    const html = await response.text();
    return { status: response.status, html, headers: response.headers, form: (kind) => formIn(html, kind) };
  }
  return {
    get: (path, headers = {}) => visit(path, null, headers),
    post: (path, fields, headers = {}) => visit(path, String(new URLSearchParams(fields)), headers),
    get cookie() {
      return cookie;
    },
  };
}

function formIn(html: string, kind: string): Readonly<Record<string, string>> {
  const form = html.split("<form").find((text) => text.includes(`name="verdict" value="${kind}"`)) ?? "";
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(
      ([, name = "", value = ""]) => [name, value],
    ),
  );
}

async function held(options: Partial<TestServiceOptions> = {}, note = "none") {
  const tool = payTool({ risk: "high", effect: "once" });
  const model = turns(calls(["pay", { cents: 5, note }]), { text: "paid" });
  const desk = agent({ name: "desk", prompt: "Work.", model, tools: [tool] });
  const service = await open({ agents: [desk], ...options });
  const { threadId } = (
    await service.json("/v1/threads", { body: { agent: "desk", input: "go" }, headers: {} })
  ).body;
  await service.settle(threadId);
  const requestId = (await service.openRequests())[0]?.requestId ?? "";
  const browser = browse(service);
  const token = await service.token(["read", "decide"]);
  const signIn = () => browser.post("/sign-in", { token, next: `/requests/${requestId}` });
  return {
    ...service,
    ...browser,
    service,
    browser,
    tool,
    threadId,
    requestId,
    path: `/requests/${requestId}`,
    token,
    signIn,
  };
}

describe("signing in", () => {
  test("shows the request that was asked for, and no address asks without", async () => {
    const { get, post, path, token } = await held();
    const first = await get(path);
    expect(first.html).toContain("Sign in");
    expect(first.html).toContain(`name="next" value="${path}"`);
    expect((await post("/sign-in", { token: "hp_wrong", next: path })).status).toBe(401);
    expect((await post("/sign-in", { token, next: path })).html).toContain("Approval needed");
    expect((await get("/")).html).toContain("Open requests");
  });

  test("keeps no token in the browser, and its session where scripts, other sites and the API do not see it", async () => {
    const { send, token, browser, signIn, get } = await held();
    const rawBody = `token=${token}`;
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await send("/sign-in", { rawBody, headers, token: null });
    expect(response.headers.get("set-cookie")).toMatch(
      /^holdpoint_session=hs_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
    expect(response.headers.get("set-cookie")).not.toContain(token);
    await signIn();
    const [, session = ""] = browser.cookie.split("=");
    expect((await send("/v1/threads", { token: null, headers: { cookie: browser.cookie } })).status).toBe(
      401,
    );
    expect((await send("/v1/threads", { token: session })).status).toBe(401);
    const asToken = `holdpoint_session=${token}`;
    expect(await (await send("/inbox", { token: null, headers: { cookie: asToken } })).text()).toContain(
      "Sign in",
    );
    expect((await get("/inbox", { "sec-fetch-site": "cross-site" })).html).toContain("Sign in");
  });

  test("ends with a sign-out, after twelve hours, and with its token, also for who has a copy of the cookie", async () => {
    const { service, browser, post, signIn, get, sqlite, clock, token } = await held();
    const opens = async (cookie: string): Promise<boolean> =>
      (await (await service.send("/inbox", { token: null, headers: { cookie } })).text()).includes(
        "Open requests",
      );
    await signIn();
    const first = browser.cookie;
    expect(await opens(first)).toBe(true);
    await signIn(); // anew in the same browser: the one before is over
    expect(await opens(first)).toBe(false);
    const second = browser.cookie;
    await post("/sign-out", {});
    expect([await opens(second), browser.cookie]).toEqual([false, "holdpoint_session="]);
    await signIn();
    await clock.advance(12 * 60 * 60_000 - 1);
    expect(await opens(browser.cookie)).toBe(true);
    await clock.advance(1);
    expect((await get("/inbox")).html).toContain("Sign in");
    await signIn();
    const rows = await sqlite.tokens.list();
    const own = rows.find(({ scopes }) => scopes.join() === "read,decide");
    await sqlite.tokens.revoke(own?.tokenId ?? "", "2026-01-02T00:00:00.000Z");
    expect(await opens(browser.cookie)).toBe(false);
    expect((await post("/sign-in", { token, next: "/inbox" })).status).toBe(401);
  });

  test("over TLS of its own sets a cookie that never goes without it", async () => {
    const { server, token } = await held();
    const headers = { "content-type": "application/x-www-form-urlencoded", host: "localhost:7433" };
    const request = new Request("https://localhost:7433/sign-in", {
      method: "POST",
      body: `token=${token}`,
      headers,
    });
    expect((await server.fetch(request)).headers.get("set-cookie")).toMatch(
      /^__Host-holdpoint_session=.*; Secure$/,
    );
  });

  test("is not needed again after a link in a mail: browsers send no cookie along with it, but with the next click", async () => {
    const { signIn, get, path } = await held();
    await signIn();
    const { html } = await get(path, { "sec-fetch-site": "cross-site" });
    expect(html).not.toContain("Approval needed");
    expect(html).toContain(`<a href="${path}">Go on</a>`);
    expect((await get(path, { "sec-fetch-site": "same-origin" })).html).toContain("Approval needed");
  });

  test("behind https sets a cookie that never goes without it", async () => {
    const { send, token, signIn } = await held({ publicUrl: "https://approve.example.com" });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await send("/sign-in", { rawBody: `token=${token}`, headers, token: null });
    expect(response.headers.get("set-cookie")).toMatch(/^__Host-holdpoint_session=.*; Secure$/);
    expect((await signIn()).html).toContain("Approval needed");
  });

  test.each([
    "https://evil.example.com",
    "//evil.example.com",
    "/requests/a\r\nset-cookie: x=1",
    "/v1/threads",
  ])("never goes on to %j", async (next) => {
    const { send, token } = await held();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const rawBody = String(new URLSearchParams({ token, next }));
    const response = await send("/sign-in", { rawBody, headers, token: null });
    expect(response.headers.get("location")).toBe("/inbox");
  });

  test("out again", async () => {
    const { post, get, signIn } = await held();
    await signIn();
    await post("/sign-out", {});
    expect((await get("/inbox")).html).toContain("Sign in");
  });

  test("is over when the token is revoked", async () => {
    const { get, signIn, sqlite } = await held();
    await signIn();
    for (const { tokenId } of await sqlite.tokens.list())
      await sqlite.tokens.revoke(tokenId, "2026-01-01T00:00:00.000Z");
    expect((await get("/inbox")).html).toContain("Sign in");
  });
});

describe("a request's page", () => {
  test("shows all that is decided on, and a form for each verdict", async () => {
    const { signIn, get, requestId, openRequests } = await held();
    const { html, headers, form } = await signIn();
    const [row] = await openRequests();
    for (const text of [
      "May agent desk run pay?",
      requestId,
      row?.opened.action?.digest ?? "",
      "&quot;cents&quot;: 5",
    ])
      expect(html).toContain(text);
    expect(form("approve")).toMatchObject({ verdict: "approve", digest: row?.opened.action?.digest });
    expect(Object.keys(form("edit"))).toContain("digest");
    expect(Object.keys(form("reject"))).toContain("key");
    expect(html).not.toMatch(/<script|onclick|javascript:/i);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/default-src 'none'; style-src 'sha256-.*'; form-action 'self'/);
    expect((await get("/inbox")).html).toContain(`href="/requests/${requestId}"`);
  });

  test("shows markup and what is invisible as text", async () => {
    const { signIn } = await held({}, '</pre><form><button>Approve</button>"\u202e\u200b');
    const { html } = await signIn();
    expect(html).toContain("&lt;/pre&gt;&lt;form&gt;");
    expect(html).not.toContain("<form><button>");
    expect(html).toContain("\\u202e\\u200b");
  });

  test("approves by POST, once, and says so", async () => {
    const { signIn, get, post, path, settle, threadId, tool, events } = await held();
    const { form } = await signIn();
    await get(`${path}?verdict=approve`);
    expect((await events(threadId)).some(({ type }) => type === "request_decided")).toBe(false);
    const after = await post(path, form("approve"));
    expect(after.html).toContain("By dana@example.com via page");
    expect(after.html).not.toContain("<h2>Decide</h2>");
    await post(path, form("approve"));
    await settle(threadId);
    expect(tool.runs).toEqual([{ cents: 5, note: "none" }]);
  });

  test("edits, and tells what is wrong with an edit", async () => {
    const { signIn, post, path, settle, threadId, tool } = await held();
    const { form } = await signIn();
    const noJson = await post(path, { ...form("edit"), text: "{" });
    expect([noJson.status, noJson.html.includes("what was typed is not JSON that can be used")]).toEqual([
      422,
      true,
    ]);
    expect(noJson.html).toMatch(/<details open>.*<textarea[^>]*>\n\{<\/textarea>/s); // as it was typed
    expect((await post(path, { ...form("edit"), text: '{"cents":-1}' })).status).toBe(422);
    const twice = await post(path, { ...form("edit"), text: '{"cents":1,"cents":4}' });
    expect([twice.status, twice.html.includes("given twice") || twice.html]).toEqual([422, true]);
    await post(path, { ...form("edit"), text: '{"cents":4}' });
    await settle(threadId);
    expect(tool.runs).toEqual([{ cents: 4, note: "none" }]);
  });

  test("rejects, with a reason", async () => {
    const { signIn, post, path, events, threadId } = await held();
    const { form } = await signIn();
    expect((await post(path, { ...form("reject"), text: " " })).status).toBe(422);
    await post(path, { ...form("reject"), text: "too late" });
    expect((await events(threadId)).at(-1)).toMatchObject({
      verdict: { kind: "reject", why: "too late" },
      via: "page",
    });
  });

  test("offers no form to whoever may not decide, and says why", async () => {
    const agents = [
      agent({
        name: "desk",
        tools: [payTool({ risk: "high" })],
        gate: gate({ approvers: ["kim@example.com"] }),
        flow: (t) => t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]),
      }),
    ];
    const { signIn, post, path } = await held({ agents });
    const shown = await signIn();
    expect(shown.html).toContain("You cannot decide this: dana@example.com started this thread");
    expect(shown.form("approve")).toEqual({});
    expect((await post(path, { verdict: "approve" })).status).toBe(403);
  });

  test("shows who has approved that others are waited for", async () => {
    const agents = [
      agent({
        name: "desk",
        tools: [payTool({ risk: "high" })],
        gate: gate({ quorum: 2 }),
        flow: (t) => t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]),
      }),
    ];
    const { signIn, post, path } = await held({ agents });
    const { form } = await signIn();
    const after = await post(path, form("approve"));
    expect(after.html).toContain("You have approved this. It waits for others.");
    expect([after.form("approve"), after.form("reject").verdict]).toEqual([{}, "reject"]);
  });

  test("tells who was first", async () => {
    const { signIn, post, path, decide, requestId } = await held();
    const { form } = await signIn();
    await decide(requestId, { kind: "approve" });
    const { status, html } = await post(path, { ...form("reject"), text: "too late" });
    expect(status).toBe(409);
    expect(html).toContain("was decided by dana@example.com");
  });

  test.each<readonly [string, Readonly<Record<string, string>>, Readonly<Record<string, string>>, number]>([
    ["without the form's key", { key: "" }, {}, 403],
    ["with the key of another request", { key: "0".repeat(64) }, {}, 403],
    ["without the digest", { digest: "" }, {}, 409],
    ["with the digest of another action", { digest: "0".repeat(64) }, {}, 409],
    ["from a page of another site", {}, { origin: "https://evil.example.com" }, 403],
    ["from a frame of another site", {}, { "sec-fetch-site": "cross-site" }, 403],
    ["as JSON", {}, { "content-type": "application/json" }, 415],
  ])("decides nothing %s", async (_name, fields, headers, status) => {
    const { signIn, post, path, openRequests } = await held();
    const { form } = await signIn();
    expect((await post(path, { ...form("approve"), ...fields }, headers)).status).toBe(status);
    expect(await openRequests()).toHaveLength(1);
  });

  test("decides nothing for a token that may only read, or that somebody else brought", async () => {
    const { service, path, token, openRequests, signIn } = await held();
    const { form } = await signIn();
    const reader = browse(service);
    await reader.post("/sign-in", { token: await service.token(["read"]), next: path });
    expect((await reader.post(path, form("approve"))).status).toBe(403);
    const other = browse(service);
    await other.post("/sign-in", { token: await service.token(["read", "decide"]), next: path });
    expect((await other.post(path, form("approve"))).status).toBe(403); // the key is of another session
    expect(await openRequests()).toHaveLength(1);
    expect(token).toMatch(/^hp_/);
  });

  test("of a request that is not there says so", async () => {
    const { signIn, get } = await held();
    await signIn();
    const { status, html } = await get("/requests/r_none");
    expect([status, html.includes("there is no request r_none")]).toEqual([404, true]);
  });

  test.each([
    [z.string(), "12", "12"],
    [z.number(), "12", 12],
    [z.enum(["yes", "no"]), "yes", "yes"],
    [undefined, "two\r\nlines", "two\nlines"],
  ])("answers %s with %j", async (schema, value, expected) => {
    const ask = agent({
      name: "ask",
      flow: async (t) => (await t.ask("Well?", schema ? { answer: schema } : {})) as unknown,
    });
    const service = await open({ agents: [ask] });
    const { threadId } = (await service.json("/v1/threads", { body: { agent: "ask" } })).body;
    await service.settle(threadId);
    const path = `/requests/${(await service.openRequests())[0]?.requestId}`;
    const { post } = browse(service);
    const { form } = await post("/sign-in", { token: await service.token(["read", "decide"]), next: path });
    expect((await post(path, { ...form("answer"), text: value })).html).toContain("Decided");
    expect((await service.events(threadId)).at(-1)).toMatchObject({
      verdict: { kind: "answer", value: expected },
    });
  });
});

describe("the list", () => {
  test("tells requests apart: what would run, why it is held, until when", async () => {
    const { signIn, get } = await held({}, "<b>urgent</b>");
    await signIn();
    const { html } = await get("/inbox");
    expect(html).toContain("{&quot;cents&quot;:5,&quot;note&quot;:&quot;&lt;b&gt;urgent&lt;/b&gt;&quot;}");
    expect(html).toContain("its risk is high");
    expect(html).toMatch(/until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
  });

  test("goes on page by page", async () => {
    const service = await open({ agents: [agent({ name: "ask", flow: (t) => t.ask("Well?") })] });
    for (let index = 0; index < 51; index++) {
      const { threadId } = (await service.json("/v1/threads", { body: { agent: "ask" } })).body;
      await service.settle(threadId);
    }
    const { post, get } = browse(service);
    const { html } = await post("/sign-in", { token: await service.token(["read"]) });
    expect(html.match(/<li>/g)).toHaveLength(50);
    const more = /href="(\/inbox\?cursor=[^"]+)"/.exec(html)?.[1] ?? "";
    expect((await get(more)).html.match(/<li>/g)).toHaveLength(1);
    expect((await get("/inbox?cursor=x")).status).toBe(400);
  });
});
