// I6 over channels: a request that is out by mail and in Slack takes one verdict, whoever is first; the other is told who
// decided and when, and every copy says so.
import { describe, expect, test } from "vitest";
import { emailChannel } from "../../src/channels/email/email.ts";
import { slackChannel } from "../../src/channels/slack/slack.ts";
import { utcTime } from "../../src/core/utc-time.ts";
import { channelWorldOfEachTest, dana, kim } from "../kit/channel-world.ts";
import { startMailServer } from "../kit/mail-server.ts";
import { type SlackPost, shownText, signingSecret, slackToken, startSlack } from "../kit/slack-double.ts";

const openWorld = channelWorldOfEachTest();

async function bothWays() {
  const [slack, server] = await Promise.all([startSlack(), startMailServer()]);
  const options = { token: slackToken, signingSecret, channel: "C0DESK", rejectReason: "Not this one." };
  const world = await openWorld({
    channels: [
      slackChannel({ ...options, baseUrl: slack.baseUrl }),
      emailChannel({
        smtp: { host: "127.0.0.1", port: server.port },
        from: "holdpoint@example.com",
        publicUrl: "https://holdpoint.example.com",
        secret: "a secret of at least thirty-two bytes, for tests",
      }),
    ],
    people: [dana, kim],
    gate: { approvers: [dana.id, kim.id] },
  });
  const { requestId, threadId } = await world.ask();
  await world.send();
  const [post] = slack.posts as [SlackPost];
  const mail = server.mails.find(({ envelopeTo }) => envelopeTo[0] === dana.email);
  const link = /https:\/\/holdpoint\.example\.com\S+/.exec(mail?.text ?? "")?.[0] ?? "";
  const page = await (await world.click("email", new Request(link))).text();
  const fields = [...(/<form.*?<\/form>/s.exec(page)?.[0] ?? "").matchAll(/name="(\w+)" value="([^"]*)"/g)];
  const body = new URLSearchParams(
    fields.map(([, name = "", value = ""]): [string, string] => [name, value]),
  );
  const url = "https://holdpoint.example.com/channels/email/decide";

  return {
    ...{ slack, server, world, post, requestId, threadId },
    rejectInSlack: () =>
      world.click("slack", slack.click(post, "Reject", kim.slack ?? "", { now: world.clock.now() })),
    approveByMail: async () => {
      const response = await world.click("email", new Request(url, { method: "POST", body }));
      return { status: response.status, body: await response.text() };
    },
  };
}

describe("two channels at once, with different verdicts", () => {
  test("one wins; the other is told who decided and when; the action runs if and only if it was approved", async () => {
    const { world, slack, server, post, requestId, threadId, rejectInSlack, approveByMail } =
      await bothWays();
    const [answer] = await Promise.all([approveByMail(), rejectInSlack()]);
    const { verdict, by, via, decidedAt } = await world.request(requestId);
    const isApproved = verdict?.kind === "approve";
    const stands = `${isApproved ? "Approved" : "Rejected"} by ${by} at ${utcTime(decidedAt ?? "")}, via ${via}`;
    expect([by, via]).toEqual(isApproved ? [dana.id, "email"] : [kim.id, "slack"]);
    expect(answer).toMatchObject({ status: isApproved ? 200 : 409, body: expect.stringContaining(stands) });
    expect(slack.told).toHaveLength(1);
    expect(slack.told[0]).toMatch(isApproved ? /^Nothing was changed/ : /^Recorded/);
    expect(slack.told[0]).toContain(`${by} at ${decidedAt?.slice(0, 10)}`);
    await world.settle(threadId);
    expect(world.tool.runs).toHaveLength(isApproved ? 1 : 0);
    await world.send();
    expect(shownText(post)).toContain(stands);
    const closing = server.mails.filter(({ text }) => text?.startsWith(stands));
    expect(closing.map(({ envelopeTo }) => envelopeTo[0]).sort()).toEqual([dana.email, kim.email]);
  });

  test("the mail after Slack", async () => {
    const { world, threadId, rejectInSlack, approveByMail } = await bothWays();
    await rejectInSlack();
    expect(await approveByMail()).toMatchObject({
      status: 409,
      body: expect.stringMatching(
        /Rejected by kim@example\.com at [-\d]+ [:\d]+ UTC, via slack: Not this one\./,
      ),
    });
    await world.settle(threadId);
    expect(world.tool.runs).toEqual([]);
  });

  test("Slack after the mail", async () => {
    const { world, slack, threadId, rejectInSlack, approveByMail } = await bothWays();
    await approveByMail();
    await rejectInSlack();
    expect(slack.told).toEqual([
      expect.stringMatching(
        /^Nothing was changed\. Approved by dana@example\.com at [-\d]+ [:\d]+ UTC, via email\.$/,
      ),
    ]);
    await world.settle(threadId);
    expect(world.tool.runs).toHaveLength(1);
  });
});
