// E-mail as files: what a mail server would be handed, kept where you can read it. A mail is there whole or not at all,
// once per idempotency key, which is also its Message-ID.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Change } from "./shop.ts";

interface Reply {
  readonly to: string;
  readonly subject: string;
  readonly body: string;
  readonly inReplyTo?: string | undefined;
}

interface Sent {
  readonly messageId: string;
}

export interface Outbox {
  send(key: string, reply: Reply): Change<Sent>;
  findSent(key: string): Sent | null;
}

const sender = "Shop support <support@shop.example>";

export function openOutbox(folder: string): Outbox {
  const path = (key: string): string => join(folder, `${localPart(key)}.eml`);
  const sent = (key: string): Sent => ({ messageId: messageIdFor(key) });
  return {
    send(key, reply) {
      if (existsSync(path(key))) return { created: false, value: sent(key) };
      mkdirSync(folder, { recursive: true });
      writeWhole(path(key), formatMail(messageIdFor(key), reply));
      syncFolder(folder);
      return { created: true, value: sent(key) };
    },
    findSent: (key) => (existsSync(path(key)) ? sent(key) : null),
  };
}

function messageIdFor(key: string): string {
  return `<${localPart(key)}@shop.example>`;
}

/** Unambiguous for our keys (`th_…/act:send_email#1`), and fit for a file name and a Message-ID. */
function localPart(key: string): string {
  return key.replace(/[^a-zA-Z0-9_]+/g, ".");
}

function writeWhole(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, "w");
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

/** A rename is durable once its folder is. Windows has no such call, and needs none. */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function formatMail(messageId: string, reply: Reply): string {
  const head = [
    `Date: ${new Date().toUTCString().replace("GMT", "+0000")}`,
    `From: ${sender}`,
    `To: ${reply.to}`,
    `Subject: ${encodeHeader(reply.subject)}`,
    `Message-ID: ${messageId}`,
    ...(reply.inReplyTo === undefined
      ? []
      : [`In-Reply-To: ${reply.inReplyTo}`, `References: ${reply.inReplyTo}`]),
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
  ];
  return `${head.join("\r\n")}\r\n\r\n${quotedPrintable(reply.body)}\r\n`;
}

/** RFC 2047: lines of at most 76 characters, the first one's name included; no word cuts a character in two. */
function encodeHeader(text: string): string {
  if (/^[\x20-\x7e]{0,60}$/.test(text)) return text;
  const words: string[] = [""];
  for (const character of text.toWellFormed()) {
    const word = words.at(-1) ?? "";
    if (Buffer.byteLength(word + character) > 39) words.push(character);
    else words[words.length - 1] = word + character;
  }
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString("base64")}?=`).join("\r\n ");
}

/** RFC 2045 §6.7: at most 76 characters to a line, and none but printable ASCII. */
function quotedPrintable(text: string): string {
  return text
    .toWellFormed()
    .split(/\r\n|\r|\n/)
    .map(quotedPrintableLine)
    .join("\r\n");
}

function quotedPrintableLine(line: string): string {
  const pieces = Array.from(Buffer.from(line), (byte, index) => {
    const isText = (byte > 0x20 && byte < 0x7f && byte !== 0x3d) || byte === 0x20;
    const endsLine = index === Buffer.byteLength(line) - 1;
    return isText && !(byte === 0x20 && endsLine)
      ? String.fromCharCode(byte)
      : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  const lines = [""];
  for (const piece of pieces) {
    const current = lines.at(-1) ?? "";
    if (current.length + piece.length > 75) lines.push(piece);
    else lines[lines.length - 1] = current + piece;
  }
  return lines.join("=\r\n");
}
