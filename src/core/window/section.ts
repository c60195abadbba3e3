// Sections are what an agent's owner puts into every window beside the thread's history: pure functions of the thread.
import { HoldpointError } from "../errors.ts";
import type { Count } from "./parts.ts";
import { cut, salientText } from "./salient.ts";
import type { ThreadView } from "./thread-view.ts";

/** Makes a text smaller: about `maxTokens` at most. What it returns may still be too large; then the next one is asked. */
export type Shrinker = (text: string, limit: { readonly maxTokens: number; readonly count: Count }) => string;

export interface Section {
  /** Letters, digits, blanks, `_` and `-`; at most 64. The model reads it as the section's title. */
  readonly name: string;
  /** `start`: before the history, where it had better not change. `end` (the default): after it. */
  readonly place?: "start" | "end";
  /** A pinned section is shown whole, or the window fails. Default false. */
  readonly pin?: boolean;
  /** When room is short, sections of low priority are left out first. Default 0. */
  readonly priority?: number;
  /** Most that it may take. Default: a quarter of the window's budget. */
  readonly maxTokens?: number;
  /** Asked in order until it fits; what still does not is cut at its end. Default: `[cutMiddle]`. */
  readonly shrink?: readonly Shrinker[];
  /** Text, or a value that is shown as JSON; `null` or nothing leaves the section out. What it is given is frozen. */
  readonly render: (thread: ThreadView) => unknown;
}

export interface RenderedSection {
  readonly section: Section;
  readonly text: string;
  readonly isWhole: boolean;
}

/** @throws `window_failed` when the section throws, or gives what is neither text nor JSON. */
export function renderSection(
  section: Section,
  thread: ThreadView,
  limits: { readonly budget: number; readonly count: Count },
  redact: (text: string) => string,
): RenderedSection | null {
  const whole = redact(sectionText(section, thread));
  if (whole === "") return null;
  if (section.pin) return { section, text: whole, isWhole: true };
  const { count } = limits;
  const maxTokens = section.maxTokens ?? Math.floor(limits.budget / 4);
  const text = shrunk(section, whole, { maxTokens, count }, redact);
  return text === "" ? null : { section, text, isWhole: text === whole };
}

function sectionText(section: Section, thread: ThreadView): string {
  try {
    const value = section.render(thread);
    if (value === null || value === undefined) return "";
    if (value instanceof Promise) {
      value.catch(() => {}); // nobody waits for it, and its failure must not end the process
      throw new Error("it returns a promise; a section is made of what is at hand");
    }
    return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  } catch (cause) {
    throw failed(section, "render", cause);
  }
}

function shrunk(
  section: Section,
  whole: string,
  limit: { readonly maxTokens: number; readonly count: Count },
  redact: (text: string) => string,
): string {
  let text = whole;
  for (const shrink of section.shrink ?? [cutMiddle]) {
    if (limit.count(text) <= limit.maxTokens) return text;
    try {
      text = redact(String(shrink(text, limit))); // it may have words of its own
    } catch (cause) {
      throw failed(section, "shrink", cause);
    }
  }
  return cutEnd(text, limit);
}

function failed(section: Section, member: string, cause: unknown): HoldpointError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new HoldpointError(
    "window_failed",
    `${member} of the window's section "${section.name}" threw: ${message}`,
    {
      fix: "Sections are pure functions of the thread: mend it, then fork the thread before this decision.",
      cause,
    },
  );
}

/** Keeps the beginning. */
export const cutEnd: Shrinker = (text, limit) => fitting(text, limit, (size) => `${cut(text, size)}…`);

/** Keeps beginning and end. */
export const cutMiddle: Shrinker = (text, limit) =>
  fitting(text, limit, (size) => {
    const head = cut(text, Math.ceil(size / 2));
    const tail = text.slice(text.length - Math.floor(size / 2)).replace(/^[\uDC00-\uDFFF]/, "");
    return `${head} … ${tail}`;
  });

/** Keeps the newest lines. */
export const keepLastLines: Shrinker = (text, limit) => {
  const lines = text.split("\n");
  return fitting(text, limit, (size) => {
    const kept: string[] = [];
    let room = size;
    for (const line of lines.toReversed()) {
      room -= line.length + 1;
      if (room < 0) break;
      kept.unshift(line);
    }
    return ["…", ...kept].join("\n");
  });
};

/** Keeps the sentences that hold numbers, names, dates and statements. */
export const keepSalient: Shrinker = (text, limit) => fitting(text, limit, (size) => salientText(text, size));

/** The largest of a size in characters that fits; found by halving, since counters need not be even. */
function fitting(
  text: string,
  { maxTokens, count }: { readonly maxTokens: number; readonly count: Count },
  make: (characters: number) => string,
): string {
  if (count(text) <= maxTokens) return text;
  let low = 0;
  let high = text.length;
  while (high - low > Math.max(1, high >> 6)) {
    const middle = (low + high) >> 1;
    if (count(make(middle)) <= maxTokens) low = middle;
    else high = middle;
  }
  return low === 0 ? "" : make(low);
}
