import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errorCode } from "../core/error-code.ts";

/**
 * Makes a folder, and those above it that are missing, with the same rights. Not `recursive`: where the parent cannot
 * hold folders (`/proc`), Node 24.21 then never comes back.
 *
 * @param mode Default 0o777, less what the process masks.
 * @returns whether it was missing.
 * @throws what the system says, with `ENOTDIR` where something else is in the way.
 */
export async function makeFolder(path: string, mode?: number): Promise<boolean> {
  const folder = resolve(path);
  if (await isFolder(folder)) return false;
  await makeFolder(dirname(folder), mode);
  try {
    await mkdir(folder, mode);
    return true;
  } catch (error) {
    if (!(await isFolder(folder))) throw error;
    return false; // another process made it just now
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is no folder`), { code: "ENOTDIR" });
}
