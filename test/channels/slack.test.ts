import { describe, expect, test } from "vitest";
import { type SlackChannelOptions, slackChannel } from "../../src/channels/slack/slack.ts";
import { slackGuard } from "../../src/channels/slack/slack-signature.ts";
import { HoldpointError } from "../../src/core/errors.ts";
import { utcTime } from "../../src/core/utc-time.ts";
import type { DeliveryChannel } from "../../src/ports/channel.ts";
import type { RequestRow } from "../../src/ports/store.ts";
import { cancelThread } from "../../src/runtime/commands.ts";
import {
  type ChannelWorld,
  type ChannelWorldOptions,
  channelWorldOfEachTest,
  dana,
  kim,
} from "../kit/channel-world.ts";
import {
  buttonsOf,
  type SlackDouble,
  type SlackPost,
  shownText,
  signedInteraction,
  signingSecret,
  slackToken,
  startSlack,
} from "../kit/slack-double.ts";
import { webhookVectors, whyNoVectors } from "../kit/webhook-vectors.ts";

const openWorld = channelWorldOfEachTest();
const minute = 60_000;

interface SlackWorld extends ChannelWorld {
  readonly slack: SlackDouble;
  readonly now: () => { readonly now: number };
  press(button: string, who?: string, post?: SlackPost): Promise<Response>;
  askInSlack(args?: unknown): Promise<{ readonly request: RequestRow; readonly post: SlackPost }>;
}

async function slackWorld(
  options: Partial<SlackChannelOptions> = {},
  more: Partial<ChannelWorldOptions> = {},
): Promise<SlackWorld> {
  const slack = await startSlack();
  const channel = slackChannel({
    token: slackToken,
    signingSecret,
    channel: "C0DESK",
    baseUrl: slack.baseUrl,
    ...options,
  });
  const world = await openWorld({ channels: [channel], ...more });
  const now = () => ({ now: world.clock.now() });
  return {
    ...world,
    ...{ slack, now },
    press: (button, who = "U0DANA", post = slack.posts.at(-1) as SlackPost) =>
      world.click("slack", slack.click(post, button, who, now())),
    async askInSlack(args) {
      const request = await world.ask(args);
      await world.send();
      return { request, post: slack.posts.at(-1) as SlackPost };
    },
  };
}

describe("from message to verdict", () => {
  test("asked in a channel, approved by a click, run once, and the message says who decided", async () => {
    const world = await slackWorld();
    const { request, post } = await world.askInSlack();
    expect(post.channel).toBe("C0DESK");
    expect(shownText(post)).toContain('"cents": 4200');
    expect(buttonsOf(post)).toEqual(["Approve", "Reject"]);
    expect((await world.press("Approve")).status).toBe(200);
    expect(world.slack.told).toEqual([
      expect.stringMatching(/^Recorded\. Approved by dana@example\.com at .* via slack\.$/),
    ]);
    await world.settle(request.threadId);
    expect(world.tool.runs).toEqual([{ cents: 4_200, note: "none" }]);
    await world.send();
    expect(post.updates).toBe(1);
    expect(shownText(post)).toContain("Approved by dana@example.com");
    expect(buttonsOf(post)).toEqual([]);
    expect(await world.request(request.requestId)).toMatchObject({ by: dana.id, via: "slack" });
  });

  test("each approver gets a message of their own, and all are brought up to date", async () => {
    const slack = await startSlack();
    const channel = slackChannel({ token: slackToken, signingSecret, baseUrl: slack.baseUrl });
    const world = await openWorld({ channels: [channel] });
    const { requestId } = await world.ask();
    await world.send();
    expect(slack.posts.map((post) => post.channel).sort()).toEqual(["D0DANA", "D0KIM"]);
    await world.decide(requestId, { kind: "reject", why: "too much" });
    await world.send();
    for (const post of slack.posts) {
      expect(shownText(post)).toContain("Rejected by dana@example.com");
      expect(shownText(post)).toContain("too much");
    }
  });

  test("rejected with a reason that a dialog asks for; no reason is no verdict", async () => {
    const world = await slackWorld();
    const { request } = await world.askInSlack();
    await world.press("Reject");
    const [dialog] = world.slack.dialogs;
    if (!dialog) throw new Error("a dialog opened");
    const empty = await world.click("slack", world.slack.submit(dialog, " ", "U0DANA", world.now()));
    expect(await empty.json()).toMatchObject({
      response_action: "errors",
      errors: { text: expect.stringContaining("reason") },
    });
    const done = await world.click("slack", world.slack.submit(dialog, "too much", "U0DANA", world.now()));
    expect(JSON.stringify(await done.json())).toContain("Rejected by dana@example.com");
    expect((await world.request(request.requestId)).verdict).toEqual({ kind: "reject", why: "too much" });
  });

  test("rejected at once where the reason is given beforehand", async () => {
    const world = await slackWorld({ rejectReason: "Rejected in Slack." });
    const { request } = await world.askInSlack();
    await world.press("Reject");
    expect((await world.request(request.requestId)).verdict).toEqual({
      kind: "reject",
      why: "Rejected in Slack.",
    });
  });

  test("copies of what expired or was withdrawn say so, and have no buttons", async () => {
    const world = await slackWorld();
    const late = await world.askInSlack();
    const gone = await world.askInSlack();
    await cancelThread(world.runtime, gone.request.threadId, { by: "kim@example.com", why: "not needed" });
    await world.clock.advance(25 * 60 * minute);
    await world.settle(late.request.threadId);
    await world.send();
    expect(shownText(late.post)).toContain("nobody answered in time");
    expect(shownText(gone.post)).toContain("It was withdrawn");
    expect([buttonsOf(late.post), buttonsOf(gone.post)]).toEqual([[], []]);
  });
});

describe("every click gets an answer", () => {
  test("somebody who is not in the directory", async () => {
    const world = await slackWorld();
    const { request } = await world.askInSlack();
    expect((await world.press("Approve", "U0EVE")).status).toBe(200);
    expect(world.slack.told).toEqual([expect.stringContaining("U0EVE, you are not in the people directory")]);
    expect((await world.request(request.requestId)).status).toBe("open");
  });

  test("whoever comes second is told who decided and when; the same verdict again, too", async () => {
    const world = await slackWorld({ rejectReason: "no" });
    const { request } = await world.askInSlack();
    const stale = structuredClone(world.slack.posts[0]) as SlackPost;
    await world.press("Approve");
    await world.press("Reject", "U0KIM", stale);
    await world.press("Approve", "U0DANA", stale);
    const { decidedAt } = await world.request(request.requestId);
    expect(world.slack.told.slice(1)).toEqual(
      Array(2).fill(
        `Nothing was changed. Approved by dana@example.com at ${utcTime(decidedAt ?? "")}, via slack.`,
      ),
    );
    expect((await world.request(request.requestId)).verdict).toEqual({ kind: "approve" });
  });

  test("clicks after the end, after a restart and on what is gone", async () => {
    const world = await slackWorld();
    const { request, post } = await world.askInSlack();
    await world.clock.advance(25 * 60 * minute);
    await world.press("Approve");
    expect(world.slack.told.at(-1)).toContain("expired at");
    const other = structuredClone(post);
    const [element] = other.blocks.flatMap((block) => (block.type === "actions" ? block.elements : []));
    if (element) element.value = JSON.stringify({ requestId: "r_gone", digest: "x" });
    await world.press("Approve", "U0DANA", other);
    expect(world.slack.told.at(-1)).toContain("no such request");
    if (element) element.value = JSON.stringify({ requestId: request.requestId, digest: "0".repeat(64) });
    await world.press("Approve", "U0DANA", other);
    expect(world.slack.told.at(-1)).toContain("something else than what the request asks for");
    if (element) element.value = "{";
    await world.press("Approve", "U0DANA", other);
    expect(world.slack.told.at(-1)).toContain("no such request");
    expect(world.tool.runs).toEqual([]);
  });

  test("a verdict that is refused says why, to whoever clicked", async () => {
    const slack = await startSlack();
    const channel = slackChannel({
      token: slackToken,
      signingSecret,
      channel: "C0DESK",
      baseUrl: slack.baseUrl,
    });
    const refusing: DeliveryChannel = {
      ...channel,
      mount: (desk) => {
        const decide = () =>
          Promise.reject(new HoldpointError("verdict_invalid", "only a support lead may decide"));
        const mount = channel.mount?.({ ...desk, decide });
        if (!mount) throw new Error("it has a mount");
        return mount;
      },
    };
    const world = await openWorld({ channels: [refusing] });
    await world.ask();
    await world.send();
    await world.click(
      "slack",
      slack.click(slack.posts[0] as SlackPost, "Approve", "U0KIM", { now: world.clock.now() }),
    );
    expect(slack.told).toEqual(["Nothing was recorded: only a support lead may decide."]);
  });

  test("a dialog that cannot be opened", async () => {
    const world = await slackWorld();
    await world.askInSlack();
    world.slack.refuse = (call) => (call === "views.open" ? { error: "expired_trigger_id" } : null);
    await world.press("Reject");
    expect(world.slack.told).toEqual([expect.stringContaining("expired_trigger_id")]);
  });

  test("where the answer's address no longer works, by a direct message", async () => {
    const world = await slackWorld();
    await world.askInSlack();
    world.slack.refuse = (call) => (call === "respond" ? 404 : null);
    await world.press("Approve");
    expect(world.slack.posts.at(-1)).toMatchObject({ channel: "D0DANA" });
    expect(shownText(world.slack.posts.at(-1) as SlackPost)).toContain("Recorded. Approved by");
  });

  test("Slack is answered in time though the verdict takes longer, and the answer follows", async () => {
    const slack = await startSlack();
    const channel = slackChannel({
      token: slackToken,
      signingSecret,
      channel: "C0DESK",
      baseUrl: slack.baseUrl,
      acknowledgeMs: 20,
    });
    const gate = Promise.withResolvers<void>();
    const slow: DeliveryChannel = {
      ...channel,
      mount: (desk) => {
        const mount = channel.mount?.({
          ...desk,
          decide: async (...decision) => {
            await gate.promise;
            return desk.decide(...decision);
          },
        });
        if (!mount) throw new Error("it has a mount");
        return mount;
      },
    };
    const world = await openWorld({ channels: [slow] });
    const { requestId } = await world.ask();
    await world.send();
    const click = slack.click(slack.posts[0] as SlackPost, "Approve", "U0DANA", { now: world.clock.now() });
    expect((await world.click("slack", click)).status).toBe(200);
    expect(slack.told).toEqual([]);
    gate.resolve();
    await world.mounts.close(); // what the service does before it ends
    expect(slack.told).toEqual([expect.stringContaining("Recorded. Approved by dana@example.com")]);
    expect((await world.request(requestId)).status).toBe("decided");
  });
});

describe("only Slack's own requests count", () => {
  test(`the documented vector is genuine, and no other${whyNoVectors}`, ({ skip }) => {
    skip(whyNoVectors !== "", whyNoVectors);
    const { secret, timestamp, body: text, signature } = webhookVectors().slack;
    const headers = new Headers({ "x-slack-request-timestamp": timestamp, "x-slack-signature": signature });
    const now = Number(timestamp) * 1_000;
    const body = Buffer.from(text);
    expect(slackGuard(secret).refuse(headers, body, now)).toBeNull();
    expect(slackGuard(secret).refuse(headers, Buffer.from(`${text}&more=1`), now)).toContain("not that of");
    expect(slackGuard(`${secret}x`).refuse(headers, body, now)).toContain("not that of");
    expect(slackGuard(secret).refuse(headers, body, now + 301_000)).toContain("300 s from now");
    expect(slackGuard(secret).refuse(headers, body, now - 301_000)).toContain("300 s from now");
    const guard = slackGuard(secret);
    expect([guard.refuse(headers, body, now), guard.refuse(headers, body, now)]).toEqual([
      null,
      expect.stringContaining("before"),
    ]);
    const behind = slackGuard(secret); // by a clock that is: it is good for ten minutes then
    expect(behind.refuse(headers, body, now - 300_000)).toBe(null);
    for (const later of [1_000, 299_000])
      expect(behind.refuse(headers, body, now + later)).toContain("before");
  });

  test("a click signed ahead of our time is no new one when it comes again", () => {
    const now = Date.UTC(2026, 0, 1);
    const early = signedInteraction({}, now + 299_000);
    const body = Buffer.from(new URLSearchParams({ payload: "{}" }).toString());
    const guard = slackGuard(signingSecret);
    expect(guard.refuse(early.headers, body, now)).toBeNull();
    expect(guard.refuse(early.headers, body, now + 500_000)).toContain("before");
  });

  test("forged, old, replayed and unsigned clicks are refused, and decide nothing", async () => {
    const world = await slackWorld();
    const { request, post } = await world.askInSlack();
    const good = world.slack.click(post, "Approve", "U0DANA", world.now());
    const payload = JSON.parse(new URLSearchParams(await good.clone().text()).get("payload") ?? "");
    const bad = [
      signedInteraction(payload, world.clock.now(), "another secret"),
      signedInteraction(payload, world.clock.now() - 6 * minute),
      new Request(good.url, { method: "POST", body: await good.clone().text() }),
    ];
    for (const each of bad) expect((await world.click("slack", each)).status).toBe(401);
    expect((await world.request(request.requestId)).status).toBe("open");
    expect((await world.click("slack", good.clone() as Request)).status).toBe(200);
    expect((await world.click("slack", good)).status).toBe(401);
  });

  test("a dialog that says it is for another request than its button was is held against that request", async () => {
    const world = await slackWorld();
    await world.askInSlack({ cents: 1 });
    const other = await world.askInSlack({ cents: 2 });
    await world.press("Reject", "U0DANA", world.slack.posts[0]);
    const [dialog] = world.slack.dialogs;
    if (!dialog) throw new Error("a dialog opened");
    const forged = JSON.stringify({
      ...JSON.parse(dialog.private_metadata),
      requestId: other.request.requestId,
    });
    const answer = await world.click(
      "slack",
      world.slack.submit({ ...dialog, private_metadata: forged }, "x", "U0DANA", world.now()),
    );
    expect(JSON.stringify(await answer.json())).toContain("something else than what the request asks for");
    expect((await world.request(other.request.requestId)).status).toBe("open");
  });
});

describe("what is shown", () => {
  test("mentions, links, markup and hidden characters are shown, not obeyed", async () => {
    const world = await slackWorld();
    const note = "<!channel> <@U0DANA> <https://evil.example|fine> *bold* & \u202e ```";
    const { post } = await world.askInSlack({ cents: 1, note });
    const shown = shownText(post);
    expect(shown).toContain(
      "&lt;!channel&gt; &lt;@U0DANA&gt; &lt;https://evil.example|fine&gt; *bold* &amp; \\u202e ```",
    );
    expect(JSON.stringify(post.blocks)).not.toMatch(/<[!@#h]/);
  });

  test("arguments of several thousand characters are shown whole, over sections, and can be approved", async () => {
    const world = await slackWorld();
    const note = "long &<>".repeat(400);
    const { post } = await world.askInSlack({ cents: 1, note });
    expect(shownText(post).replaceAll("\n", "")).toContain("long &amp;&lt;&gt;".repeat(400));
    expect(buttonsOf(post)).toContain("Approve");
  });

  test.each([20_000, 300_000])("arguments of %i characters cannot be approved unseen", async (length) => {
    const world = await slackWorld({ publicUrl: "https://holdpoint.example.com" });
    const { post, request } = await world.askInSlack({ cents: 1, note: "é".repeat(length) });
    expect(shownText(post)).toMatch(/\d+ MORE CHARACTERS ARE NOT SHOWN HERE: see the page/);
    expect(buttonsOf(post)).toEqual(["Reject", "Open the page"]);
    await world.press("Open the page");
    expect(world.slack.told).toEqual([]);
    expect((await world.request(request.requestId)).status).toBe("open");
  });
});

describe("when Slack is busy or down", () => {
  test("429 is waited out as long as it says; an hour of 503 is waited out, too", async () => {
    const world = await slackWorld();
    world.slack.refuse = () => ({ status: 429, headers: { "retry-after": "60" } });
    await world.ask();
    await world.send();
    await world.clock.advance(59_000);
    expect(await world.send()).toBe(0);
    world.slack.refuse = () => 503;
    for (let minutes = 0; minutes < 60; minutes++) {
      await world.send();
      await world.clock.advance(minute);
    }
    world.slack.refuse = () => null;
    await world.clock.advance(15 * minute);
    await world.send();
    expect(world.slack.posts).toHaveLength(1);
    expect(await world.deliveries()).toMatchObject([{ status: "sent", receipt: { channel: "C0DESK" } }]);
  });

  test.each([
    ["not_in_channel", "dead"],
    ["invalid_auth", "dead"],
    ["internal_error", "pending"],
    ["ratelimited", "pending"],
  ])("the error %s leaves the delivery %s", async (error, status) => {
    const world = await slackWorld();
    world.slack.refuse = () => ({ error });
    await world.ask();
    await world.send();
    expect(await world.deliveries()).toMatchObject([
      { status, tries: [{ error: expect.stringContaining(error) }] },
    ]);
  });

  test("a copy that somebody deleted needs no update", async () => {
    const world = await slackWorld();
    const { request } = await world.askInSlack();
    world.slack.posts.length = 0;
    await world.decide(request.requestId, { kind: "approve" });
    await world.send();
    expect((await world.deliveries()).map(({ kind, status }) => [kind, status])).toEqual([
      ["ask", "sent"],
      ["close", "sent"],
    ]);
  });

  test("people without a Slack id are not asked there", async () => {
    const { slack: _, ...noSlack } = kim;
    const slack = await startSlack();
    const channel = slackChannel({ token: slackToken, signingSecret, baseUrl: slack.baseUrl });
    const world = await openWorld({ channels: [channel], people: [dana, noSlack] });
    await world.ask();
    await world.send();
    expect(slack.posts.map((post) => post.channel)).toEqual(["D0DANA"]);
  });
});
