import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorInfo, HoldpointError, isHoldpointError } from "../../src/index.ts";
import { type Mail, maxMailBytes, parseEmail } from "./parse-email.ts";

/** One file of the inbox: an e-mail and the key under which it is handled once, or why it cannot be read. */
export type InboxFile = { readonly file: string } & (
  | { readonly kind: "mail"; readonly mail: Mail; readonly key: string }
  | { readonly kind: "unreadable"; readonly error: ErrorInfo }
);

/** Reads every `.eml` file of a folder, in the order of their names. @throws `usage` when there is no such folder. */
export async function readInbox(folder: string): Promise<readonly InboxFile[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new HoldpointError("usage", `the inbox ${folder} cannot be read`, {
      fix: "Name a folder of .eml files with --inbox.",
      cause,
    });
  });
  const files: InboxFile[] = [];
  for (const file of names.filter((name) => name.endsWith(".eml")).sort())
    files.push(await readInboxFile(folder, file));
  return files;
}

async function readInboxFile(folder: string, file: string): Promise<InboxFile> {
  try {
    const mail = await readMail(join(folder, file));
    return { file, kind: "mail", mail, key: mailKey(mail) };
  } catch (error) {
    if (!isHoldpointError(error, "invalid_input")) throw error;
    return {
      file,
      kind: "unreadable",
      error: { code: error.code, message: error.message, ...(error.fix ? { fix: error.fix } : {}) },
    };
  }
}

/** @throws `invalid_input` for what is no e-mail, or no file that can be read. */
export async function readMail(path: string): Promise<Mail> {
  return parseEmail(await readBounded(path));
}

async function readBounded(path: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size <= maxMailBytes) return await readFile(path);
    throw new Error(`it has ${size} bytes; at most ${maxMailBytes} are read`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HoldpointError("invalid_input", `the e-mail cannot be read: ${why}`, {
      fix: "Check the file and its permissions.",
      cause,
    });
  }
}

/**
 * Copies of an e-mail that came by two ways share a Message-ID and their content. A Message-ID alone is not enough:
 * whoever sends a second mail under a known one would make it vanish.
 */
function mailKey({ messageId, from, subject, text }: Mail): string {
  return createHash("sha256")
    .update(JSON.stringify([messageId, from, subject, text]))
    .digest("hex");
}
