import { readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { errorCode } from "../../core/error-code.ts";
import { HoldpointError } from "../../core/errors.ts";
import { makeFolder } from "../../runtime/make-folder.ts";
import type { AddCommand } from "../command-line.ts";
import { formatPath, shellWord } from "../format.ts";
import { ownFolder, ownVersion } from "../own-package.ts";
import { type CommandResult, type Screen, usageError } from "../screen.ts";

/** Files of a new project, by the names of their templates. Those end in .txt: nothing may take them for code. */
const files: readonly (readonly [name: string, template: string])[] = [
  ["package.json", "package.json.txt"],
  ["agent.ts", "agent.ts.txt"],
  ["shop-helper.prompt.md", "shop-helper.prompt.md.txt"],
  ["stand-in-model.ts", "stand-in-model.ts.txt"],
  ["holdpoint.config.json", "holdpoint.config.json.txt"],
  ["tsconfig.json", "tsconfig.json.txt"],
  [".gitignore", "gitignore.txt"],
  ["README.md", "README.md.txt"],
];

export const addInit: AddCommand = (program, run) => {
  program
    .command("init")
    .description("make a new project that runs offline")
    .argument("[folder]", "an empty folder, or one to be made (default: the current one)")
    .action(run((context, [folder = "."]) => init(context.screen, folder)));
};

async function init(screen: Screen, folder: string): Promise<CommandResult> {
  const path = resolve(folder);
  const isNew = await makeEmptyFolder(path, folder);
  const values = { name: packageName(path), version: ownVersion() };
  const written: string[] = [];
  try {
    for (const [name, template] of files) {
      const text = await filled(template, values);
      written.push(join(path, name));
      await writeFile(join(path, name), text, { flag: "wx" });
    }
  } catch (error) {
    if (errorCode(error) === "EEXIST") written.pop(); // somebody else's
    for (const file of written) await rm(file, { force: true });
    if (isNew) await rmdir(path).catch(() => undefined); // not when others put something there
    throw unwritable(error, folder);
  }
  const next = nextCommands(folder, relative(ownFolder(), path), import.meta.url.endsWith(".ts"));
  return {
    document: { folder: path, files: files.map(([name]) => name), next },
    lines: [
      `A new project is in ${formatPath(path)}. Next:`,
      ...next.map((command) => `  ${screen.paint("cyan", command)}`),
      ...(next.includes("npm install") ? [fromClone(values.version)] : []),
    ],
  };
}

/**
 * In a clone of Holdpoint, where the sources run, there is nothing to install, and `npm run` starts in the clone's folder.
 *
 * @param inOwn The project's path from Holdpoint's own folder.
 */
export function nextCommands(folder: string, inOwn: string, isSource: boolean): readonly string[] {
  const isInside = !inOwn.startsWith("..") && !isAbsolute(inOwn);
  if (isSource && isInside)
    return [
      `npm run holdpoint -- run ${shellWord(join(inOwn, "agent.ts"))} "My order A7 arrived broken, I want a refund."`,
    ];
  return [...(folder === "." ? [] : [`cd ${shellWord(folder)}`]), "npm install", "npm start"];
}

/** `npm install` alone asks the registry for this version, which has what is published only. */
function fromClone(version: string): string {
  return `Have you Holdpoint from a clone? Then \`npm run build && npm pack\` there, and here, in the place of \`npm install\`: npm install <clone>/holdpoint-${version}.tgz`;
}

/** A repository without files is as good as empty. @returns whether it was made. @throws `usage` for a folder with files, or one that cannot be made. */
async function makeEmptyFolder(path: string, given: string): Promise<boolean> {
  let names: readonly string[];
  let isNew: boolean;
  try {
    isNew = await makeFolder(path);
    names = await readdir(path);
  } catch (error) {
    if (isFull(error)) throw unwritable(error, given);
    throw usageError(`${given} cannot be made or read as a folder: ${String(error)}`, "Name another folder.");
  }
  const found = names.filter((name) => name !== ".git");
  if (found.length === 0) return isNew;
  throw usageError(
    `${given === "." ? "this folder" : given} is not empty: it has ${found.slice(0, 3).join(", ")}`,
    "Name an empty or a new folder: holdpoint init <folder>.",
  );
}

function unwritable(error: unknown, given: string): unknown {
  if (isFull(error))
    return new HoldpointError("store_full", `no space left for ${given}`, {
      fix: "Free some disk space, or name a folder on another disk; nothing was left behind.",
      retryable: true,
      cause: error,
    });
  const code = errorCode(error);
  if (code !== "EACCES" && code !== "EPERM" && code !== "EROFS") return error;
  return usageError(`this user cannot write in ${given}`, "Name a folder that this user may write in.");
}

function isFull(error: unknown): boolean {
  return errorCode(error) === "ENOSPC" || errorCode(error) === "EDQUOT";
}

async function filled(
  template: string,
  values: { readonly name: string; readonly version: string },
): Promise<string> {
  const text = await readFile(new URL(`../init-template/${template}`, import.meta.url), "utf8");
  return text.replaceAll("{{name}}", values.name).replaceAll("{{version}}", values.version);
}

/** A name that npm takes. */
function packageName(path: string): string {
  const name = basename(path)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return name === "" ? "my-agent" : name.slice(0, 100);
}
