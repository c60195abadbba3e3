// Mails to approvers, one each, with a link to where they decide. The page behind it is `decide-page.ts`.
import { type Duration, durationMs } from "../../core/duration.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { DeliveryChannel, Notice } from "../../ports/channel.ts";
import { folderUrl } from "../folder-url.ts";
import { shownDigest } from "../shown-digest.ts";
import { type DecideSigner, decideSigner } from "./decide-link.ts";
import { decideMount } from "./decide-page.ts";
import { mailText, oneLine } from "./mail-text.ts";
import { greetServer, type SmtpOptions, sendMail } from "./send-mail.ts";

export interface EmailChannelOptions {
  readonly smtp: SmtpOptions;
  /** An address, or `Name <address>`. */
  readonly from: string;
  /** Where people reach the HTTP service, such as `https://holdpoint.example.com`. */
  readonly publicUrl: string;
  /** Signs the links: at least 32 bytes, and the same for the worker that sends and the service that answers. */
  readonly secret: string;
  /** Default `email`. */
  readonly name?: string;
  /** How long a link is good, if the request's deadline does not come first. Default 7 days. */
  readonly linkExpiresIn?: Duration;
}

/**
 * Mails each approver who has an address in the directory. Reminders and the outcome come in the same conversation.
 *
 * @throws `usage` for a secret, an address or a URL that cannot be used.
 */
export function emailChannel(options: EmailChannelOptions): DeliveryChannel {
  const { smtp, from, name = "email", linkExpiresIn = "7d" } = options;
  const signer = decideSigner(options.secret, name);
  const linkMs = durationMs(linkExpiresIn);
  const page = new URL(`channels/${name}/decide`, folderUrl(options.publicUrl)).href;
  const domain = domainOf(from);

  return {
    name,
    recipients: (_request, approvers) =>
      approvers.filter(({ email }) => email !== undefined).map(({ id }) => id),
    async deliver(notice, { signal }) {
      if (notice.kind === "update") return notice.receipt; // a page shows what is new; nobody needs a mail
      const to = addressOf(notice);
      const messageId = `<${notice.deliveryId}@${domain}>`;
      const first = messageIdOf(notice.receipt);
      const texts = mailText(notice, linkFor(notice, { page, signer, linkMs }));
      const date = new Date(notice.now);
      await sendMail(smtp, { from, to, ...texts, messageId, inReplyTo: first, date }, signal);
      return { messageId: first ?? messageId };
    },
    async probe({ signal }) {
      await greetServer(smtp, signal);
      return `the mail server ${smtp.host} answers${smtp.user === undefined ? "" : ", and takes the login"}`;
    },
    mount: (desk) => decideMount(desk, { name, signer }),
    publicUrl: options.publicUrl,
  };
}

function linkFor(
  { request, recipient, createdAt }: Notice,
  { page, signer, linkMs }: { readonly page: string; readonly signer: DecideSigner; readonly linkMs: number },
): string {
  const { expiresAt: deadline } = request.opened;
  const expiresAt = Math.min(
    createdAt + linkMs,
    deadline === null ? Number.POSITIVE_INFINITY : Date.parse(deadline),
  );
  const grant = {
    requestId: request.requestId,
    personId: recipient,
    digest: shownDigest(request),
    expiresAt,
  };
  const query = new URLSearchParams({
    request: grant.requestId,
    person: grant.personId,
    expires: String(expiresAt),
    signature: signer.sign("link", grant),
  });
  return `${page}?${query}`;
}

/** One address and nothing else: no list, no header, no comment. */
const addressPattern =
  /^[^\s@<>()[\]\\,;:"\p{Cc}]{1,64}@[a-z0-9\u0080-\uffff](?:[a-z0-9.\u0080-\uffff-]{0,253})$/iu;

function addressOf({ person, recipient }: Notice): { readonly name: string; readonly address: string } {
  const address = person?.email;
  if (address !== undefined && addressPattern.test(address))
    return { name: oneLine(person?.name ?? ""), address };
  throw new HoldpointError(
    "channel_refused",
    address === undefined
      ? `${recipient} has no mail address in the people directory`
      : `the mail address of ${recipient} in the people directory is none`,
    { fix: "Mend `people` in the config, and send it again: holdpoint deliveries retry <id>." },
  );
}

function messageIdOf(receipt: Json): string | null {
  if (typeof receipt !== "object" || receipt === null || !("messageId" in receipt)) return null;
  return typeof receipt.messageId === "string" ? receipt.messageId : null;
}

function domainOf(from: string): string {
  const address = /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from;
  if (addressPattern.test(address) && !/[\r\n]/.test(from)) return address.slice(address.indexOf("@") + 1);
  throw new HoldpointError("usage", "a mail is from an address, or from `Name <address>`");
}
