// Runs the real command line as a child process, in a folder of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const root: string = fileURLToPath(new URL("../..", import.meta.url));
export const main: string = join(root, "src/cli/main.ts");

const fixtures = {
  "desk.ts": new URL("./fixtures/desk.ts", import.meta.url),
  "flows.ts": new URL("./fixtures/flows.ts", import.meta.url),
};

/** An agent's file among the fixtures, as an argument. */
export function fixture(name: keyof typeof fixtures): string {
  return fileURLToPath(fixtures[name]);
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Project {
  readonly folder: string;
  /** Runs a command to its end. */
  run(...args: readonly string[]): Promise<Ended>;
  /** The same with `--json`; the document, and the exit code. @throws when stdout is not one JSON document. */
  json(
    ...args: readonly string[]
  ): Promise<{ readonly code: number | null; readonly document: JsonDocument; readonly stderr: string }>;
  /** Starts a command and leaves it running. */
  start(args: readonly string[], options?: StartOptions): Running;
  write(name: string, text: string): string;
  exists(name: string): boolean;
}

interface StartOptions {
  /** What stdin holds; `null` leaves it open. Default: nothing. */
  readonly input?: string | Uint8Array | null;
  readonly env?: Readonly<Record<string, string>>;
  /** Who runs it. Default: who runs the tests. */
  readonly uid?: number | undefined;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stdout or stderr has come to hold this. */
  until(text: string): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes, and fail where they differ.
type JsonDocument = any;

/** A new folder that is removed after the test. */
export function newProject(): Project {
  const folder = mkdtempSync(join(tmpdir(), "holdpoint-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

  function start(args: readonly string[], options: StartOptions = {}): Running {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      env: { ...cleanEnvironment(), ...options.env },
      ...(options.uid === undefined ? {} : { uid: options.uid }),
    });
    const output = { stdout: "", stderr: "" };
    if (options.input !== null) child.stdin.end(options.input ?? "");
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        output[name] += text;
      });
    }
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code, signal) => resolve({ code, signal, ...output }));
    });
    return { child, ended, until: (text) => untilOutput(child, output, text) };
  }

  const run = (...args: readonly string[]): Promise<Ended> => start(args).ended;
  return {
    folder,
    start,
    run,
    async json(...args) {
      const { code, stdout, stderr } = await run(...args, "--json");
      return { code, document: JSON.parse(stdout), stderr };
    },
    exists: (name) => existsSync(join(folder, name)),
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
  };
}

function untilOutput(
  child: ChildProcess,
  output: { stdout: string; stderr: string },
  text: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (`${output.stdout}${output.stderr}`.includes(text)) resolve();
    };
    look();
    child.stdout?.on("data", look);
    child.stderr?.on("data", look);
    child.once("close", () =>
      reject(new Error(`it ended without "${text}":\n${output.stdout}${output.stderr}`)),
    );
  });
}

/** No keys, no colours, no settings of whoever runs the tests. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, SystemRoot } = process.env;
  return { PATH, HOME, TMPDIR, SystemRoot };
}
