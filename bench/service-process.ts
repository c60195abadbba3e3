import { type ChildProcess, spawn } from "node:child_process";
import { openSync } from "node:fs";
import { join } from "node:path";
import { createToken } from "../src/server/tokens.ts";
import { openSqliteStore } from "../src/stores/sqlite/store.ts";
import type { ServiceSample } from "./service-load.ts";

export interface ServiceProcess {
  readonly url: string;
  /** `collect`: after a collection, which stops the service for a tenth of a second. */
  sample(kind?: "sample" | "collect"): Promise<ServiceSample>;
  stop(): Promise<void>;
}

/** `holdpoint serve` as it is, with its access log in a file. `nodeArgs` are for profiles. */
export async function startService(
  folder: string,
  storePath: string,
  nodeArgs: readonly string[],
): Promise<ServiceProcess> {
  const main = join(import.meta.dirname, "../src/cli/main.ts");
  const agents = join(import.meta.dirname, "service-agents.ts");
  const log = join(folder, "access.log");
  const args = [main, "serve", "--store", storePath, "--agent", agents, "--port", "0"];
  const child = start([...nodeArgs, ...args], folder, ["ignore", "ignore", openSync(log, "w"), "ipc"]);
  const url = await whereFrom(log, child);
  return {
    url,
    sample: (kind = "sample") =>
      new Promise((resolve) => {
        child.once("message", (sample) => resolve(sample as ServiceSample)); // `service-agents.ts` sends nothing else
        child.send(kind);
      }),
    stop: () => stop(child),
  };
}

export async function startFloor(folder: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const log = join(folder, "floor.log");
  const args = [join(import.meta.dirname, "service-floor.ts"), join(folder, "service-floor.db")];
  const child = start(args, folder, ["ignore", "ignore", openSync(log, "w")]);
  return { url: await whereFrom(log, child), stop: () => stop(child) };
}

function start(args: readonly string[], cwd: string, stdio: readonly (string | number)[]): ChildProcess {
  const given = ["--disable-warning=ExperimentalWarning", ...args];
  const child = spawn(process.execPath, given, { cwd, stdio: stdio as ("ignore" | "ipc" | number)[] });
  process.once("exit", () => child.kill("SIGKILL")); // also when the load fails
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  await ended;
}

async function whereFrom(log: string, child: ChildProcess): Promise<string> {
  const { readFileSync } = await import("node:fs");
  const { setTimeout: sleep } = await import("node:timers/promises");
  for (;;) {
    const text = readFileSync(log, "utf8");
    const [, url] = /listening on (\S+)/.exec(text) ?? [];
    if (url !== undefined) return url;
    if (child.exitCode !== null) throw new Error(`it ended before it listened:\n${text}`);
    await sleep(20);
  }
}

/** Tokens of as many people, who may do everything that the load does. */
export async function makeTokens(storePath: string, count: number): Promise<readonly string[]> {
  const store = await openSqliteStore({ path: storePath });
  const texts: string[] = [];
  for (let index = 0; index < count; index++) {
    const { text } = await createToken(store.tokens, {
      principal: `approver-${index}@example.com`,
      scopes: ["read", "run", "decide"],
      by: "bench",
      now: Date.now(),
    });
    texts.push(text);
  }
  await store.close();
  return texts;
}
