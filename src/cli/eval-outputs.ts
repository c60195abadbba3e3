// The files that a run writes beside its folder. They are looked at before the first trial: nobody pays for what cannot be kept.
import { open, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { isHoldpointError, toErrorInfo } from "../core/errors.ts";
import { writeWhole } from "../eval/run-folder.ts";
import { makeFolder } from "../runtime/make-folder.ts";
import { formatPath } from "./format.ts";
import { type Screen, usageError } from "./screen.ts";

/** As typed. */
interface Outputs {
  readonly record?: string | undefined;
  readonly junit?: string | undefined;
  readonly html?: string | undefined;
}

interface Named {
  /** The option, or what the file is to the run. */
  readonly name: string;
  readonly path: string;
}

/**
 * Makes the folders that are missing.
 *
 * @param inputs - what the run reads, by what it is; `undefined` where it does not.
 * @throws `usage` for a file that cannot be written, or that is one of the others.
 */
export async function checkOutputs(
  { record, junit, html }: Outputs,
  inputs: { readonly [name: string]: string | undefined },
): Promise<void> {
  const outputs = named({ "--record": record, "--junit": junit, "--html": html });
  for (const output of outputs) await assertTakesFile(output);
  const places = new Map<string, string>();
  for (const { name, path } of [...named(inputs), ...outputs]) {
    const place = await placeOf(path);
    const other = places.get(place);
    if (other !== undefined && outputs.some((output) => output.name === name))
      throw usageError(
        `${name} would overwrite ${other}: both are ${formatPath(path)}`,
        "Name another file for one of them.",
      );
    places.set(place, name);
  }
}

function named(paths: { readonly [name: string]: string | undefined }): readonly Named[] {
  return Object.entries(paths).flatMap(([name, path]) =>
    path === undefined ? [] : [{ name, path: resolve(path) }],
  );
}

async function assertTakesFile({ name, path }: Named): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found && !found.isFile())
    throw usageError(
      `${name} ${formatPath(path)} is ${found.isDirectory() ? "a folder" : "no regular file"}`,
      "Name a file that is to be made, or replaced.",
    );
  const beside = `${path}.${name === "--record" ? "tmp" : "new"}`; // by which it is written
  try {
    await makeFolder(dirname(path));
    await rm(beside, { force: true });
    await (await open(beside, "wx")).close();
    await rm(beside);
  } catch (error) {
    const { message } = toErrorInfo(error, "usage");
    throw usageError(
      `${name} ${formatPath(path)} cannot be written: ${message}`,
      "Name a file in a folder that you can write to.",
    );
  }
}

/** The same for a folder that is reached in two ways. */
async function placeOf(path: string): Promise<string> {
  const folder = await realpath(dirname(path)).catch(() => dirname(path)); // one that is not there is nobody's output
  return join(folder, basename(path));
}

/**
 * What cannot be written takes nothing else with it: the trials are paid.
 *
 * @param wayOn - how the run goes on. @returns the paths of those.
 */
export async function writeReports(
  { warn }: Screen,
  wayOn: string,
  reports: readonly (readonly [path: string | undefined, text: () => string])[],
): Promise<readonly string[]> {
  const notWritten: string[] = [];
  for (const [given, text] of reports) {
    if (given === undefined) continue;
    const path = resolve(given);
    try {
      await writeWhole(path, text());
    } catch (error) {
      if (!isHoldpointError(error, "store_unavailable")) throw error;
      warn(`${error.message}; the run is kept, and writes it again with ${wayOn}`);
      notWritten.push(path);
    }
  }
  return notWritten;
}
