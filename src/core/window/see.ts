import { HoldpointError } from "../errors.ts";
import type { Json } from "../json.ts";
import { previewOf } from "../preview.ts";
import type { Count } from "./parts.ts";

export interface SeenText {
  /** JSON of what code wants seen. */
  readonly text: string;
  readonly isWhole: boolean;
}

/** Previews below this many characters say nothing. */
const leastPreview = 60;

/**
 * What code wants seen at a decision, as JSON of `maxTokens` at most: the largest members are shown by their previews,
 * smaller and smaller, until it fits; many small ones stay. Without `maxTokens` it is shown whole, and the window fails
 * where that is too much.
 *
 * @throws `usage` for a `maxTokens` that is no positive whole number.
 */
export function seenText(
  see: { readonly [name: string]: Json },
  maxTokens: number | undefined,
  count: Count,
): SeenText {
  if (maxTokens === undefined) return { text: JSON.stringify(see), isWhole: true };
  if (!Number.isInteger(maxTokens) || maxTokens <= 0)
    throw new HoldpointError(
      "usage",
      `t.decide() was given seeTokens ${maxTokens}, which is no positive whole number`,
    );
  const members = Object.entries(see).map(([name, value]) => ({
    name,
    value,
    length: JSON.stringify(value).length,
  }));
  let most = members.reduce((longest, { length }) => Math.max(longest, length), 0);
  let text = JSON.stringify(see);
  let isWhole = true;
  while (count(text) > maxTokens && most > leastPreview) {
    const room = Math.max(leastPreview, Math.floor(most * 0.7));
    const shown = members.map(({ name, value, length }) => [
      name,
      length <= room ? value : previewOf(value, room),
    ]);
    text = JSON.stringify(Object.fromEntries(shown));
    isWhole = false;
    most = room;
  }
  return { text, isWhole };
}
