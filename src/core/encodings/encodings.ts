import type { Encoding, EncodingName } from "./encoding.ts";
import { jsonEncoding } from "./json-encoding.ts";
import { textEncoding } from "./text-encoding.ts";
import { toolsEncoding } from "./tools-encoding.ts";

/** Every encoding, by its name. */
export const encodings: { readonly [Name in EncodingName]: Encoding } = {
  tools: toolsEncoding,
  json: jsonEncoding,
  text: textEncoding,
};
