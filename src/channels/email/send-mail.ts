import type { Transporter } from "nodemailer";
import { HoldpointError } from "../../core/errors.ts";
import { connectionProblem } from "../connection-problem.ts";

export interface SmtpOptions {
  readonly host: string;
  /** Default 587, or 465 with `secure`. */
  readonly port?: number;
  /** TLS from the first byte. Default false: TLS by STARTTLS, where the server offers it. */
  readonly secure?: boolean;
  /** Send nothing without TLS. Default true when there is a user. */
  readonly requireTls?: boolean;
  readonly user?: string;
  readonly password?: string;
  /** How long the server may be silent, in milliseconds. Default 20,000. */
  readonly timeoutMs?: number;
}

export interface Mail {
  readonly from: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  /** The `Message-ID` of the mail that it belongs to. */
  readonly inReplyTo: string | null;
  readonly date: Date;
}

/**
 * Hands one mail to a server by SMTP. An abort leaves open whether it was taken.
 *
 * @throws `channel_unavailable`; `channel_refused` when the server refuses for good (5xx).
 */
export async function sendMail(smtp: SmtpOptions, mail: Mail, signal: AbortSignal): Promise<void> {
  const { inReplyTo, ...rest } = mail;
  await withServer(smtp, signal, (transport) =>
    transport.sendMail({
      ...rest,
      ...(inReplyTo !== null && { inReplyTo, references: [inReplyTo] }),
      headers: { "Auto-Submitted": "auto-generated" }, // RFC 3834: no holiday notes in reply
    }),
  );
}

/** Connects, greets and logs in; nothing is sent. @throws as `sendMail`. */
export async function greetServer(smtp: SmtpOptions, signal: AbortSignal): Promise<void> {
  await withServer(smtp, signal, (transport) => transport.verify());
}

async function withServer(
  smtp: SmtpOptions,
  signal: AbortSignal,
  use: (transport: Transporter) => Promise<unknown>,
): Promise<void> {
  const { createTransport } = await import("nodemailer"); // late: most processes send none
  const { host, secure = false, user, password = "", timeoutMs = 20_000 } = smtp;
  const transport = createTransport({
    host,
    port: smtp.port ?? (secure ? 465 : 587),
    secure,
    requireTLS: smtp.requireTls ?? (user !== undefined && !secure),
    ...(user !== undefined && { auth: { user, pass: password } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true, // nothing in a mail is a path or an address to be read
    disableUrlAccess: true,
  });
  try {
    await untilAborted(use(transport), signal);
  } catch (error) {
    throw smtpError(host, error);
  } finally {
    transport.close();
  }
}

/** nodemailer knows no signals: what it does after an abort is left to its own time limits. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error("told to stop"));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Before the mail itself was sent: nothing can have arrived. */
const earlyCommands: readonly unknown[] = [
  "CONN",
  "EHLO",
  "HELO",
  "STARTTLS",
  "AUTH",
  "MAIL FROM",
  "RCPT TO",
  "API",
];

/** Not a matter of this mail: what is wrong with the server or the login may be mended while mails wait. */
const waitingCodes: readonly unknown[] = ["EAUTH", "ENOAUTH", "EOAUTH2", "ETLS"];

function smtpError(host: string, error: unknown): HoldpointError {
  const { code, responseCode, command, message } = errorMembers(error);
  const text = `the mail server ${host} ${message}`;
  const isFinal = typeof responseCode === "number" && responseCode >= 500 && !waitingCodes.includes(code);
  if (isFinal || (code === "EENVELOPE" && responseCode === undefined))
    return new HoldpointError("channel_refused", text, {
      fix: "See what the server says, and mend the address.",
    });
  const isEarly =
    earlyCommands.includes(command) ||
    (typeof code === "string" && /^E(?:CONN|DNS|TLS|AUTH|ENVELOPE)/.test(code));
  const isSure = isEarly || typeof responseCode === "number";
  return new HoldpointError("channel_unavailable", text, {
    retryable: true,
    fix: isLogin(code) ? "Mend `user`, or the variable of its password." : fixFor(error),
    ...(isSure && { details: { arrived: false } }),
  });
}

function isLogin(code: unknown): boolean {
  return code === "EAUTH" || code === "ENOAUTH" || code === "EOAUTH2";
}

/** nodemailer's own codes hide that of the connection (`ESOCKET`), which stands in the message or below. */
function fixFor(error: unknown): string | undefined {
  const { code, message } = errorMembers(error);
  if (code === "ETLS")
    return "Turn TLS on at the server, or give the port on which it is (`secure` for 465).";
  const [inner] = /\b(?:E[A-Z]{4,}|(?:DEPTH_ZERO|SELF_SIGNED|CERT|UNABLE_TO)_[A-Z_]+)\b/.exec(message) ?? [];
  const isCertificate = /certificate/i.test(message);
  return connectionProblem(isCertificate ? "CERT_UNTRUSTED" : (inner ?? code))?.fix;
}

interface SmtpErrorMembers {
  readonly code: unknown;
  readonly responseCode: unknown;
  readonly command: unknown;
  readonly message: string;
}

function errorMembers(error: unknown): SmtpErrorMembers {
  if (!(error instanceof Error))
    return { code: undefined, responseCode: undefined, command: undefined, message: String(error) };
  const member = (name: string): unknown => Object.getOwnPropertyDescriptor(error, name)?.value;
  const responseCode = member("responseCode");
  const said = typeof responseCode === "number" ? `answered ${responseCode}: ` : "failed: ";
  return {
    code: member("code"),
    responseCode,
    command: member("command"),
    message: `${said}${error.message}`,
  };
}
