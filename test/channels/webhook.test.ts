import { Webhook } from "standardwebhooks";
import { describe, expect, test, vi } from "vitest";
import { isPrivateAddress } from "../../src/channels/private-address.ts";
import { type WebhookChannelOptions, webhookChannel } from "../../src/channels/webhook.ts";
import { webhookKey, webhookSignature } from "../../src/channels/webhook-signature.ts";
import { actionDigest } from "../../src/core/digest.ts";
import type { GatePolicy } from "../../src/core/gate.ts";
import { decideRequest } from "../../src/runtime/verdicts.ts";
import { channelWorldOfEachTest, dana } from "../kit/channel-world.ts";
import { type Answer, type Received, startReceiver } from "../kit/http-receiver.ts";
import { webhookVectors, whyNoVectors } from "../kit/webhook-vectors.ts";

const openWorld = channelWorldOfEachTest();
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const otherSecret = `whsec_${Buffer.alloc(32, 8).toString("base64")}`;
const minute = 60_000;

async function withReceiver(
  answer: Answer = 200,
  options: Partial<WebhookChannelOptions> = {},
  gate: GatePolicy = {},
) {
  const receiver = await startReceiver(() => answer);
  const channel = webhookChannel({
    url: `${receiver.url}/hook`,
    secrets: secret,
    allowPrivate: true,
    ...options,
  });
  return { receiver, world: await openWorld({ channels: [channel], gate }) };
}

/** By an implementation that is not ours, at the time of the test's clock. */
function verify({ body, headers }: Received, key: string, now: number): Record<string, unknown> {
  vi.useFakeTimers({ now, toFake: ["Date"] });
  try {
    return new Webhook(key).verify(body, headers) as Record<string, unknown>;
  } finally {
    vi.useRealTimers();
  }
}

describe("what is sent", () => {
  test("a request from its question to its end: signed, exact, acted on once", async () => {
    const { receiver, world } = await withReceiver();
    const { requestId, threadId } = await world.ask({ cents: 4_200, note: "\u202eevil" });
    await world.send();
    const [first] = receiver.received as [Received];
    const opened = verify(first, secret, world.clock.now());
    const digest = actionDigest({
      tool: "pay",
      toolVersion: "1",
      args: { cents: 4_200, note: "\u202eevil" },
    });
    expect(opened).toMatchObject({
      specversion: "1.0",
      type: "holdpoint.request.opened",
      id: first.headers["webhook-id"],
      subject: requestId,
      data: {
        ...{ requestId, threadId, agent: "a", status: "open", choices: ["approve", "edit", "reject"] },
        action: { tool: "pay", args: { cents: 4_200, note: "\u202eevil" }, digest },
        view: { title: "Approval needed" },
      },
    });
    expect(JSON.stringify(opened.data)).toContain("\\\\u202eevil"); // as people are to be shown it
    await decideRequest(world.runtime, requestId, {
      ...{ verdict: { kind: "approve" }, by: dana.id, via: "http" },
    });
    await world.settle(threadId);
    await world.send();
    expect(world.tool.runs).toHaveLength(1);
    expect(verify(receiver.received[1] as Received, secret, world.clock.now())).toMatchObject({
      type: "holdpoint.request.closed",
      data: { status: "decided", by: dana.id, via: "http", verdict: { kind: "approve" } },
    });
  });

  test("who may decide as of now, and who has approved so far", async () => {
    const { receiver, world } = await withReceiver(
      200,
      {},
      {
        approvers: ["role:lead"],
        quorum: 2,
        escalate: [{ after: "1h", to: [dana.id] }],
      },
    );
    const { requestId, threadId } = await world.ask({ cents: 1 });
    await world.send();
    await world.clock.advance(60 * minute);
    await world.settle(threadId);
    await world.decide(requestId, { kind: "approve" });
    await world.send();
    const { data } = verify(receiver.received.at(-1) as Received, secret, world.clock.now());
    expect(data).toMatchObject({
      approvers: ["role:lead", dana.id],
      quorum: 2,
      votes: [{ by: dana.id, as: dana.id, via: "test" }],
    });
  });

  test("with each of two secrets while one replaces the other", async () => {
    const { receiver, world } = await withReceiver(200, { secrets: [secret, otherSecret] });
    await world.ask();
    await world.send();
    const [first] = receiver.received as [Received];
    for (const key of [secret, otherSecret]) expect(verify(first, key, world.clock.now())).toBeTruthy();
    expect(() =>
      verify(first, `whsec_${Buffer.alloc(32, 9).toString("base64")}`, world.clock.now()),
    ).toThrow();
  });

  test(`the documented vector has our signature${whyNoVectors}`, ({ skip }) => {
    skip(whyNoVectors !== "", whyNoVectors);
    const vector = webhookVectors()["standard-webhooks"];
    expect(webhookSignature([webhookKey(vector.secret)], vector)).toBe(vector.signature);
  });
});

describe("answers", () => {
  test("a receiver that fails, is busy, and then takes it, gets it under one id with fresh timestamps", async () => {
    const statuses: Answer[] = [500, { status: 429, headers: { "retry-after": "120" } }, 204];
    const receiver = await startReceiver((_, count) => statuses[count - 1] ?? 204);
    const world = await openWorld({
      channels: [webhookChannel({ url: receiver.url, secrets: secret, allowPrivate: true })],
    });
    await world.ask();
    await world.send();
    await world.clock.advance(5_000);
    await world.send();
    await world.clock.advance(119_000);
    expect(await world.send()).toBe(0);
    await world.clock.advance(1_000);
    await world.send();
    const headers = receiver.received.map((one) => one.headers);
    expect(headers.map((one) => one["webhook-id"])).toEqual(Array(3).fill(headers[0]?.["webhook-id"]));
    expect(new Set(headers.map((one) => one["webhook-timestamp"])).size).toBe(3);
    expect(await world.deliveries()).toMatchObject([{ status: "sent", receipt: { status: 204 } }]);
  });

  test.each([
    [404, "answered with status 404"],
    [302, "answered with status 302"],
  ])("%i is a refusal for good; nothing is followed", async (status, error) => {
    const { receiver, world } = await withReceiver({ status, headers: { location: "/elsewhere" } });
    await world.ask();
    await world.send();
    await world.clock.advance(60 * minute);
    await world.send();
    expect(receiver.received.map(({ path }) => path)).toEqual(["/hook"]);
    expect(await world.deliveries()).toMatchObject([
      { status: "dead", tries: [{ error: expect.stringContaining(error) }] },
    ]);
  });

  test("one that never comes is waited for no longer than told, and may have been received", async () => {
    const { world } = await withReceiver(null, { timeoutMs: 50 });
    const { requestId } = await world.ask();
    await world.send();
    expect(await world.deliveries()).toMatchObject([
      { status: "pending", tries: [{ error: expect.stringContaining("no answer within 50 ms") }] },
    ]);
    await world.decide(requestId, { kind: "approve" });
    await world.send();
    expect((await world.deliveries()).map(({ kind, status }) => [kind, status])).toEqual([
      ["ask", "dropped"],
      ["close", "pending"],
    ]);
  });

  test("nobody listening is no delivery: what is decided meanwhile needs no farewell", async () => {
    const channel = webhookChannel({ url: "http://127.0.0.1:1/", secrets: secret, allowPrivate: true });
    const world = await openWorld({ channels: [channel] });
    const { requestId } = await world.ask();
    await world.send();
    await world.decide(requestId, { kind: "approve" });
    await world.send();
    expect(await world.deliveries()).toMatchObject([{ kind: "ask", status: "dropped" }]);
  });
});

describe("where it may go", () => {
  test.each([
    "https://127.0.0.1/",
    "https://169.254.169.254/latest",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://localhost/",
    "https://0x7f.1/",
  ])("not to %s, unless private addresses are allowed", async (url) => {
    const world = await openWorld({ channels: [webhookChannel({ url, secrets: secret })] });
    await world.ask();
    await world.send();
    const [delivery] = await world.deliveries();
    expect(delivery).toMatchObject({
      status: "dead",
      tries: [{ error: expect.stringContaining("public internet") }],
    });
  });

  test.each([
    ["127.0.0.1", true],
    ["10.1.2.3", true],
    ["172.31.255.255", true],
    ["172.32.0.1", false],
    ["192.168.1.1", true],
    ["169.254.169.254", true],
    ["100.100.100.200", true],
    ["0.0.0.0", true],
    ["8.8.8.8", false],
    ["::1", true],
    ["::", true],
    ["::ffff:127.0.0.1", true],
    ["::ffff:8.8.8.8", false],
    ["fe80::1", true],
    ["fd00:ec2::254", true],
    ["64:ff9b::7f00:1", true],
    ["2002:7f00:1::", true],
    ["::ffff:0:7f00:1", true],
    ["192.88.99.1", true],
    ["3fff::1", true],
    ["5f00::1", true],
    ["fe80::1%eth0", true],
    ["2606:4700::1111", false],
    ["not an address", true],
  ])("%s is private: %s", (address, expected) => {
    expect(isPrivateAddress(address)).toBe(expected);
  });

  test.each(["ftp://example.com", "http://example.com", "https://user:password@example.com", "example.com"])(
    "%s is refused when it is configured",
    (url) => {
      expect(() => webhookChannel({ url, secrets: secret })).toThrow(
        expect.objectContaining({ code: "usage" }),
      );
    },
  );

  test.each([["whsec_c2hvcnQ="], ["no prefix"], ["whsec_***"]])(
    "and so is the secret %s, unrepeated",
    (bad) => {
      expect(() => webhookChannel({ url: "https://example.com", secrets: bad })).toThrow(
        expect.objectContaining({ code: "usage", message: expect.not.stringContaining(bad.slice(6)) }),
      );
    },
  );
});
