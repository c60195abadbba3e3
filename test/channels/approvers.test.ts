// Who may decide, over channels: the runtime says, and whoever clicked is told why not. Votes, reminders and escalations
// reach every copy.
import { expect, test } from "vitest";
import { slackChannel } from "../../src/channels/slack/slack.ts";
import { agent } from "../../src/core/agent.ts";
import { type GatePolicy, gate } from "../../src/core/gate.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { channelMounts } from "../../src/runtime/mounts.ts";
import { settleOutbox } from "../../src/runtime/outbox.ts";
import type { SqliteStore } from "../../src/stores/sqlite/store.ts";
import { dana, kim } from "../kit/channel-world.ts";
import { calls, payTool, runtimesOfEachTest, turns } from "../kit/runtime.ts";
import { type SlackPost, shownText, signingSecret, slackToken, startSlack } from "../kit/slack-double.ts";

const openRuntime = runtimesOfEachTest();
const people = [dana, kim];
const hour = 3_600_000;

async function askedInSlack(
  policy: GatePolicy,
  { by = "test", channel }: { readonly by?: string; readonly channel?: string } = {},
) {
  const slack = await startSlack();
  const tool = payTool({ risk: "high", effect: "once" });
  const model = turns(calls(["pay", { cents: 1 }]), { text: "done" });
  const pays = agent({ name: "a", prompt: "Work.", model, tools: [tool], gate: gate(policy) });
  const opened = await openRuntime({ agents: [pays] });
  const channels = [
    slackChannel({
      ...{ token: slackToken, signingSecret, baseUrl: slack.baseUrl },
      ...(channel === undefined ? {} : { channel }),
    }),
  ];
  const { mounts } = channelMounts(opened.runtime, { channels, people });
  const { outbox } = opened.runtime.store as SqliteStore; // as `openEmbedded` opens it
  const signal = new AbortController().signal;
  const send = (): Promise<number> => settleOutbox(opened.runtime, { outbox, channels, people }, signal);
  const { threadId } = await startThread(opened.runtime, "a", "pay", { by });
  await opened.settle(threadId);
  await send();
  return {
    ...{ slack, tool, send },
    approve: async (post: number, who: string) => {
      const click = slack.click(slack.posts[post] as SlackPost, "Approve", who, { now: opened.clock.now() });
      await mounts.get("/channels/slack")?.(click, { signal, remote: null });
    },
    settle: () => opened.settle(threadId),
    pass: async (ms: number) => {
      await opened.clock.advance(ms);
      await opened.settle(threadId);
      await send();
    },
  };
}

test("a click by somebody who is no approver is answered with who is", async () => {
  const { slack, tool, approve, settle } = await askedInSlack({ approvers: [dana.id] });
  await approve(0, "U0KIM");
  expect(slack.told).toEqual([
    expect.stringMatching(/^Nothing was recorded: kim@example\.com .* dana@example\.com/),
  ]);
  await settle();
  expect(tool.runs).toEqual([]);
});

test("of two approvals the first is shown in every copy, and the second decides", async () => {
  const { slack, tool, approve, settle, send } = await askedInSlack({
    approvers: [dana.id, kim.id],
    quorum: 2,
  });
  await approve(0, "U0DANA");
  await send();
  expect(slack.told.at(-1)).toContain("stays open until enough others have approved");
  for (const post of slack.posts) expect(shownText(post)).toContain("1 of 2: dana@example.com (slack)");
  await approve(1, "U0KIM");
  await settle();
  await send();
  expect(tool.runs).toHaveLength(1);
  for (const post of slack.posts) expect(shownText(post)).toContain("Approved by kim@example.com");
});

test("a reminder stands under the first message; an escalation updates it, and asks who is next", async () => {
  const escalate = [{ after: "2h", to: [kim.id] }] as const;
  const { slack, pass } = await askedInSlack({ approvers: [dana.id], remindAfter: ["1h"], escalate });
  await pass(hour);
  expect(slack.posts.map(({ channel, threadTs }) => [channel, threadTs])).toEqual([
    ["D0DANA", undefined],
    ["D0DANA", slack.posts[0]?.ts],
  ]);
  await pass(hour);
  expect(slack.posts.map(({ channel }) => channel)).toEqual(["D0DANA", "D0DANA", "D0KIM"]);
  expect(shownText(slack.posts[0] as SlackPost)).toContain("approvers: dana@example.com, kim@example.com");
});

test("an escalation is told anew in a channel that everybody reads", async () => {
  const escalate = [{ after: "2h", to: [kim.id] }] as const;
  const { slack, pass } = await askedInSlack({ approvers: [dana.id], escalate }, { channel: "C0DESK" });
  await pass(2 * hour);
  const [first] = slack.posts;
  expect(slack.posts.map(({ channel, threadTs }) => [channel, threadTs])).toEqual([
    ["C0DESK", undefined],
    ["C0DESK", first?.ts],
  ]);
  expect(shownText(first as SlackPost)).toContain("approvers: dana@example.com, kim@example.com");
});

test("who started the thread, and may not decide, is not asked to", async () => {
  const { slack } = await askedInSlack({ approvers: [dana.id, kim.id] }, { by: dana.id });
  expect(slack.posts.map(({ channel }) => channel)).toEqual(["D0KIM"]);
});
