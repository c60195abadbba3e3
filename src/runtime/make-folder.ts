import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder, and those above it that are missing, with the same rights. Not `recursive`: where the parent cannot
 * hold folders (`/proc`), Node 24.21 then never comes back.
 *
 * @param mode - default 0o777, less what the process masks.
 * @throws what the system says, with `ENOTDIR` where something else is in the way.
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const folder = resolve(path);
  if (await isFolder(folder)) return;
  await makeFolder(dirname(folder), mode);
  try {
    await mkdir(folder, mode);
  } catch (error) {
    if (!(await isFolder(folder))) throw error; // else another process made it just now
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is no folder`), { code: "ENOTDIR" });
}
