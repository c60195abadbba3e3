// `agents.json`, beside the store's file: where the code of its agents lies, as `run` last saw it. It is a convenience:
// nothing is lost with it, and `--agent` or a config say the same.
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { z } from "zod";

const schema = z.object({ v: z.literal(1), agents: z.record(z.string(), z.string()) });

function memoryPath(storePath: string): string {
  return join(dirname(storePath), "agents.json");
}

/** Files by the agent's name; empty when there is nothing to read, or nothing that can be read. */
export async function recallAgents(storePath: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { agents } = schema.parse(JSON.parse(await readFile(memoryPath(storePath), "utf8")));
    return new Map(Object.entries(agents).map(([name, path]) => [name, resolve(dirname(storePath), path)]));
  } catch {
    return new Map();
  }
}

/** Adds agents and their files. Two that write at once may each lose the other's: it is written again by the next run. */
export async function rememberAgents(storePath: string, files: ReadonlyMap<string, string>): Promise<void> {
  const before = await recallAgents(storePath);
  if ([...files].every(([name, path]) => before.get(name) === path)) return;
  const folder = dirname(storePath);
  const all = [...new Map([...before, ...files])].map(
    ([name, path]) => [name, relative(folder, path)] as const,
  );
  const text = `${JSON.stringify({ v: 1, agents: Object.fromEntries(all.sort()) }, null, 2)}\n`;
  await replaceFile(memoryPath(storePath), text);
}

/** A reader sees the old text or the new one, never half of either. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o644 });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
