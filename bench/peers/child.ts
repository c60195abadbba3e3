// Starts a peer's process and hears from it. A process that hangs is killed at its time limit and says so by an error.
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

const runner = join(import.meta.dirname, "runner.ts");
/** Compiled code is kept between processes, as an application in production would. */
const compiled = join(import.meta.dirname, "../.data-peers-compiled");

export interface Child<Value> {
  readonly process: ChildProcess;
  /** What it told when it began its part; its outcome of what came before. */
  readonly started: Promise<unknown>;
  readonly result: Promise<Value>;
}

export interface ChildOptions {
  readonly limitMs?: number;
}

/** @throws (by `result`) when it ends without one: its last words, or that its time was up. */
export function startChild<Value>(
  peer: string,
  role: string,
  given: object,
  { limitMs = 60_000 }: ChildOptions = {},
): Child<Value> {
  const child = fork(runner, [peer, role, JSON.stringify(given)], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: compiled,
      OPENAI_AGENTS_DISABLE_TRACING: "1",
      MASTRA_TELEMETRY_DISABLED: "1",
    },
  });
  let words = "";
  child.stderr?.on("data", (chunk) => {
    words = (words + String(chunk)).slice(-4_000);
  });
  const started = Promise.withResolvers<unknown>();
  const result = Promise.withResolvers<Value>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, limitMs);
  child.on("message", (message: { kind: string; value?: Value; recovered?: unknown }) => {
    if (message.kind === "started") started.resolve(message.recovered);
    if (message.kind === "result") result.resolve(message.value as Value); // the role's own result
  });
  child.on("exit", (code, signal) => {
    clearTimeout(timer);
    const why = isLate
      ? `no end in ${limitMs / 1_000} s`
      : `ended with ${code ?? signal}: ${lastError(words)}`;
    started.reject(new Error(why));
    result.reject(new Error(why));
  });
  started.promise.catch(() => {}); // of interest to those who wait for it
  result.promise.catch(() => {});
  return { process: child, started: started.promise, result: result.promise };
}

function lastError(words: string): string {
  const lines = words.split("\n").filter((line) => /error/i.test(line));
  return (lines[0] ?? words.trim().split("\n").at(-1) ?? "").slice(0, 200);
}
