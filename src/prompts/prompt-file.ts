import { readFileSync, statSync } from "node:fs";
import { basename, isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { HoldpointError, toErrorInfo } from "../core/errors.ts";
import type { PromptTemplate } from "../core/prompt/prompt.ts";
import { longestPrompt, parsePrompt } from "./parse-prompt.ts";

/**
 * Reads a prompt file, once, when the agent is defined:
 * `prompt: promptFile(new URL("./support-desk.prompt.md", import.meta.url))`.
 *
 * @param path a `file:` URL, or an absolute path. A relative path is refused: it would depend on where the process was
 *   started.
 * @throws `prompt_invalid` for a file that cannot be read, is not UTF-8, or is malformed, naming the line.
 */
export function promptFile(path: string | URL): PromptTemplate {
  const file = absolute(path);
  const prompt = parsePrompt(decode(file, read(file)), basename(file));
  paths.set(prompt, file);
  return prompt;
}

/** A prompt is plain data and knows its name only: the same file has the same version wherever it lies. */
const paths = new WeakMap<PromptTemplate, string>();

/** The file that a prompt was read from; `undefined` for one that was made of text. */
export function promptPath(prompt: PromptTemplate): string | undefined {
  return paths.get(prompt);
}

function absolute(path: string | URL): string {
  if (typeof path !== "string" && !(path instanceof URL))
    throw new HoldpointError("prompt_invalid", "promptFile() was given neither a path nor a URL", {
      fix: 'Write promptFile(new URL("./my.prompt.md", import.meta.url)).',
    });
  const isUrl = path instanceof URL || path.startsWith("file:");
  if (isUrl) {
    try {
      return fileURLToPath(path);
    } catch (cause) {
      throw unreadable(
        String(path),
        toErrorInfo(cause, "prompt_invalid").message,
        "Name a file: URL of this machine.",
        cause,
      );
    }
  }
  if (isAbsolute(path)) return path;
  const advice = `Write promptFile(new URL(${JSON.stringify(path)}, import.meta.url)): relative to the file that says so.`;
  throw unreadable(path, "a relative path depends on where the process was started", advice);
}

function read(file: string): Uint8Array {
  let bytes: Uint8Array | null = null;
  try {
    const { size } = statSync(file);
    if (size <= longestPrompt * 4) bytes = readFileSync(file);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const what = code === "ENOENT" ? "there is no such file" : toErrorInfo(cause, "prompt_invalid").message;
    throw unreadable(file, what, "Check the path.", cause);
  }
  if (bytes) return bytes;
  throw unreadable(file, `it is longer than ${longestPrompt} characters`, "Show what is large with `see`.");
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(file, "it is not UTF-8", "Save it as UTF-8.", cause);
  }
}

function unreadable(file: string, what: string, fix: string, cause?: unknown): HoldpointError {
  return new HoldpointError("prompt_invalid", `the prompt ${file} cannot be read: ${what}`, { fix, cause });
}
