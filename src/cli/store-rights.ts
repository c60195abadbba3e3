// The store holds what agents were told and did, and whoever can write it can make tokens: it is its owner's alone.
import { statSync } from "node:fs";
import type { Context } from "./context.ts";
import { formatPath, shellWord } from "./format.ts";

/** Says so when others on this machine may read or write the store. What somebody allowed on purpose is left alone. */
export function warnOfWideRights({
  screen,
  settings: { storePath },
}: Pick<Context, "screen" | "settings">): void {
  const problem = wideRights(storePath);
  if (problem !== null) screen.warn(problem);
}

/** @returns `null` where there is no file, nothing to say, or no such rights (Windows). */
function wideRights(storePath: string): string | null {
  if (process.platform === "win32") return null;
  const mode = statSync(storePath, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & 0o077) === 0) return null;
  const may = (mode & 0o022) === 0 ? "read" : "change";
  const path = formatPath(storePath);
  return `others on this machine may ${may} ${path} (mode ${(mode & 0o777).toString(8)}), with all that it holds. If that is not meant: chmod 600 ${shellWord(path)}*`;
}
