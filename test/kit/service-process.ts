// `holdpoint serve` as a process of its own, over real HTTP, in a folder that outlives it.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { createToken } from "../../src/server/tokens.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import type { ChildEnd } from "./process-child.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const agentFile = fileURLToPath(new URL("./service-agent.ts", import.meta.url));

export interface ServiceProcess {
  readonly url: string;
  readonly ended: Promise<ChildEnd>;
  kill(signal: NodeJS.Signals): void;
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into documents of many shapes, and fail where they differ.
  readonly body: any;
}

export const servicePath = (folder: string): string => join(folder, "holdpoint.db");

/** Starts it on the folder's store, with the folder's config if there is one; resolves when it listens. */
export async function startService(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const args = ["serve", "--store", servicePath(folder), "--agent", agentFile, "--port", "0"];
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH, HOME, TMPDIR, NODE_COMPILE_CACHE: join(tmpdir(), "holdpoint-test-compiled"), ...env },
  });
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { url: await whereFrom(child), ended, kill: (signal) => void child.kill(signal) };
}

function whereFrom(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      if (said.length < 10_000) said += text; // what follows is the access log
      const [, url] = /listening on (\S+) /.exec(said) ?? [];
      if (url !== undefined) resolve(url);
    });
    child.once("close", () => reject(new Error(`the service ended before it listened:\n${said}`)));
  });
}

/** Makes the store, with a token for each of so many principals. */
export async function makeTokens(folder: string, principals: readonly string[]): Promise<readonly string[]> {
  const store = await openSqliteStore({ path: servicePath(folder) });
  const texts: string[] = [];
  for (const principal of principals) {
    const scopes = ["read", "run", "decide"] as const;
    texts.push((await createToken(store.tokens, { principal, scopes, by: "test", now: Date.now() })).text);
  }
  await store.close();
  return texts;
}

/** A POST with a body, or a GET. @throws when the service is gone. */
export async function call(
  url: string,
  token: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

/** The idempotency keys of what was paid, in order. */
export function readPaid(folder: string): readonly string[] {
  const path = join(folder, "ledger.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line).idempotencyKey as string); // our own agent wrote it
}
