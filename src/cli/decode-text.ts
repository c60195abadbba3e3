import { isUtf8 } from "node:buffer";
import { HoldpointError } from "../core/errors.ts";

/**
 * Text of a file or a pipe, as it is: bytes that are no text are never replaced by others.
 *
 * @param what names it in the error: `the file notes.txt`.
 * @throws `usage` for what is not UTF-8, naming the first byte that is not.
 */
export function decodeText(bytes: Uint8Array, what: string): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  if (isUtf8(bytes)) return text;
  const offset = firstDifference(bytes, Buffer.from(text)); // the text has U+FFFD there
  const byte = (bytes[offset] ?? 0).toString(16).padStart(2, "0");
  throw new HoldpointError("usage", `${what} is not UTF-8: byte ${offset + 1} is 0x${byte}`, {
    fix: "Save it as UTF-8, or convert it: `iconv -f latin1 -t utf-8`.",
  });
}

function firstDifference(left: Uint8Array, right: Uint8Array): number {
  return left.findIndex((byte, index) => byte !== right[index]);
}
