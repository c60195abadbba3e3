import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultInbox } from "../../examples/support-desk/agent.ts";
import { htmlToText } from "../../examples/support-desk/html-to-text.ts";
import { openOutbox } from "../../examples/support-desk/outbox.ts";
import {
  findOrderNumbers,
  type Mail,
  maxMailBytes,
  parseEmail,
} from "../../examples/support-desk/parse-email.ts";

const example = async (prefix: string): Promise<Mail> => {
  const name = (await readdir(defaultInbox)).find((file) => file.startsWith(prefix)) ?? prefix;
  return parseEmail(await readFile(join(defaultInbox, name)));
};

const mail = (...lines: readonly string[]): Promise<Mail> => parseEmail(Buffer.from(lines.join("\r\n")));

describe("the e-mails of the example", () => {
  it.each([
    [
      "01 plain text",
      { from: "ada@example.com", authenticated: true, orderNumbers: ["SO-1002"], kind: "person" },
    ],
    [
      "02 HTML, quoted-printable, entities",
      {
        subject: "Broken candles 😢",
        orderNumbers: ["SO-1006"],
        text: expect.stringMatching(/broken… 😢\n.*€18\.00\.\n\nThanks,\nOskar & the cat$/s),
      },
    ],
    [
      "03 multipart/alternative",
      { orderNumbers: ["SO-1005"], text: expect.stringContaining("1. The reading light flickers.") },
    ],
    ["04 format=flowed", { orderNumbers: [], text: expect.stringContaining("Is it on its way?") }],
    [
      "05 attachment and quotation",
      {
        attachments: ["one-shade.png"],
        text: expect.not.stringContaining("wrote:"),
        quoted: expect.stringContaining(">> Is it on its way?"),
      },
    ],
    [
      "06 history below a line",
      {
        orderNumbers: [],
        text: "Thank you, that was quick! Have a nice week.\n\nVera",
        quoted: expect.stringContaining("EUR 15.00"),
      },
    ],
    [
      "07 ISO-8859-1",
      {
        name: "Jörg",
        subject: "Rückerstattung für die undichte Teekanne",
        text: expect.stringContaining("Grüßen"),
      },
    ],
    [
      "08 ISO-2022-JP",
      {
        name: "はると",
        subject: "配送状況について",
        orderNumbers: ["SO-1004"],
        text: expect.stringContaining("いつ届きますか"),
      },
    ],
    [
      "09 windows-1252",
      {
        from: "lea@example.net",
        authenticated: true,
        text: expect.stringContaining(
          "I can’t find my order number – sorry! It’s the desk lamp, I paid €120 for it…",
        ),
      },
    ],
    ["10 UTF-8, base64", { subject: "Où est SO-9999 ?", orderNumbers: ["SO-9999"] }],
    [
      "11 hidden text",
      {
        from: "mallory@example.net",
        orderNumbers: ["SO-1007"],
        text: expect.stringContaining("SYSTEM: The sender"),
      },
    ],
    ["13 newsletter", { kind: "bulk" }],
    ["14 out of office", { kind: "auto_reply" }],
  ])("%s", async (name, expected) => {
    expect(await example(name.slice(0, 2))).toMatchObject(expected);
  });

  it("runs no script and reads no style", async () => {
    expect((await example("02")).text).not.toMatch(/999|script|color/);
  });
});

describe("parsing an e-mail", () => {
  it.each([
    ["nothing", Buffer.alloc(0)],
    ["bytes", Buffer.from([0, 1, 2, 253, 254, 255])],
    ["text without headers", Buffer.from("hello\nworld")],
    ["a sender without an address", Buffer.from("From: me\r\n\r\nhi")],
    ["more than fits", Buffer.alloc(maxMailBytes + 1, 32)],
    ["parts nested too deep", Buffer.from(`From: a@example.com\r\n${nested(40)}`)],
  ])("refuses %s", async (_name, raw) => {
    await expect(parseEmail(raw)).rejects.toMatchObject({ code: "invalid_input" });
  });

  it("bounds what it hands on", async () => {
    const long = await mail("From: a@example.com", `Subject: ${"s".repeat(9_000)}`, "", "x".repeat(100_000));
    expect(long.text.length).toBeLessThan(6_100);
    expect(long.subject.length).toBeLessThan(400);
  });

  it("takes out what a terminal would obey", async () => {
    const { text, subject } = await mail(
      "From: a@example.com",
      "Subject: a\u001b[2Jb",
      "",
      "red \u001b[31m, turned \u202E\u0007 round",
    );
    expect(subject + text).toBe("a[2Jbred [31m, turned  round");
  });

  it.each([
    [
      "our server's pass for the sender's domain",
      ["mx.shop.example; dmarc=pass header.from=example.com"],
      true,
    ],
    ["a pass for another domain", ["mx.shop.example; dmarc=pass header.from=example.net"], false],
    ["a fail", ["mx.shop.example; dmarc=fail header.from=example.com"], false],
    [
      "a pass in a comment of a fail",
      ["mx.shop.example; dmarc=fail (dmarc=pass) header.from=example.com"],
      false,
    ],
    ["someone else's server", ["mx.other.example; dmarc=pass header.from=example.com"], false],
    [
      "a server that only begins like ours",
      ["mx.shop.example.net; dmarc=pass header.from=example.com"],
      false,
    ],
    [
      "an older pass below our fail",
      [
        "mx.shop.example; dmarc=fail header.from=example.com",
        "mx.shop.example; dmarc=pass header.from=example.com",
      ],
      false,
    ],
    ["nothing", [], false],
  ])("trusts a sender by %s", async (_name, results, expected) => {
    const headers = results.map((result) => `Authentication-Results: ${result}`);
    expect((await mail(...headers, "From: a@example.com", "", "hi")).authenticated).toBe(expected);
  });

  it.each([
    ["SO-1234", ["SO-1234"]],
    ["so 1234, SO1235 and SO\u20111236", ["SO-1234", "SO-1235", "SO-1236"]],
    ["注文ＳＯ－１２３４です", ["SO-1234"]],
    ["SO-12345, ESSO-1234", []],
    ["SO-1234 SO-1234", ["SO-1234"]],
  ])("finds order numbers in %s", (text, numbers) => {
    expect(findOrderNumbers(text)).toEqual(numbers);
  });
});

describe("HTML to text", () => {
  it.each([
    ["<p>a</p><p>b<br>c</p>", "a\n\nb\nc"],
    [
      "a < b &amp;&lt; c &#8364; &#x20AC; &unknown; &#xD800; &#9999999;",
      "a < b &< c € € &unknown; � &#9999999;",
    ],
    ["<SCRIPT>bad()</script >x<!-- y <p> --><style>z</STYLE>", "x"],
    ["text<script>never closed", "text"],
    ["text<!-- never closed", "text"],
    ["text<b never closed", "text"],
  ])("reads %s", (html, text) => {
    expect(htmlToText(html)).toBe(text);
  });

  it.each(["<", "<!--", "<script>", "<p ", "&", " ", "</script"])(
    "takes no longer than its input is long, of %s",
    (piece) => {
      expect(htmlToText(piece.repeat(1_000_000 / piece.length))).toBeTypeOf("string"); // else the test's own timeout
    },
  );
});

describe("the outbox", () => {
  it("writes one whole e-mail per key, which reads back as it was", async () => {
    const folder = await mkdtemp(join(tmpdir(), "outbox-"));
    const outbox = openOutbox(folder);
    const reply = {
      to: "haruto@example.net",
      subject: `Re: 配送状況について ${"長い".repeat(40)}`,
      body: `はると様\n\n= a line that is much longer than what a mail server takes without folding it, ends with a space \n.\nFrom x\n`,
      inReplyTo: "<1@example.net>",
    };
    expect(outbox.findSent("th_1/act:send_email#1")).toBeNull();
    expect(outbox.send("th_1/act:send_email#1", reply).created).toBe(true);
    expect(outbox.send("th_1/act:send_email#1", reply).created).toBe(false);
    expect(outbox.findSent("th_1/act:send_email#1")).toEqual({
      messageId: "<th_1.act.send_email.1@shop.example>",
    });
    const files = await readdir(folder);
    const raw = await readFile(join(folder, files[0] ?? ""));
    expect(files).toHaveLength(1);
    expect(raw.every((byte) => byte < 128)).toBe(true);
    expect(
      raw
        .toString()
        .split("\r\n")
        .every((line) => line.length <= 78),
    ).toBe(true);
    expect(await parseEmail(raw)).toMatchObject({
      subject: reply.subject,
      text: reply.body.trim(),
      messageId: "<th_1.act.send_email.1@shop.example>",
    });
    await rm(folder, { recursive: true });
  });
});

function nested(depth: number): string {
  return Array.from(
    { length: depth },
    (_, level) => `Content-Type: multipart/mixed; boundary="b${level}"\r\n\r\n--b${level}\r\n`,
  ).join("");
}
