// A Slack of our own on loopback: it takes the four calls that we make, checks each against the shapes and limits that
// docs.slack.dev describes, keeps the messages, and clicks their buttons as Slack would, signed.
import { createHmac } from "node:crypto";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { type Answer, startReceiver } from "./http-receiver.ts";

export const slackToken = "xoxb-test";
export const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5";

/** docs.slack.dev/reference/block-kit/composition-objects/text-object; only the plain kind, which obeys nothing. */
const plain = (max: number) =>
  z.strictObject({
    type: z.literal("plain_text"),
    text: z.string().min(1).max(max),
    emoji: z.literal(false),
  });
const button = z.strictObject({
  type: z.literal("button"),
  text: plain(75),
  action_id: z.string().min(1).max(255),
  value: z.string().max(2_000).optional(),
  url: z.url().max(3_000).optional(),
  style: z.enum(["primary", "danger"]).optional(),
});
const block = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("header"), text: plain(150) }),
  z.strictObject({ type: z.literal("section"), text: plain(3_000) }),
  z.strictObject({
    type: z.literal("actions"),
    block_id: z.string().max(255).optional(),
    elements: z.array(button).min(1).max(25),
  }),
  z.strictObject({
    type: z.literal("input"),
    block_id: z.string().max(255),
    label: plain(2_000),
    element: z.strictObject({
      type: z.literal("plain_text_input"),
      action_id: z.string().max(255),
      multiline: z.boolean(),
      max_length: z.int().min(1).max(3_000),
    }),
  }),
]);
/** Slack refuses more than 13,200 characters in all with `msg_blocks_too_long`. */
const blocks = z
  .array(block)
  .max(50)
  .refine((list) => JSON.stringify(list).length <= 13_200 + 200 * list.length, "msg_blocks_too_long");
const text = z.string().min(1).max(4_000);
const unobeyed = { parse: z.literal("none"), link_names: z.literal(false) };

const calls = {
  "chat.postMessage": z.strictObject({
    channel: z.string().regex(/^[CDG][A-Z0-9]+$/),
    ...{ text, blocks },
    ...unobeyed,
    unfurl_links: z.literal(false),
    unfurl_media: z.literal(false),
    thread_ts: z.string().optional(),
    reply_broadcast: z.boolean().optional(),
    metadata: z
      .strictObject({ event_type: z.string(), event_payload: z.record(z.string(), z.string()) })
      .optional(),
  }),
  "chat.update": z.strictObject({ channel: z.string(), ts: z.string(), text, blocks, ...unobeyed }),
  "conversations.open": z.strictObject({ users: z.string().regex(/^[UW][A-Z0-9]+$/) }),
  "views.open": z.strictObject({
    trigger_id: z.string().min(1),
    view: z.strictObject({
      type: z.literal("modal"),
      callback_id: z.string().max(255),
      private_metadata: z.string().max(3_000),
      title: plain(24),
      submit: plain(24),
      close: plain(24),
      blocks: z.array(block).max(100),
    }),
  }),
};
const ephemeral = z.strictObject({
  ...{ text, blocks },
  response_type: z.literal("ephemeral"),
  replace_original: z.literal(false),
});

type Method = keyof typeof calls;
type Blocks = z.infer<typeof blocks>;
type Dialog = z.infer<(typeof calls)["views.open"]>["view"];

export interface SlackPost {
  readonly channel: string;
  readonly ts: string;
  readonly threadTs: string | undefined;
  text: string;
  blocks: Blocks;
  /** How often it was changed. */
  updates: number;
}

export interface SlackDouble {
  /** What the channel takes as `baseUrl`. */
  readonly baseUrl: string;
  /** Where clicks that are made by hand are answered. */
  readonly responseUrl: string;
  /** Every call, in order. */
  readonly calls: Method[];
  readonly posts: SlackPost[];
  readonly dialogs: Dialog[];
  /** What was answered to clicks, in order; shown to whoever clicked alone. */
  readonly told: string[];
  /** What it answers instead of doing what it is asked; `null` does it. */
  refuse: (call: Method | "respond") => Answer | { readonly error: string };
  /** The request that a click on a button makes. `now` in milliseconds. */
  click(post: SlackPost, button: string, who: string, options: { readonly now: number }): Request;
  /** The request that a filled-in dialog makes. */
  submit(dialog: Dialog, typed: string, who: string, options: { readonly now: number }): Request;
}

/** Everything that a message shows, as a reader sees it. */
export function shownText({ blocks }: Pick<SlackPost, "blocks">): string {
  return blocks.map((one) => ("text" in one ? one.text.text : "")).join("\n");
}

/** The texts of its buttons. */
export function buttonsOf({ blocks }: Pick<SlackPost, "blocks">): readonly string[] {
  return blocks.flatMap((one) =>
    one.type === "actions" ? one.elements.map((element) => element.text.text) : [],
  );
}

function slackSignature(secret: string, timestamp: string, body: string): string {
  return `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
}

/** A request with a body of Slack's form, signed. */
export function signedInteraction(payload: unknown, now: number, secret = signingSecret): Request {
  const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
  const timestamp = String(Math.floor(now / 1_000));
  return new Request("https://holdpoint.example.com/channels/slack/interactions", {
    method: "POST",
    body,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": slackSignature(secret, timestamp, body),
    },
  });
}

/** Closed after the test, which fails when a call was not as Slack documents it. */
export async function startSlack(): Promise<SlackDouble> {
  const wrong: string[] = [];
  const made: Method[] = [];
  const posts: SlackPost[] = [];
  const dialogs: Dialog[] = [];
  const told: string[] = [];
  let clicks = 0;
  const state: { refuse: SlackDouble["refuse"] } = { refuse: () => null };

  function perform(method: Method, body: unknown): object {
    const parsed = calls[method].safeParse(body);
    if (!parsed.success) {
      wrong.push(`${method}: ${z.prettifyError(parsed.error)}`);
      return { ok: false, error: "invalid_arguments" };
    }
    switch (method) {
      case "conversations.open": {
        const { users } = calls[method].parse(body);
        return { ok: true, channel: { id: `D${users.slice(1)}` } };
      }
      case "views.open":
        dialogs.push(calls[method].parse(body).view);
        return { ok: true, view: { id: "V1" } };
      case "chat.postMessage": {
        const { channel, thread_ts: threadTs, ...message } = calls[method].parse(body);
        const ts = `${1_767_225_600 + posts.length}.000100`;
        posts.push({ channel, ts, threadTs, text: message.text, blocks: message.blocks, updates: 0 });
        return { ok: true, channel, ts };
      }
      case "chat.update": {
        const { channel, ts, ...message } = calls[method].parse(body);
        const post = posts.find((one) => one.channel === channel && one.ts === ts);
        if (!post) return { ok: false, error: "message_not_found" };
        Object.assign(post, { text: message.text, blocks: message.blocks, updates: post.updates + 1 });
        return { ok: true, channel, ts };
      }
      default:
        return method satisfies never;
    }
  }

  const { url } = await startReceiver(({ path, headers, body, method }) => {
    const call = path.startsWith("/api/") ? (path.slice(5) as Method) : "respond";
    const refusal = state.refuse(call);
    if (typeof refusal === "object" && refusal !== null && "error" in refusal)
      return json({ ok: false, error: refusal.error });
    if (refusal !== null) return refusal;
    if (method !== "POST" || headers["content-type"] !== "application/json; charset=utf-8")
      wrong.push(`${method} ${path} as ${headers["content-type"]}`);
    if (call === "respond") {
      const parsed = ephemeral.safeParse(JSON.parse(body));
      if (parsed.success) told.push(shownText(parsed.data));
      else wrong.push(`response_url: ${z.prettifyError(parsed.error)}`);
      return 200;
    }
    if (headers.authorization !== `Bearer ${slackToken}`) return json({ ok: false, error: "invalid_auth" });
    if (!Object.hasOwn(calls, call)) return json({ ok: false, error: "unknown_method" });
    made.push(call);
    return json(perform(call, JSON.parse(body)));
  });
  onTestFinished(() => {
    if (wrong.length > 0) throw new Error(`Slack would have refused:\n${wrong.join("\n")}`);
  });

  return {
    baseUrl: `${url}/api/`,
    responseUrl: `${url}/actions/0`,
    calls: made,
    ...{ posts, dialogs, told },
    get refuse() {
      return state.refuse;
    },
    set refuse(refuse) {
      state.refuse = refuse;
    },
    click(post, name, who, { now }) {
      const elements = post.blocks.flatMap((one) => (one.type === "actions" ? one.elements : []));
      const element = elements.find((one) => one.text.text === name);
      if (!element) throw new Error(`there is no button ${name}, only ${buttonsOf(post).join(", ")}`);
      clicks += 1;
      const payload = {
        type: "block_actions",
        user: { id: who, username: "somebody" },
        trigger_id: `trigger-${clicks}`,
        response_url: `${url}/actions/${clicks}`,
        container: { type: "message", message_ts: post.ts, channel_id: post.channel },
        actions: [
          { type: "button", block_id: "holdpoint", action_id: element.action_id, value: element.value },
        ],
      };
      return signedInteraction(payload, now);
    },
    submit(dialog, typed, who, { now }) {
      clicks += 1;
      const payload = {
        type: "view_submission",
        user: { id: who },
        view: {
          id: `V${clicks}`,
          callback_id: dialog.callback_id,
          private_metadata: dialog.private_metadata,
          state: { values: { text: { text: { type: "plain_text_input", value: typed } } } },
        },
      };
      return signedInteraction(payload, now);
    },
  };
}

function json(value: object): Answer {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}
