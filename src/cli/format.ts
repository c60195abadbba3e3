// Texts for people. Whatever comes out of a log was written by others: it goes through `visible` before it is shown.
import { relative, sep } from "node:path";
import type { Stored } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import { visible } from "../core/visible.ts";

/** `12 ms`, `3.2 s`, `4 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return twoUnits(ms, 60_000, "min", 1_000, "s");
  if (ms < 86_400_000) return twoUnits(ms, 3_600_000, "h", 60_000, "min");
  return twoUnits(ms, 86_400_000, "d", 3_600_000, "h");
}

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${largeName}${rest === 0 ? "" : ` ${rest} ${smallName}`}`;
}

/** `1,204`: the same on every machine. */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}

/** `1 event`, `2 events`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `2026-11-23 09:12:03`, of an ISO time; all times are shown in UTC. */
export function formatTime(at: string): string {
  return at.slice(0, 19).replace("T", " ");
}

/** `in 23 h`, `4 min ago`, `just now`. */
export function formatDistance(at: string, now: number): string {
  const ms = Date.parse(at) - now;
  if (ms <= 0 && ms > -1_000) return "just now";
  return ms >= 0 ? `in ${formatDuration(ms)}` : `${formatDuration(-ms)} ago`;
}

/** One line of at most `length` characters, with nothing in it that a terminal would obey. */
export function line(text: string, length: number): string {
  const shown = visible(text.replaceAll("\n", "⏎ ").replaceAll("\t", " "));
  return shown.length <= length ? shown : `${shown.slice(0, length - 1)}…`;
}

/** A JSON value on one line. */
export function formatJson(value: Json | undefined, length: number): string {
  return value === undefined ? "nothing" : line(JSON.stringify(value), length);
}

/** A value of the log, or the beginning of one that is kept as an artifact. */
export function formatStored(stored: Stored, length: number): string {
  if (!stored.artifact) return formatJson(stored.value, length);
  return `${line(stored.artifact.preview, length)} (${formatCount(stored.artifact.bytes)} bytes)`;
}

/** A path as a person here would write it. */
export function formatPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === "" || near.startsWith("..") ? path : `.${sep}${near}`;
}

/** Single-quoted for a POSIX shell, when it needs to be. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=,#-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
