import { describe, expect, test } from "vitest";
import { decideSigner } from "../../src/channels/email/decide-link.ts";
import { emailChannel } from "../../src/channels/email/email.ts";
import { mailText } from "../../src/channels/email/mail-text.ts";
import type { RequestRow } from "../../src/ports/store.ts";
import { cancelThread } from "../../src/runtime/commands.ts";
import {
  type ChannelWorld,
  type ChannelWorldOptions,
  channelWorldOfEachTest,
  dana,
  kim,
} from "../kit/channel-world.ts";
import { type MailServer, type ReceivedMail, startMailServer } from "../kit/mail-server.ts";

const openWorld = channelWorldOfEachTest();
const secret = "a secret of at least thirty-two bytes, for tests";
const hour = 3_600_000;

function channelTo(port: number) {
  return emailChannel({
    smtp: { host: "127.0.0.1", port },
    from: "Holdpoint <holdpoint@example.com>",
    publicUrl: "https://holdpoint.example.com/base",
    secret,
  });
}

interface MailWorld extends ChannelWorld {
  readonly server: MailServer;
  /** The link in a mail. */
  link(mail: ReceivedMail | undefined): string;
  open(
    link: string,
    method?: string,
  ): Promise<{ readonly status: number; readonly body: string; readonly headers: Headers }>;
  /** Sends the form of a choice, as a browser would that shows the page. */
  submit(
    body: string,
    kind: string,
    text?: string,
    change?: (form: URLSearchParams) => void,
    headers?: Record<string, string>,
  ): Promise<{ readonly status: number; readonly body: string }>;
  /** Asks, sends, and gives the first mail with its page. */
  askByMail(args?: unknown): Promise<{ request: RequestRow; mail: ReceivedMail; page: string; link: string }>;
}

async function mailWorld(options: Partial<ChannelWorldOptions> = {}): Promise<MailWorld> {
  const server = await startMailServer();
  const world = await openWorld({ channels: [channelTo(server.port)], people: [dana], ...options });
  const answered = async (response: Response) => ({
    status: response.status,
    body: await response.text(),
    headers: response.headers,
  });
  const mailed: MailWorld = {
    ...world,
    server,
    link: (mail) => /https:\/\/holdpoint\.example\.com\S+/.exec(mail?.text ?? "")?.[0] ?? "",
    open: async (link, method = "GET") => answered(await world.click("email", new Request(link, { method }))),
    async submit(body, kind, text, change = () => {}, headers = {}) {
      const form = formOf(body, kind);
      if (text !== undefined) form.set("text", text);
      change(form);
      const url = "https://holdpoint.example.com/base/channels/email/decide";
      return answered(await world.click("email", new Request(url, { method: "POST", body: form, headers })));
    },
    async askByMail(args) {
      const request = await world.ask(args);
      await world.send();
      const mail = server.mails.at(-1) as ReceivedMail;
      const link = mailed.link(mail);
      return { request, mail, link, page: (await mailed.open(link)).body };
    },
  };
  return mailed;
}

/** The fields of the form with this choice, as a browser reads them. */
function formOf(page: string, kind: string): URLSearchParams {
  const form = [...page.matchAll(/<form.*?<\/form>/gs)].find(([text]) =>
    text.includes(`name="verdict" value="${kind}"`),
  );
  if (!form) throw new Error(`the page offers no ${kind}:\n${page}`);
  const fields = [...form[0].matchAll(/name="(\w+)" value="([^"]*)"/g)];
  return new URLSearchParams(
    fields.map(([, name = "", value = ""]) => [name, unescaped(value)] as [string, string]),
  );
}

function unescaped(text: string): string {
  return text
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

describe("from mail to verdict", () => {
  test("asked by mail, approved on the page, run once, told how it ended in the same conversation", async () => {
    const world = await mailWorld();
    const { request, mail, page, link } = await world.askByMail();
    expect(mail).toMatchObject({
      subject: "Approval needed: May agent a run pay?",
      from: { address: "holdpoint@example.com" },
      to: [{ name: "Dana", address: "dana@example.com" }],
      envelopeTo: ["dana@example.com"],
    });
    expect(mail.text).toContain('"cents": 4200');
    expect(mail.html).toContain("&quot;cents&quot;: 4200");
    expect(link).toContain("/base/channels/email/decide?request=");
    expect(page).toContain("&quot;cents&quot;: 4200");
    const answer = await world.submit(page, "approve");
    expect(answer).toMatchObject({
      status: 200,
      body: expect.stringContaining("Approved by dana@example.com"),
    });
    await world.settle(request.threadId);
    expect(world.tool.runs).toEqual([{ cents: 4_200, note: "none" }]);
    await world.send();
    const [first, last] = world.server.mails;
    expect(last).toMatchObject({
      subject: "Re: Approval needed: May agent a run pay?",
      inReplyTo: first?.messageId,
      references: first?.messageId,
    });
    expect(last?.text).toMatch(/^Approved by dana@example\.com at 2026-01-01 [:\d]+ UTC, via email\./);
    expect(await world.request(request.requestId)).toMatchObject({ by: dana.id, via: "email" });
  });

  test("edited, rejected with a reason, and both as typed", async () => {
    const world = await mailWorld();
    const edited = await world.askByMail();
    expect(await world.submit(edited.page, "edit", '{"cents": 100}')).toMatchObject({ status: 200 });
    const rejected = await world.askByMail();
    expect(await world.submit(rejected.page, "reject", " too much ")).toMatchObject({ status: 200 });
    expect((await world.request(edited.request.requestId)).verdict).toEqual({
      kind: "edit",
      args: { cents: 100 },
    });
    expect((await world.request(rejected.request.requestId)).verdict).toEqual({
      kind: "reject",
      why: "too much",
    });
    await world.settle(edited.request.threadId);
    await world.settle(rejected.request.threadId);
    expect(world.tool.runs).toEqual([{ cents: 100, note: "none" }]);
  });

  test.each([
    ["edit", '{"cents": -1}', "not valid"],
    ["edit", "{cents", "not JSON"],
    ["edit", '{"cents": 1, "cents": 900}', "&quot;cents&quot; is given twice"],
    ["edit", '{"cents": 1, "note": 12345678901234567890}', "more digits than a number keeps"],
    ["reject", "  ", "a reason is needed"],
    ["continue", undefined, "this request takes approve, edit, reject"],
  ])("a form with %s %s is refused with the reason, and can be sent again", async (kind, text, why) => {
    const world = await mailWorld();
    const { request, page } = await world.askByMail();
    const from = kind === "continue" ? "approve" : kind;
    const answer = await world.submit(page, from, text, (form) => form.set("verdict", kind));
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining(why) });
    expect((await world.request(request.requestId)).status).toBe("open");
    expect(await world.submit(answer.body, "approve")).toMatchObject({ status: 200 });
  });
});

describe("a link alone decides nothing", () => {
  test("GET, HEAD and a scanner's visits leave the request open; the page is not kept, framed or told of", async () => {
    const world = await mailWorld();
    const { request, link } = await world.askByMail();
    for (const method of ["GET", "HEAD", "GET"]) expect((await world.open(link, method)).status).toBe(200);
    expect((await world.open(link, "PUT")).status).toBe(405);
    const { headers } = await world.open(link);
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
      "content-security-policy": expect.stringMatching(
        /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/,
      ),
    });
    expect((await world.request(request.requestId)).status).toBe("open");
    expect((await world.runtime.store.read(request.threadId)).at(-1)?.type).toBe("request_opened");
  });

  test("nor do its own parameters, posted", async () => {
    const world = await mailWorld();
    const { request, link } = await world.askByMail();
    const body = new URL(link).searchParams;
    body.set("verdict", "approve");
    const response = await world.click("email", new Request(link, { method: "POST", body }));
    expect(response.status).toBe(403);
    expect((await world.request(request.requestId)).status).toBe("open");
  });
});

describe("what is refused", () => {
  test.each([
    [
      "another signature",
      (form: URLSearchParams) =>
        form.set(
          "signature",
          `${form.get("signature")}`.replace(/^./, (c) => (c === "A" ? "B" : "A")),
        ),
    ],
    [
      "a signature encoded another way",
      (form: URLSearchParams) => form.set("signature", `${form.get("signature")}=`),
    ],
    [
      "a signature cut short",
      (form: URLSearchParams) => form.set("signature", `${form.get("signature")}`.slice(0, 20)),
    ],
    ["no signature", (form: URLSearchParams) => form.delete("signature")],
    ["another person", (form: URLSearchParams) => form.set("person", kim.id)],
    ["another end", (form: URLSearchParams) => form.set("expires", "9999999999999")],
    ["another request", (form: URLSearchParams) => form.set("request", "r_000000000000")],
  ])("%s", async (_, change) => {
    const world = await mailWorld({ people: [dana, kim], gate: { approvers: [dana.id] } });
    const { request, page, link } = await world.askByMail();
    expect((await world.submit(page, "approve", undefined, change)).status).toBe(403);
    const url = new URL(link);
    change(url.searchParams);
    expect((await world.open(url.href)).status).toBe(403);
    expect((await world.request(request.requestId)).status).toBe("open");
  });

  test("a form of another request with a valid signature of its own", async () => {
    const world = await mailWorld();
    const one = await world.askByMail({ cents: 1 });
    const other = await world.askByMail({ cents: 2 });
    const answer = await world.submit(one.page, "approve", undefined, (form) =>
      form.set("request", other.request.requestId),
    );
    expect(answer.status).toBe(403);
  });

  test("a form signed over another digest than what the request asks for", async () => {
    const world = await mailWorld();
    const { request, page } = await world.askByMail();
    const grant = {
      requestId: request.requestId,
      personId: dana.id,
      digest: "0".repeat(64),
      expiresAt: 4e12,
    };
    const signature = decideSigner(secret, "email").sign("form", grant);
    const change = (form: URLSearchParams): void => {
      form.set("expires", "4000000000000");
      form.set("signature", signature);
    };
    expect((await world.submit(page, "approve", undefined, change)).status).toBe(403);
  });

  test("a link and a form past their end, also before the request was closed", async () => {
    const world = await mailWorld();
    const { page, link, request } = await world.askByMail();
    await world.clock.advance(24 * hour);
    expect((await world.open(link)).status).toBe(410);
    expect(await world.submit(page, "approve")).toMatchObject({ status: 410 });
    await world.settle(request.threadId);
    expect((await world.open(link)).body).toContain("nobody answered in time");
    expect(world.tool.runs).toEqual([]);
  });

  test("a second verdict: the page says what stands; the same one again is the same", async () => {
    const world = await mailWorld();
    const { page, link, request } = await world.askByMail();
    await world.submit(page, "approve");
    expect(await world.submit(page, "approve")).toMatchObject({
      status: 200,
      body: expect.stringContaining("Approved by"),
    });
    const late = await world.submit(page, "reject", "no");
    expect(late).toMatchObject({
      status: 409,
      body: expect.stringContaining("Approved by dana@example.com at"),
    });
    expect(late.body).not.toContain("<form");
    expect((await world.open(link)).body).not.toContain("<form");
    await world.settle(request.threadId);
    expect(world.tool.runs).toHaveLength(1);
  });

  test("a thread that was cancelled", async () => {
    const world = await mailWorld();
    const { page, request } = await world.askByMail();
    await cancelThread(world.runtime, request.threadId, { by: "kim@example.com", why: "not needed" });
    expect(await world.submit(page, "approve")).toMatchObject({
      status: 409,
      body: expect.stringContaining("withdrawn"),
    });
  });

  test("a form from another site, and what is no form", async () => {
    const world = await mailWorld();
    const { page } = await world.askByMail();
    const crossSite = { "sec-fetch-site": "cross-site" };
    expect((await world.submit(page, "approve", undefined, undefined, crossSite)).status).toBe(403);
    const json = { "content-type": "application/json" };
    expect((await world.submit(page, "approve", undefined, undefined, json)).status).toBe(415);
  });

  test("a secret that is too short", () => {
    expect(() => decideSigner("short", "email")).toThrow(expect.objectContaining({ code: "usage" }));
  });
});

describe("hostile text", () => {
  const evil =
    'x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>"><form action=https://evil.example>\u202e\u0000';

  test("in arguments, names and questions makes no header, no markup and nothing hidden", async () => {
    const world = await mailWorld({ people: [{ ...dana, name: evil }] });
    const { mail, page } = await world.askByMail({ cents: 1, note: evil });
    expect(mail.envelopeTo).toEqual(["dana@example.com"]);
    expect(mail.headers.filter(({ key }) => key === "bcc")).toEqual([]);
    expect(mail.to).toHaveLength(1);
    for (const text of [mail.html ?? "", page]) {
      expect(text).not.toMatch(/<script|<form action=https|\u202e/);
      expect(text).not.toContain("\0");
      expect(text).toContain("&lt;script&gt;alert(1)");
    }
  });

  test.each(["ask", "remind", "close"] as const)("in a question makes no line of ours: %s", async (kind) => {
    const world = await mailWorld();
    const row = await world.ask();
    const fake = "Go on?\n\nLook at it and decide:\nhttps://evil.example/decide\ntool: harmless";
    const verdict = { kind: "reject", why: fake } as const;
    const decided = kind === "close" ? ({ status: "decided", verdict, by: "kim@example.com" } as const) : {};
    const request = { ...row, ...decided, opened: { ...row.opened, question: fake } };
    const times = { createdAt: 0, now: 0 };
    const notice = {
      deliveryId: "dl_1",
      kind,
      request,
      recipient: dana.id,
      person: dana,
      receipt: null,
      ...times,
    };
    const { text } = mailText(notice, "https://holdpoint.example.com/decide");
    expect(text).toContain("https://evil.example"); // shown, and not as ours
    expect(text).not.toMatch(/^(https:\/\/evil|tool: harmless)/m);
    expect(text.match(/^Look at it and decide:$/gm) ?? []).toHaveLength(kind === "close" ? 0 : 1);
  });

  test.each([
    "dana@example.com\r\nBcc: victim@example.com",
    "dana@example.com, victim@example.com",
    "<dana@example.com>",
    "dana",
  ])("the address %j is refused, and told", async (email) => {
    const world = await mailWorld({ people: [{ ...dana, email }] });
    await world.ask();
    await world.send();
    expect(world.server.mails).toEqual([]);
    expect(await world.deliveries()).toMatchObject([
      { status: "dead", tries: [{ error: expect.stringContaining("in the people directory is none") }] },
    ]);
  });
});

describe("the mail server", () => {
  test("is down for an hour: the mail waits, and goes out once", async () => {
    const world = await mailWorld();
    world.server.refusal = { code: 451, message: "try again later" };
    await world.ask();
    for (let minutes = 0; minutes < 60; minutes++) {
      await world.send();
      await world.clock.advance(60_000);
    }
    expect(world.server.mails).toEqual([]);
    world.server.refusal = null;
    await world.clock.advance(15 * 60_000);
    await world.send();
    expect(world.server.mails).toHaveLength(1);
  });

  test("cannot be reached at all: nothing arrived, and that is known", async () => {
    const world = await openWorld({ channels: [channelTo(1)], people: [dana] });
    const { requestId } = await world.ask();
    await world.send();
    expect(await world.deliveries()).toMatchObject([{ status: "pending", attempts: 1 }]);
    await world.decide(requestId, { kind: "approve" });
    await world.send();
    expect((await world.deliveries()).map(({ kind, status }) => [kind, status])).toEqual([
      ["ask", "dropped"],
    ]);
  });

  test("knows no such address: that is for somebody to mend", async () => {
    const world = await mailWorld();
    world.server.refusal = { code: 550, message: "no such user" };
    await world.ask();
    await world.send();
    expect(await world.deliveries()).toMatchObject([
      { status: "dead", tries: [{ error: expect.stringContaining("no such user") }] },
    ]);
  });
});

test("a probe greets the mail server, and sends nothing", async () => {
  const server = await startMailServer();
  const { signal } = new AbortController();
  expect(await channelTo(server.port).probe?.({ signal })).toBe("the mail server 127.0.0.1 answers");
  expect(server.mails).toEqual([]);
  await expect(channelTo(1).probe?.({ signal })).rejects.toMatchObject({ code: "channel_unavailable" });
});
