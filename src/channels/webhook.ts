// Tells another system of requests. It answers by the HTTP API; nothing that it sends back decides anything.
import { HoldpointError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { toJson } from "../core/json.ts";
import { viewRequest } from "../core/request-view.ts";
import type { DeliveryChannel, Notice, NoticeKind } from "../ports/channel.ts";
import type { RequestRow } from "../ports/store.ts";
import { type PostAnswer, post, reach, retryAfterMs } from "./post.ts";
import { webhookKey, webhookSignature } from "./webhook-signature.ts";

export interface WebhookChannelOptions {
  /** `https://…`; `http://…` only with `allowPrivate`. */
  readonly url: string;
  /** `whsec_…`. Several while one is replaced by another: each signs, the receiver needs one of them. */
  readonly secrets: string | readonly string[];
  /** Default `webhook`. */
  readonly name?: string;
  /** Whether the receiver may be on this machine or in a private network. Default false. */
  readonly allowPrivate?: boolean;
  /** How long to wait for an answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

const eventTypes: { readonly [Kind in NoticeKind]: string } = {
  ask: "holdpoint.request.opened",
  remind: "holdpoint.request.reminded",
  update: "holdpoint.request.updated",
  close: "holdpoint.request.closed",
};

/**
 * Posts every request to one address, signed by Standard Webhooks, as a CloudEvent in JSON. `webhook-id` is the same at
 * every try, and names what was received already.
 *
 * @throws `usage` for an address or a secret that cannot be used.
 */
export function webhookChannel(options: WebhookChannelOptions): DeliveryChannel {
  const { name = "webhook", allowPrivate = false, timeoutMs = 10_000 } = options;
  const url = checkedUrl(options.url, allowPrivate);
  const keys = [options.secrets].flat().map(webhookKey);
  if (keys.length === 0)
    throw new HoldpointError("usage", "a webhook without a secret cannot be told from a forged one");

  return {
    name,
    recipients: () => ["endpoint"],
    async probe({ signal }) {
      await reach({ url, allowPrivate, timeoutMs, signal });
      return `${url.origin} takes connections`;
    },
    async deliver(notice, { signal }) {
      const body = JSON.stringify(cloudEvent(notice));
      const timestamp = String(Math.floor(notice.now / 1_000));
      const id = notice.deliveryId;
      const headers = {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "user-agent": "holdpoint",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": webhookSignature(keys, { id, timestamp, body }),
      };
      const answer = await post({ url, headers, body, timeoutMs, allowPrivate, signal });
      return receiptOf(url, answer, notice.now);
    },
  };
}

function checkedUrl(text: string, allowPrivate: boolean): URL {
  const url = URL.parse(text);
  const isFine = url?.protocol === "https:" || (url?.protocol === "http:" && allowPrivate);
  if (url && isFine && url.username === "" && url.password === "") return url;
  throw new HoldpointError("usage", "a webhook goes to an https address without user and password", {
    fix: "An http address is taken with `allowPrivate: true`, for receivers in your own network.",
  });
}

function cloudEvent({ deliveryId, kind, request, createdAt }: Notice): Json {
  return {
    specversion: "1.0",
    id: deliveryId,
    source: `/holdpoint/agents/${encodeURIComponent(request.agent)}`,
    type: eventTypes[kind],
    time: new Date(createdAt).toISOString(),
    subject: request.requestId,
    datacontenttype: "application/json",
    data: requestData(request),
  };
}

/** The request as it is, for programs, and as people are shown it. */
function requestData(request: RequestRow): Json {
  const { requestId, threadId, agent, status, opened, verdict, by, via, decidedAt } = request;
  const { approvers, votes } = request; // as of now: more may have been asked since it was opened
  const { kind, choices, quorum = 1, expiresAt, why, reason, action, answerSchema } = opened;
  const { title, question, fields, choices: labels } = viewRequest(request);
  return toJson({
    ...{ requestId, threadId, agent, status, kind, why, reason, approvers, quorum, votes, choices },
    ...{ openedAt: opened.at, expiresAt, action, answerSchema, verdict, by, via, decidedAt },
    view: { title, question, fields, choices: labels },
  });
}

/** Worth another try: the receiver is busy, or broken for now (RFC 9110). */
const isTemporary = (status: number): boolean =>
  status === 408 || status === 425 || status === 429 || status >= 500;

function receiptOf(url: URL, { status, retryAfter }: PostAnswer, now: number): Json {
  if (status >= 200 && status < 300) return { status };
  const message = `${url.origin} answered with status ${status}`;
  if (isTemporary(status))
    throw new HoldpointError("channel_unavailable", message, {
      retryable: true,
      retryAfterMs: retryAfterMs(retryAfter, now),
    });
  const fix =
    status < 400 ? "Redirects are not followed: name the last address." : "See why the receiver refuses it.";
  throw new HoldpointError("channel_refused", message, { fix });
}
