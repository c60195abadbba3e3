import { crc32 } from "node:zlib";

/**
 * Payloads such as `{"messageStop":{…}}` as Amazon's binary event stream: for each the lengths, their checksum, headers
 * that name the event, the payload, and a checksum of it all.
 */
export function eventFrames(payloads: readonly string[]): readonly Buffer[] {
  return payloads.map((payload) => {
    const [type = "", event] = Object.entries(JSON.parse(payload) as object)[0] ?? [];
    return frame(type, Buffer.from(JSON.stringify(event)));
  });
}

function frame(type: string, payload: Buffer): Buffer {
  const headers = Buffer.concat([
    header(":event-type", type),
    header(":content-type", "application/json"),
    header(":message-type", "event"),
  ]);
  const prelude = Buffer.alloc(8);
  prelude.writeUInt32BE(8 + 4 + headers.length + payload.length + 4, 0);
  prelude.writeUInt32BE(headers.length, 4);
  const unchecked = Buffer.concat([prelude, checksum(prelude), headers, payload]);
  return Buffer.concat([unchecked, checksum(unchecked)]);
}

/** 7 stands for text. */
function header(name: string, value: string): Buffer {
  const length = Buffer.alloc(3);
  length.writeUInt8(7, 0);
  length.writeUInt16BE(Buffer.byteLength(value), 1);
  return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), length, Buffer.from(value)]);
}

function checksum(bytes: Buffer): Buffer {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes), 0);
  return sum;
}
