import { cut } from "./salient.ts";

/** A large value by reference, as JSON text of about `maxCharacters` at most. */
export function referenceTo(
  value: {
    readonly digest: string;
    readonly bytes: number;
    readonly text: string | undefined;
    readonly preview: string;
  },
  maxCharacters: number,
): string {
  const { digest, bytes, text, preview } = value;
  const shown = cut(text ?? preview, Math.max(40, maxCharacters - 100));
  return JSON.stringify({ artifact: `art_${digest.slice(0, 16)}`, bytes, preview: shown });
}
