// A real process under test, and what it reports. It is started directly, never through npm or a shell, so that a signal
// hits the process itself.
import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { Command, ProcessOptions } from "./process-main.ts";
import type { Report } from "./process-report.ts";

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** So far, in order. Complete once `ended` has resolved. */
  readonly reports: readonly Report[];
  readonly ended: Promise<ChildEnd>;
  /** Waits for the first report, of those from `since` on, that `pick` makes something of. */
  until<T>(what: string, pick: (report: Report) => T | undefined, options?: UntilOptions): Promise<T>;
  ready(): Promise<void>;
  /** Gives it a command and waits for what became of it. */
  command(command: CommandWithoutId): Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  /** What it wrote to stderr. */
  stderr(): string;
  /** That, and its last reports: for messages of tests. */
  lastWords(): string;
}

interface UntilOptions {
  readonly since?: number;
  readonly timeoutMs?: number;
}

type CommandWithoutId = Command extends infer Each
  ? Each extends Command
    ? Omit<Each, "id">
    : never
  : never;

const main = fileURLToPath(new URL("./process-main.ts", import.meta.url));

/** Starts `process-main.ts`, under a tracer when one is given. It is killed when the test ends. */
export function startChild(options: ProcessOptions, tracer: readonly string[] = []): Child {
  const [command = "", ...args] = [
    ...tracer,
    process.execPath,
    "--disable-warning=ExperimentalWarning",
    main,
    JSON.stringify(options),
  ];
  const child = spawn(command, args, { stdio: ["pipe", "ignore", "pipe", "pipe"], env: cleanEnvironment() });
  const reports: Report[] = [];
  const watchers = new Set<() => void>();
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin?.on("error", () => {}); // it may be gone before it read a command
  createInterface({ input: child.stdio[3] as Readable }).on("line", (line) => {
    const report = parseReport(line);
    if (report) reports.push(report);
    for (const look of watchers) look();
  });
  const ended = endOf(child);
  let commands = 0;

  async function until<T>(
    what: string,
    pick: (report: Report) => T | undefined,
    { since = 0, timeoutMs = 60_000 }: UntilOptions = {},
  ): Promise<T> {
    const found = Promise.withResolvers<T>();
    let next = since;
    const look = (): void => {
      for (; next < reports.length; next++) {
        const picked = pick(reports[next] as Report);
        if (picked !== undefined) return found.resolve(picked);
      }
    };
    const fail = (why: string): void =>
      found.reject(new Error(`process ${child.pid} ${why} without: ${what}\n${stderr}\n${tail(reports)}`));
    const timer = setTimeout(() => fail(`went on for ${timeoutMs} ms`), timeoutMs);
    void ended.then(({ code, signal }) => fail(`ended (${signal ?? code})`));
    watchers.add(look);
    look();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      watchers.delete(look);
    }
  }

  function kill(signal: NodeJS.Signals): void {
    const traced = tracer.length > 0 ? reports.find((report) => report.kind === "ready")?.pid : undefined;
    if (traced !== undefined && child.exitCode === null && child.signalCode === null) send(traced, signal);
    else child.kill(signal);
  }

  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    kill("SIGKILL");
    await ended;
  });

  return {
    pid: child.pid ?? 0,
    reports,
    ended,
    until,
    ready: () => until("ready", (report) => (report.kind === "ready" ? true : undefined)).then(() => {}),
    async command(command) {
      const id = ++commands;
      child.stdin?.write(`${JSON.stringify({ ...command, id })}\n`);
      const { value } = await until(`the result of ${command.do}`, (report) =>
        report.kind === "result" && report.id === id ? report : undefined,
      );
      return value;
    },
    kill,
    lastWords: () => `${stderr}\n${tail(reports)}`,
    stderr: () => stderr,
  };
}

/** The last line of a killed process may be cut off: then it was never said. */
function parseReport(line: string): Report | null {
  try {
    return JSON.parse(line) as Report; // our own child wrote it
  } catch {
    return null;
  }
}

function endOf(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
}

/** The process may have ended by itself: then there is nobody to tell. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function tail(reports: readonly Report[]): string {
  return reports
    .slice(-5)
    .map((report) => JSON.stringify(report).slice(0, 300))
    .join("\n");
}

/** No keys, no settings of whoever runs the tests. Code that is compiled already halves the time of a start. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE: join(tmpdir(), "holdpoint-test-compiled") };
}
