// Faults of the kernel, injected with strace: the n-th call of a kind kills the process, or fails with an error.
import { spawnSync } from "node:child_process";
import { storePath } from "./process-world.ts";

/** Why strace cannot be used here; `null` when it can. */
export function whyNoStrace(): string | null {
  const { error, status, stderr } = spawnSync(
    "strace",
    ["-f", "-o", "/dev/null", process.execPath, "--version"],
    { encoding: "utf8" },
  );
  if (error) return `there is no strace (${error.message})`;
  return status === 0 ? null : `strace may not trace here: ${stderr.trim()}`;
}

export interface Fault {
  readonly call: "fsync" | "pwrite64" | "pread64";
  readonly does: "SIGKILL" | "EIO" | "ENOSPC";
  /** The first call of the kind that is hit, from 1. */
  readonly at: number;
  /** How many in a row; infinitely many are all from then on. Default 1. */
  readonly times?: number;
}

/** The command that runs another with a fault. Errors hit the store's own files only: other disks are not its business. */
export function straceWith(
  { call, does, at, times = 1 }: Fault,
  folder: string,
  logPath: string,
): readonly string[] {
  const what = does === "SIGKILL" ? "signal=KILL" : `error=${does}`;
  const when =
    times === 1 ? `${at}` : times === Number.POSITIVE_INFINITY ? `${at}+` : `${at}..${at + times - 1}`;
  const where = does === "SIGKILL" ? [] : storeFiles(folder).flatMap((path) => ["-P", path]);
  return [
    "strace",
    "-f",
    "-y",
    "-o",
    logPath,
    ...where,
    "-e",
    `trace=${call}`,
    "-e",
    `inject=${call}:${what}:when=${when}`,
  ];
}

/** The command that records in which order a process writes, synchronises, and says so. */
export function straceWrites(logPath: string): readonly string[] {
  return ["strace", "-f", "-y", "-s", "100000", "-o", logPath, "-e", "trace=pwrite64,write,fsync,fdatasync"];
}

function storeFiles(folder: string): readonly string[] {
  return ["", "-wal", "-journal"].map((suffix) => `${storePath(folder)}${suffix}`);
}
