import { HoldpointError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { connectionProblem, timeoutProblem } from "../connection-problem.ts";
import { retryAfterMs } from "../post.ts";

type SlackMethod = "auth.test" | "chat.postMessage" | "chat.update" | "conversations.open" | "views.open";

type SlackAnswer = { readonly [member: string]: Json };

export interface SlackApi {
  /**
   * Calls a method of the Web API.
   *
   * @throws `channel_unavailable`; `channel_refused` with Slack's error in `details.slack`.
   */
  call(method: SlackMethod, body: Json, signal: AbortSignal): Promise<SlackAnswer>;
  /** Answers a click by the address that came with it. @throws `channel_unavailable`, `channel_refused` */
  respond(responseUrl: string, body: Json, signal: AbortSignal): Promise<void>;
}

export interface SlackApiOptions {
  readonly token: string;
  /** Ends with a slash. */
  readonly baseUrl: string;
  readonly timeoutMs: number;
}

/** Errors of Slack's own that pass, as its methods document them. */
const passing: readonly unknown[] = [
  "ratelimited",
  "rate_limited",
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
  "team_added_to_org",
];

/** Errors that say that the token is not, or is no more, one of an app. */
const tokenErrors: readonly unknown[] = [
  "not_authed",
  "invalid_auth",
  "account_inactive",
  "token_expired",
  "token_revoked",
];

export function slackApi({ token, baseUrl, timeoutMs }: SlackApiOptions): SlackApi {
  async function send(
    url: string,
    body: Json,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json; charset=utf-8" },
        body: JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      return { response, text: await response.text() };
    } catch (cause) {
      throw unreachable(cause, timeoutMs);
    }
  }

  return {
    async call(method, body, signal) {
      const { response, text } = await send(
        `${baseUrl}${method}`,
        body,
        { authorization: `Bearer ${token}` },
        signal,
      );
      assertAnswered(method, response);
      const answer = parsed(text);
      if (answer.ok === true) return answer;
      const error = typeof answer.error === "string" ? answer.error : "no error was named";
      if (passing.includes(error)) throw unavailable(`Slack answered ${method} with ${error}`);
      throw new HoldpointError("channel_refused", `Slack refused ${method}: ${error}`, {
        fix: tokenErrors.includes(error)
          ? "Set the token to the bot token (xoxb-…) of the app, as its page on OAuth shows it."
          : `See docs.slack.dev/reference/methods/${method}.`,
        details: { slack: error },
      });
    },
    async respond(responseUrl, body, signal) {
      const { origin } = new URL(responseUrl);
      const isSlack = origin === "https://hooks.slack.com" || origin === new URL(baseUrl).origin;
      if (!isSlack) throw new HoldpointError("channel_refused", "a response_url is not Slack's");
      const { response } = await send(responseUrl, body, {}, signal);
      assertAnswered("a response_url", response);
    },
  };
}

function assertAnswered(what: string, { status, headers }: Response): void {
  if (status >= 200 && status < 300) return;
  const message = `Slack answered ${what} with status ${status}`;
  if (status !== 429 && status < 500) throw new HoldpointError("channel_refused", message);
  throw new HoldpointError("channel_unavailable", message, {
    retryable: true,
    retryAfterMs: retryAfterMs(headers.get("retry-after"), Date.parse(headers.get("date") ?? "")),
    details: status === 429 ? { arrived: false } : {},
  });
}

function parsed(text: string): SlackAnswer {
  try {
    const value: Json = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as SlackAnswer; // no list
  } catch {
    // told below: a page of a proxy, say
  }
  throw unavailable("Slack answered with what is not its JSON");
}

/** The name was not found, or nobody listened. */
const neverSent: readonly unknown[] = [
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
];

function unreachable(cause: unknown, timeoutMs: number): HoldpointError {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const code = typeof inner === "object" && inner !== null && "code" in inner ? inner.code : undefined;
  const said = typeof code === "string" ? code : cause instanceof Error ? cause.message : String(cause);
  const isLate = cause instanceof Error && cause.name === "TimeoutError";
  const { why, fix } = isLate
    ? timeoutProblem(timeoutMs)
    : (connectionProblem(code) ?? { why: said, fix: "Check the network between." });
  return unavailable(`Slack cannot be reached: ${why}`, {
    fix,
    details: neverSent.includes(code) ? { arrived: false } : {},
  });
}

function unavailable(
  message: string,
  options: { readonly fix?: string; readonly details?: { readonly [name: string]: Json } } = {},
): HoldpointError {
  return new HoldpointError("channel_unavailable", message, { retryable: true, details: {}, ...options });
}
