// Signatures by others: the vectors that vendors publish, and an independent signer.
import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, it, test } from "vitest";
import {
  type SignatureCheck,
  type SignedMessage,
  verifyGitHub,
  verifySlack,
  verifyStandardWebhook,
} from "../../src/core/webhook-signature.ts";

const file = "../shared/data/webhook-vectors/vectors.json";
const hasVectors = existsSync(file);
const reason = hasVectors ? "" : " (skipped: no ../shared/data/webhook-vectors)";

interface Vector {
  readonly secret: string;
  readonly id: string;
  readonly timestamp: string;
  readonly body: string;
  readonly signature: string;
}

const now = Date.UTC(2026, 10, 24, 12);
const seconds = String(now / 1_000);
const secret = `whsec_${Buffer.from("0123456789abcdef01234567").toString("base64")}`;
const plain = "a plain secret of 28 letters";

function message(headers: Readonly<Record<string, string>>, body: string | Uint8Array = ""): SignedMessage {
  return { headers: new Headers(headers), body: Buffer.from(body) };
}

function vectorsOf(): Readonly<Record<"slack" | "github" | "standard-webhooks", Vector>> {
  return JSON.parse(readFileSync(file, "utf8"));
}

describe.runIf(hasVectors)(`published vectors${reason}`, () => {
  test("Standard Webhooks", () => {
    const { secret, id, timestamp, body, signature } = vectorsOf()["standard-webhooks"];
    const sent = message(
      { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature },
      body,
    );
    const at = Number(timestamp) * 1_000;
    expect(verifyStandardWebhook(sent, { secrets: [secret], now: at })).toEqual({ ok: true });
    expect(verifyStandardWebhook(sent, { secrets: [secret], now: at + 300_000 })).toEqual({ ok: true });
    expect(verifyStandardWebhook(sent, { secrets: [secret], now: at + 300_001 }).ok).toBe(false);
    expect(verifyStandardWebhook(sent, { secrets: [secret], now: at - 300_001 }).ok).toBe(false);
  });

  test("GitHub", () => {
    const { secret, body, signature } = vectorsOf().github;
    const sent = message({ "x-hub-signature-256": signature }, body);
    expect(verifyGitHub(sent, { secrets: [secret] })).toEqual({ ok: true });
    expect(verifyGitHub(sent, { secrets: ["another secret", secret] })).toEqual({ ok: true });
    expect(verifyGitHub(sent, { secrets: ["another secret"] }).ok).toBe(false);
  });

  test("Slack", () => {
    const { secret, timestamp, body, signature } = vectorsOf().slack;
    const sent = message({ "x-slack-request-timestamp": timestamp, "x-slack-signature": signature }, body);
    const at = Number(timestamp) * 1_000;
    expect(verifySlack(sent, { secrets: [secret], now: at })).toEqual({ ok: true });
    expect(verifySlack(sent, { secrets: [secret], now: at + 301_000 }).ok).toBe(false);
    expect(verifySlack(sent, { secrets: [secret.toUpperCase()], now: at }).ok).toBe(false);
  });
});

function signStandard(body: string, { key = secret, id = "msg_1", at = seconds } = {}): string {
  return new Webhook(key).sign(id, new Date(Number(at) * 1_000), body);
}

function standard(changes: Readonly<Record<string, string>> = {}, body = "{}"): SignatureCheck {
  const headers = {
    "webhook-id": "msg_1",
    "webhook-timestamp": seconds,
    "webhook-signature": signStandard("{}"),
    ...changes,
  };
  return verifyStandardWebhook(message(headers, body), { secrets: [secret], now });
}

function hex(text: string, key = plain): string {
  return createHmac("sha256", key).update(text).digest("hex");
}

describe("a strictly read form", () => {
  test("is accepted as it was signed", () => expect(standard()).toEqual({ ok: true }));

  const signature = signStandard("{}").slice("v1,".length);
  const lowBitsSet = signature.replace(/.=$/, (end) => `${nextLetter(end.charAt(0))}=`);
  const other = signStandard("other");

  test.each([
    ["another body", {}, "{} "],
    ["no id", { "webhook-id": "" }],
    ["another id", { "webhook-id": "msg_2" }],
    ["an id with a dot, which splits what is signed elsewhere", { "webhook-id": "msg.1" }],
    ["an id given twice", { "webhook-id": "msg_1, msg_1" }],
    ["an id beyond ASCII", { "webhook-id": "msg_\u00e9" }],
    ["a timestamp given twice", { "webhook-timestamp": `${seconds}, ${seconds}` }],
    ["a timestamp with a zero before it", { "webhook-timestamp": `0${seconds}` }],
    ["a timestamp with a fraction", { "webhook-timestamp": `${seconds}.0` }],
    ["a timestamp in another notation", { "webhook-timestamp": "1.7e9" }],
    ["a timestamp in milliseconds", { "webhook-timestamp": String(now) }],
    ["a timestamp below zero", { "webhook-timestamp": "-1" }],
    ["no signature", { "webhook-signature": "" }],
    ["no version", { "webhook-signature": signature }],
    ["only another version", { "webhook-signature": `v1a,${signature}` }],
    ["a version in capitals", { "webhook-signature": `V1,${signature}` }],
    ["no padding", { "webhook-signature": `v1,${signature.replace("=", "")}` }],
    ["base64 for the web", { "webhook-signature": `v1,${"-_".repeat(21)}A=` }],
    ["base64 with unused bits set", { "webhook-signature": `v1,${lowBitsSet}` }],
    ["hex", { "webhook-signature": `v1,${Buffer.from(signature, "base64").toString("hex")}` }],
    ["half of it", { "webhook-signature": `v1,${signature.slice(0, 20)}` }],
    ["something after it", { "webhook-signature": `v1,${signature}x` }],
    ["a malformed one beside it", { "webhook-signature": `v1,${signature} v1` }],
    ["the header given twice", { "webhook-signature": `v1,${signature}, v1,${signature}` }],
    ["a signature of something else", { "webhook-signature": other }],
    [
      "very many signatures",
      { "webhook-signature": Array.from({ length: 17 }, () => `v1,${signature}`).join(" ") },
    ],
  ])("is refused with %s", (_name, changes: Readonly<Record<string, string>>, body = "{}") => {
    const check = standard(changes, body);
    expect(check.ok).toBe(false);
    expect(JSON.stringify(check)).not.toContain(secret.slice(6));
  });

  test("several signatures in one header: one of ours is enough", () => {
    const both = `v1a,AAAA ${other} ${signStandard("{}")}`;
    expect(standard({ "webhook-signature": both })).toEqual({ ok: true });
  });

  test.each([
    ["SHA256=", hex("x")],
    ["sha1=", hex("x")],
    ["", hex("x")],
    ["sha256=", hex("x").toUpperCase()],
    ["sha256=", hex("x").slice(1)],
    ["sha256=", `${hex("x")}0`],
    ["sha256=", `${hex("x")}, sha256=${hex("x")}`],
    ["sha256= ", hex("x")],
    ["sha256=", ""],
    ["sha256=", hex("y")],
  ])("of GitHub is refused as %s%s", (prefix, digits) => {
    const sent = message({ "x-hub-signature-256": `${prefix}${digits}` }, "x");
    expect(verifyGitHub(sent, { secrets: [plain] }).ok).toBe(false);
  });

  test.each([
    ["v0=", hex(`v0:${seconds}:x`).toUpperCase(), seconds],
    ["v1=", hex(`v0:${seconds}:x`), seconds],
    ["v0=", hex(`v0:${seconds}:x`), `${seconds} `.padStart(12, "0")],
    ["v0=", hex(`v0:${seconds}:x`), String(Number(seconds) + 1)],
    ["v0=", hex(`v0:${Number(seconds) - 301}:x`), String(Number(seconds) - 301)],
  ])("of Slack is refused as %s%s at %s", (prefix, digits, at) => {
    const headers = { "x-slack-signature": `${prefix}${digits}`, "x-slack-request-timestamp": at };
    expect(verifySlack(message(headers, "x"), { secrets: [plain], now }).ok).toBe(false);
  });

  test("without a header at all is refused by its name", () => {
    expect(verifyGitHub(message({}), { secrets: [plain] })).toEqual({
      ok: false,
      why: "there is no x-hub-signature-256 header",
    });
    expect(verifySlack(message({}), { secrets: [plain], now }).ok).toBe(false);
    expect(verifyStandardWebhook(message({}), { secrets: [secret], now }).ok).toBe(false);
  });
});

describe("a secret", () => {
  test.each([
    ["none", []],
    ["an empty one", [""]],
    ["an empty one beside a good one", [plain, ""]],
    ["one with a line break after it", [`${plain}\n`]],
    ["one beyond ASCII", ["schl\u00fcssel schl\u00fcssel"]],
    ["one that anybody guesses", ["secret"]],
  ])("%s verifies nothing", (_name, secrets: readonly string[]) => {
    const signed = hex("x", secrets[0] || "k");
    expect(verifyGitHub(message({ "x-hub-signature-256": `sha256=${signed}` }, "x"), { secrets }).ok).toBe(
      false,
    );
  });

  test.each(["whsec_", "whsec_not base64!", `${secret}x`, "whsec_QUJD"])(
    "%s is none of Standard Webhooks",
    (bad) => {
      const headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": seconds,
        "webhook-signature": signStandard("{}"),
      };
      const check = verifyStandardWebhook(message(headers, "{}"), { secrets: [secret, bad], now });
      expect(check).toMatchObject({ ok: false, why: expect.stringMatching(/^secret 2 cannot be used: /) });
    },
  );

  test("is replaced by another while both are known", () => {
    const next = `whsec_${Buffer.from("fedcba9876543210fedcba98").toString("base64")}`;
    for (const key of [secret, next]) {
      const headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": seconds,
        "webhook-signature": signStandard("{}", { key }),
      };
      const check = verifyStandardWebhook(message(headers, "{}"), { secrets: [secret, next], now });
      expect(check).toEqual({ ok: true });
    }
  });
});

describe("any change of a signed message", () => {
  const text = fc.string({ unit: "binary" });
  const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
  const at = fc.integer({ min: now / 1_000 - 299, max: now / 1_000 + 299 });

  it("of what an independent signer signed fails, and nothing else does", () => {
    fc.assert(
      fc.property(text, id, at, fc.nat(), (body, id, at, choice) => {
        const signature = signStandard(body, { id, at: String(at) });
        const sent = {
          id: Buffer.from(id),
          at: Buffer.from(String(at)),
          signature: Buffer.from(signature),
          body: Buffer.from(body),
        };
        expect(checkOf(sent)).toBe(true);
        for (const part of ["id", "at", "signature", "body"] as const) {
          if (sent[part].length === 0) continue;
          const changed = { ...sent, [part]: flipped(sent[part], choice) };
          expect(checkOf(changed), `${part} ${choice}`).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("holds for GitHub and Slack", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (body, choice) => {
        const github = `sha256=${createHmac("sha256", plain).update(body).digest("hex")}`;
        const slack = `v0=${createHmac("sha256", plain).update(`v0:${seconds}:`).update(body).digest("hex")}`;
        const checks = (body: Uint8Array, github: string, slack: string): readonly boolean[] => [
          verifyGitHub(message({ "x-hub-signature-256": github }, body), { secrets: [plain] }).ok,
          verifySlack(message({ "x-slack-signature": slack, "x-slack-request-timestamp": seconds }, body), {
            secrets: [plain],
            now,
          }).ok,
        ];
        const bend = (header: string): string => flipped(Buffer.from(header), choice).toString("latin1");
        expect(checks(body, github, slack)).toEqual([true, true]);
        expect(checks(flipped(body, choice), github, slack)).toEqual([false, false]);
        expect(checks(body, bend(github), bend(slack))).toEqual([false, false]);
      }),
      { numRuns: 300 },
    );
  });

  interface Sent {
    readonly id: Buffer;
    readonly at: Buffer;
    readonly signature: Buffer;
    readonly body: Buffer;
  }

  function checkOf({ id, at, signature, body }: Sent): boolean {
    const headers = new Map([
      ["webhook-id", id.toString("latin1")],
      ["webhook-timestamp", at.toString("latin1")],
      ["webhook-signature", signature.toString("latin1")],
    ]);
    const sent = { headers: { get: (name: string) => headers.get(name) ?? null }, body };
    return verifyStandardWebhook(sent, { secrets: [secret], now }).ok;
  }
});

/** The same bytes with one bit turned. */
function flipped(bytes: Uint8Array, choice: number): Buffer {
  const copy = Buffer.from(bytes);
  const bit = choice % (copy.length * 8);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}

/** The next of the alphabet of base64: the same bytes, where the last bits are not used. */
function nextLetter(letter: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return alphabet.charAt(alphabet.indexOf(letter) + 1);
}
