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
 * smaller and smaller, until it fits. Without `maxTokens` it is shown whole, and the window fails where that is too much.
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
  const shown = new Map(Object.entries(see));
  let isWhole = true;
  while (count(textOf(shown)) > maxTokens) {
    const [name, size] = largest(shown);
    const original = see[name];
    if (size <= leastPreview || original === undefined) break; // many small members: as they are
    shown.set(name, previewOf(original, Math.max(leastPreview, Math.floor(size * 0.7))));
    isWhole = false;
  }
  return { text: textOf(shown), isWhole };
}

function textOf(members: ReadonlyMap<string, Json>): string {
  return JSON.stringify(Object.fromEntries(members));
}

function largest(members: ReadonlyMap<string, Json>): readonly [name: string, characters: number] {
  let found: readonly [string, number] = ["", 0];
  for (const [name, value] of members) {
    const size = JSON.stringify(value).length;
    if (size > found[1]) found = [name, size];
  }
  return found;
}
