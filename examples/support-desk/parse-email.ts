// What stands in an e-mail is whatever a stranger wrote. Here it becomes bounded plain data, and what code can tell
// for certain (who vouches for the sender, order numbers, machine-made mail) is told by code.
import PostalMime, { type Email } from "postal-mime";
import { HoldpointError } from "../../src/index.ts";
import { htmlToText } from "./html-to-text.ts";

export interface Mail {
  readonly messageId: string | null;
  /** Lower case. */
  readonly from: string;
  readonly name: string;
  /** The shop's mail server found that the mail does come from the domain of `from`. */
  readonly authenticated: boolean;
  readonly subject: string;
  readonly sentAt: string | null;
  /** What the sender wrote now. */
  readonly text: string;
  /** What the mail repeats of earlier ones: to be understood, never to be acted on again. */
  readonly quoted: string;
  /** From subject and text, not from what is quoted: `SO-1234`. */
  readonly orderNumbers: readonly string[];
  readonly attachments: readonly string[];
  /** Mail that machines sent gets no reply: two machines would never stop. */
  readonly kind: "person" | "auto_reply" | "bulk";
}

/** Whose `Authentication-Results` count; anyone can write such a header, and this server removes others' in its name. */
const mailServer = "mx.shop.example";

export const maxMailBytes: number = 10 * 1024 * 1024;
const maxCharacters = { text: 6_000, quoted: 2_000, subject: 300, name: 100, attachment: 100 };
const maxListed = 10;

/** Reads a raw e-mail (RFC 5322, MIME). @throws `invalid_input` when it is none, or too large. */
export async function parseEmail(raw: Uint8Array): Promise<Mail> {
  if (raw.byteLength > maxMailBytes)
    throw unreadable(`it has ${raw.byteLength} bytes; at most ${maxMailBytes} are read`);
  const email = await PostalMime.parse(raw, { maxNestingDepth: 20, maxHeadersSize: 256 * 1024 }).catch(
    (error: unknown) => {
      throw unreadable(error instanceof Error ? error.message : String(error), error);
    },
  );
  const from = email.from?.address?.trim().toLowerCase();
  if (!from || !/^[^\s@<>,;]+@[^\s@<>,;]+$/.test(from))
    throw unreadable("it has no From header with an address");
  const subject = oneLine(email.subject, maxCharacters.subject);
  const { text, quoted } = splitQuoted(clean(email.text ?? htmlToText(email.html ?? "")));
  return {
    messageId: oneLine(email.messageId, 500) || null,
    from,
    name: oneLine(email.from?.name, maxCharacters.name),
    authenticated: isAuthenticated(email, from),
    subject,
    sentAt: email.date ?? null,
    text: clip(text, maxCharacters.text),
    quoted: clip(quoted, maxCharacters.quoted),
    orderNumbers: findOrderNumbers(`${subject}\n${text}`),
    attachments: email.attachments
      .slice(0, maxListed)
      .map((file) => oneLine(file.filename ?? file.mimeType, maxCharacters.attachment)),
    kind: kindOf(email),
  };
}

function unreadable(why: string, cause?: unknown): HoldpointError {
  return new HoldpointError("invalid_input", `this is not an e-mail that can be read: ${why}`, {
    fix: "Open it by hand, and move it out of the inbox.",
    cause,
  });
}

/** One order number however it was typed: `so 1234`, `SO‑1234` with a non-breaking hyphen, `ＳＯ−１２３４`. */
export function findOrderNumbers(text: string): readonly string[] {
  const plain = text.normalize("NFKC").replace(/[\u2010-\u2015\u2212]/g, "-");
  const numbers = Array.from(
    plain.matchAll(/(?<![a-z0-9])SO[- ]?(\d{4})(?!\d)/gi),
    (match) => `SO-${match[1]}`,
  );
  return [...new Set(numbers)].slice(0, maxListed);
}

/** RFC 8601. Only the newest result of our own server counts, and only for the domain that the reader sees. */
function isAuthenticated(email: Email, from: string): boolean {
  const values = email.headers
    .filter((header) => header.key === "authentication-results")
    .map((header) => header.value);
  const [server, ...results] = (values.find((value) => value.trim().startsWith(mailServer)) ?? "")
    .split(";")
    .map((part) => part.trim());
  const dmarc = results.find((result) => result.startsWith("dmarc="))?.split(/\s+/) ?? [];
  return (
    server === mailServer && dmarc[0] === "dmarc=pass" && dmarc.includes(`header.from=${from.split("@")[1]}`)
  );
}

/** RFC 3834 and RFC 2919, and what older programs write instead. */
function kindOf(email: Email): Mail["kind"] {
  const header = (key: string): string =>
    email.headers
      .find((candidate) => candidate.key === key)
      ?.value.trim()
      .toLowerCase() ?? "";
  const precedence = header("precedence");
  const automatic = header("auto-submitted");
  if ((automatic !== "" && automatic !== "no") || precedence === "auto_reply" || header("x-autoreply") !== "")
    return "auto_reply";
  if (header("return-path") === "<>") return "auto_reply"; // a bounce
  const isList = header("list-id") !== "" || header("list-unsubscribe") !== "";
  return isList || ["bulk", "list", "junk"].includes(precedence) ? "bulk" : "person";
}

const historyStarts =
  /^\s*(-{2,}\s*(original message|ursprüngliche nachricht|forwarded message)\s*-{2,}|_{10,})\s*$/i;
const attribution = /^(on|am|le|el) .{1,200}(wrote|schrieb|a écrit|escribió).{0,100}:\s*$/i;

/** Takes apart what was written now and what is repeated, by the marks that mail programs leave. */
function splitQuoted(all: string): { readonly text: string; readonly quoted: string } {
  const lines = all.split("\n");
  const end = lines.findIndex((line) => historyStarts.test(line));
  const current = end < 0 ? lines : lines.slice(0, end);
  const isQuoted = (line: string, index: number): boolean =>
    line.startsWith(">") || (attribution.test(line) && (current[index + 1] ?? "").startsWith(">"));
  return {
    text: current
      .filter((line, index) => !isQuoted(line, index))
      .join("\n")
      .replace(/\n{3,}/g, "\n\n")
      .trim(),
    quoted: [...current.filter(isQuoted), ...lines.slice(current.length)].join("\n").trim(),
  };
}

/** Without control characters and direction overrides, which would play tricks on a terminal and on its reader. */
function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu, "");
}

function oneLine(text: string | undefined, maxLength: number): string {
  return clip(
    clean(text ?? "")
      .replace(/\s+/g, " ")
      .trim(),
    maxLength,
  );
}

function clip(text: string, maxLength: number): string {
  return text.length <= maxLength
    ? text
    : `${text.slice(0, maxLength).toWellFormed()}… (${text.length - maxLength} characters more)`;
}
