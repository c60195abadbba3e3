// Requests as messages in Slack, in one channel or to each approver, and every copy brought up to date when it is decided.
import { HoldpointError, isHoldpointError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { secretProblem } from "../../core/webhook-signature.ts";
import type { DeliveryChannel, Notice } from "../../ports/channel.ts";
import { folderUrl } from "../folder-url.ts";
import { askMessage, closedMessage, noteMessage, postBody, type SlackMessage } from "./blocks.ts";
import { directChannel, interactionMount } from "./interactions.ts";
import { type SlackApi, slackApi } from "./slack-api.ts";

export interface SlackChannelOptions {
  /** A bot token, `xoxb-…`, with the scopes `chat:write` and, for direct messages, `im:write`. */
  readonly token: string;
  /** Of the app, for the clicks that come to `/channels/<name>/interactions`. */
  readonly signingSecret: string;
  /** The id of a channel, such as `C012AB3CD`. Left out, each approver with a Slack id gets a direct message. */
  readonly channel?: string;
  /**
   * Where people reach the HTTP service, such as `https://holdpoint.example.com`: its page shows the whole of a request.
   * Without it, what is too long for Slack refers to the command line.
   */
  readonly publicUrl?: string;
  /** Rejects with this reason at once, instead of asking for one. */
  readonly rejectReason?: string;
  /** Default `slack`. */
  readonly name?: string;
  /** Default `https://slack.com/api/`. */
  readonly baseUrl?: string;
  /** How long to wait for Slack, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** How long Slack is kept waiting for a click at most, in milliseconds; it gives up after 3,000. Default 2,000. */
  readonly acknowledgeMs?: number;
}

/** Where a copy is. */
interface Place {
  readonly channel: string;
  readonly ts: string;
}

/**
 * Posts requests with buttons, and takes the clicks. People are those whose `slack` in the directory is who clicked.
 *
 * @throws `usage` without a token or a signing secret.
 */
export function slackChannel(options: SlackChannelOptions): DeliveryChannel {
  const { token, signingSecret, channel, rejectReason, name = "slack" } = options;
  const { baseUrl = "https://slack.com/api/", timeoutMs = 10_000, acknowledgeMs = 2_000 } = options;
  const problem = token === "" ? "its token is empty" : secretProblem("slack", signingSecret);
  if (problem !== null)
    throw new HoldpointError("usage", `a Slack channel needs a token and a signing secret: ${problem}`, {
      fix: "Both are on the pages of your app at api.slack.com/apps.",
    });
  const api = slackApi({ token, baseUrl, timeoutMs });
  const service = options.publicUrl === undefined ? undefined : folderUrl(options.publicUrl);

  return {
    name,
    recipients: (_request, approvers) =>
      channel === undefined
        ? approvers.filter(({ slack }) => slack !== undefined).map(({ id }) => id)
        : [channel],
    deliver: (notice, { signal }) =>
      deliver(api, notice, service && new URL(`requests/${notice.request.requestId}`, service).href, signal),
    async probe({ signal }) {
      const { team } = await api.call("auth.test", {}, signal);
      return `Slack takes the token${typeof team === "string" ? ` (${team})` : ""}`;
    },
    mount: (desk) => interactionMount(desk, { name, api, signingSecret, rejectReason, acknowledgeMs }),
    ...(service && { publicUrl: service.href }),
  };
}

async function deliver(
  api: SlackApi,
  notice: Notice,
  pageUrl: string | undefined,
  signal: AbortSignal,
): Promise<Json> {
  const place = placeOf(notice.receipt);
  const ask = (): SlackMessage => askMessage(notice.request, pageUrl);
  switch (notice.kind) {
    case "ask":
      return postAnew(api, notice, ask(), signal);
    case "update":
      return place ? update(api, place, ask(), signal) : postAnew(api, notice, ask(), signal);
    case "remind":
      return place ? remind(api, place, notice, signal) : postAnew(api, notice, ask(), signal);
    case "close":
      return place ? update(api, place, closedMessage(notice.request), signal) : null; // nobody knows where it is
    default:
      return notice.kind satisfies never;
  }
}

async function postAnew(
  api: SlackApi,
  notice: Notice,
  message: SlackMessage,
  signal: AbortSignal,
): Promise<Json> {
  const channel = await channelOf(api, notice, signal);
  const answer = await api.call(
    "chat.postMessage",
    { ...postBody(message), ...marked(notice), channel },
    signal,
  );
  const place = placeOf(answer);
  if (place) return { ...place };
  throw new HoldpointError("channel_unavailable", "Slack did not say where it put the message", {
    retryable: true,
  });
}

/** Slack has no key against doubles; whoever looks can tell one by this. */
function marked({ deliveryId, request }: Notice): { readonly [member: string]: Json } {
  const event_payload = { delivery_id: deliveryId, request_id: request.requestId };
  return { metadata: { event_type: "holdpoint_request", event_payload } };
}

async function channelOf(api: SlackApi, { person, recipient }: Notice, signal: AbortSignal): Promise<string> {
  if (person === null) return recipient;
  if (person.slack === undefined)
    throw new HoldpointError("channel_refused", `${person.id} has no Slack id in the people directory`);
  return directChannel(await api.call("conversations.open", { users: person.slack }, signal));
}

async function update(
  api: SlackApi,
  place: Place,
  message: SlackMessage,
  signal: AbortSignal,
): Promise<Json> {
  const { text, blocks } = message;
  const body = { ...place, text, blocks: [...blocks], parse: "none", link_names: false };
  try {
    await api.call("chat.update", body, signal);
  } catch (error) {
    // somebody deleted it: then no copy is out of date
    if (!isHoldpointError(error) || error.details?.slack !== "message_not_found") throw error;
  }
  return { ...place };
}

async function remind(
  api: SlackApi,
  { channel, ts }: Place,
  { request }: Notice,
  signal: AbortSignal,
): Promise<Json> {
  const until = request.opened.expiresAt === null ? "" : ` It is open until ${request.opened.expiresAt}.`;
  const message = noteMessage(`This still waits for an answer.${until}`);
  await api.call(
    "chat.postMessage",
    { ...postBody(message), channel, thread_ts: ts, reply_broadcast: true },
    signal,
  );
  return { channel, ts };
}

function placeOf(value: Json): Place | null {
  if (typeof value !== "object" || value === null || !("channel" in value) || !("ts" in value)) return null;
  const { channel, ts } = value;
  return typeof channel === "string" && typeof ts === "string" ? { channel, ts } : null;
}
