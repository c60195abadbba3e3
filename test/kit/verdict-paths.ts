// The ways from a person to the runtime, as the approval contract needs them: real ones, over real sockets.

import { emailChannel } from "../../src/channels/email/email.ts";
import { slackChannel } from "../../src/channels/slack/slack.ts";
import { createClient, HoldpointClientError } from "../../src/client/index.ts";
import type { Person } from "../../src/core/person.ts";
import type { DeliveryChannel } from "../../src/ports/channel.ts";
import { channelMounts } from "../../src/runtime/mounts.ts";
import { settleOutbox } from "../../src/runtime/outbox.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { createServer } from "../../src/server/app.ts";
import { type Listening, listen } from "../../src/server/listen.ts";
import { createToken } from "../../src/server/tokens.ts";
import type { SqliteStore } from "../../src/stores/sqlite/store.ts";
import type { OpenVerdictPath, VerdictAnswer, VerdictAttempt } from "../../src/testing/approval-contract.ts";
import { type MailServer, startMailServer } from "./mail-server.ts";
import {
  type SlackDouble,
  signedInteraction,
  signingSecret,
  slackToken,
  startSlack,
} from "./slack-double.ts";

const never = new AbortController().signal;

interface Service extends Listening {
  readonly store: SqliteStore;
  /** Sends what is due. */
  send(): Promise<void>;
  closeAll(): Promise<void>;
}

async function serve(
  runtime: Runtime,
  people: readonly Person[],
  channels: readonly DeliveryChannel[],
): Promise<Service> {
  const store = runtime.store as SqliteStore; // the suite's store is the one that its test opened
  const clicks = channelMounts(runtime, { channels, people });
  const { tokens, feed, outbox } = store;
  const server = createServer({ runtime, tokens, feed, people, mounts: clicks.mounts });
  const listening = await listen(server, { port: 0, tokens, now: runtime.clock.now() });
  return {
    ...listening,
    store,
    async send() {
      await settleOutbox(runtime, { outbox, channels, people }, never);
    },
    async closeAll() {
      await listening.close();
      await clicks.close();
    },
  };
}

/** A real service on a port of its own, and the typed client; each person has a token. */
export function httpPath(): OpenVerdictPath {
  return async (runtime, people) => {
    const service = await serve(runtime, people, []);
    const clients = new Map<string, ReturnType<typeof createClient>>();
    for (const { id } of people) {
      const now = runtime.clock.now();
      const token = await createToken(service.store.tokens, {
        principal: id,
        scopes: ["decide"],
        by: "test",
        now,
      });
      clients.set(id, createClient({ url: service.url, token: token.text }));
    }
    return {
      takes: ["approve", "edit", "reject"],
      async give({ requestId, verdict, by }): Promise<VerdictAnswer> {
        try {
          const decided = await clients.get(by.id)?.decide(requestId, verdict);
          return { kind: decided?.first ? "accepted" : "repeated", why: "" };
        } catch (error) {
          if (!(error instanceof HoldpointClientError)) throw error;
          return { kind: "refused", why: error.message };
        }
      },
      close: service.closeAll,
    };
  };
}

/** A mail with a link by real SMTP, the page behind it, and its form; forms that were opened once are sent again later. */
export function mailPath(): OpenVerdictPath {
  const opened = new Map<string, URLSearchParams>();
  let mails: MailServer | null = null;
  return async (runtime, people) => {
    mails ??= await startMailServer();
    const { mails: received, port } = mails;
    const channel = emailChannel({
      smtp: { host: "127.0.0.1", port },
      from: "holdpoint@example.com",
      publicUrl: "http://127.0.0.1",
      secret: "a secret of at least thirty-two bytes, for tests",
    });
    const service = await serve(runtime, people, [channel]);
    const decideUrl = `${service.url}/channels/email/decide`;
    const takes = ["approve", "edit", "reject"] as const;

    /** Opens the page of each person's link, and keeps its forms. */
    async function show(requestId: string): Promise<void> {
      await service.send();
      for (const link of linksIn(received).filter(isFor(requestId))) {
        const page = await (await fetch(`${decideUrl}${link.search}`)).text();
        const person = link.searchParams.get("person");
        for (const kind of takes) {
          const form = formOf(page, kind);
          if (form) opened.set(`${requestId} ${person} ${kind}`, form);
        }
      }
    }

    /** Who got no mail tries with what another got. */
    function formFor({ requestId, verdict, by }: VerdictAttempt): URLSearchParams | null {
      const own = opened.get(`${requestId} ${by.id} ${verdict.kind}`);
      if (own) return new URLSearchParams(own);
      const [, anothers] = [...opened].find(([name]) => name.startsWith(`${requestId} `)) ?? [];
      if (!anothers) return null;
      const form = new URLSearchParams(anothers);
      form.set("person", by.id);
      return form;
    }

    return {
      takes,
      show,
      async give(attempt): Promise<VerdictAnswer> {
        const form = formFor(attempt);
        if (!form) return { kind: "refused", why: "no mail came" };
        const { verdict } = attempt;
        form.set("verdict", verdict.kind);
        if (verdict.kind === "reject") form.set("text", verdict.why);
        if (verdict.kind === "edit") form.set("text", JSON.stringify(verdict.args));
        const response = await fetch(decideUrl, { method: "POST", body: form });
        const why = await response.text();
        return { kind: response.status === 200 ? "accepted" : "refused", why };
      },
      close: service.closeAll,
    };
  };
}

function linksIn(mails: readonly { readonly text?: string | undefined }[]): readonly URL[] {
  return mails.flatMap(({ text = "" }) => {
    const [link] = /http:\/\/127\.0\.0\.1\S+/.exec(text) ?? [];
    return link === undefined ? [] : [new URL(link)];
  });
}

function isFor(requestId: string): (link: URL) => boolean {
  return (link) => link.searchParams.get("request") === requestId;
}

function formOf(page: string, kind: string): URLSearchParams | null {
  const form = [...page.matchAll(/<form.*?<\/form>/gs)].find(([text]) =>
    text.includes(`name="verdict" value="${kind}"`),
  );
  if (!form) return null;
  const fields = [...form[0].matchAll(/name="(\w+)" value="([^"]*)"/g)];
  return new URLSearchParams(
    fields.map(([, name = "", value = ""]): [string, string] => [name, value.replaceAll("&amp;", "&")]),
  );
}

/** A message in a channel of Slack that everybody reads, and the clicks on its buttons. */
export function slackPath(): OpenVerdictPath {
  let slack: SlackDouble | null = null;
  let clicks = 0;
  return async (runtime, people) => {
    slack ??= await startSlack();
    const double = slack;
    const channel = slackChannel({
      token: slackToken,
      signingSecret,
      channel: "C0DESK",
      baseUrl: double.baseUrl,
      rejectReason: "not this one",
    });
    const service = await serve(runtime, people, [channel]);

    async function click(attempt: VerdictAttempt, now: number): Promise<VerdictAnswer> {
      const { requestId, verdict, by } = attempt;
      const toldBefore = double.told.length;
      const row = (await runtime.store.requests({ requestId })).rows[0];
      const value = JSON.stringify({ requestId, digest: row?.opened.action?.digest ?? "" });
      const payload = {
        type: "block_actions",
        user: { id: by.slack },
        trigger_id: `trigger-${clicks++}`,
        response_url: double.responseUrl,
        actions: [{ type: "button", action_id: `holdpoint:${verdict.kind}`, value }],
      };
      const signed = signedInteraction(payload, now);
      const response = await fetch(`${service.url}/channels/slack/interactions`, {
        method: "POST",
        headers: signed.headers,
        body: await signed.text(),
      });
      if (response.status !== 200) return { kind: "refused", why: await response.text() };
      const why = double.told.slice(toldBefore).join("\n");
      if (why.startsWith("Recorded")) return { kind: "accepted", why };
      const stands = (await runtime.store.requests({ requestId })).rows[0]?.verdict?.kind;
      return { kind: stands === verdict.kind ? "repeated" : "refused", why };
    }

    return {
      takes: ["approve", "reject"],
      show: service.send,
      give: (attempt) => click(attempt, runtime.clock.now()),
      giveOld: (attempt) => click(attempt, runtime.clock.now() - 10 * 60_000),
      close: service.closeAll,
    };
  };
}
