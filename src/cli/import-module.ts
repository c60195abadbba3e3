import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { errorCode } from "../core/error-code.ts";
import { HoldpointError, isHoldpointError, toErrorInfo } from "../core/errors.ts";
import { formatPath } from "./format.ts";

/**
 * Imports a user's file: JavaScript, or TypeScript whose types Node strips.
 *
 * @throws `agent_not_found` when there is no such file; `agent_invalid` saying what is wrong in it and what to write.
 */
export async function importModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  if (!existsSync(path)) {
    throw new HoldpointError("agent_not_found", `there is no file ${formatPath(path)}`, {
      fix: "Check the path; it is relative to the current folder.",
    });
  }
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    throw explain(path, error);
  }
}

function explain(path: string, error: unknown): HoldpointError {
  const { what, fix } = explanation(error);
  const place = placeOf(path, error) ?? formatPath(path);
  const code = isHoldpointError(error, "tool_invalid", "agent_invalid", "prompt_invalid", "suite_invalid")
    ? error.code
    : "agent_invalid";
  return new HoldpointError(code, `${place}: ${what}`, { fix, cause: error });
}

interface Explanation {
  readonly what: string;
  readonly fix: string;
}

function explanation(error: unknown): Explanation {
  const message = error instanceof SyntaxError ? error.message : toErrorInfo(error, "internal").message;
  switch (errorCode(error)) {
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return {
        what: `${message}: Node runs the file by removing its types, and this is more than a type`,
        fix: replacementFor(message),
      };
    case "ERR_INVALID_TYPESCRIPT_SYNTAX":
      return {
        what: `the TypeScript is not valid: ${message}`,
        fix: "Correct it there; `tsc --noEmit` shows all such places.",
      };
    case "ERR_MODULE_NOT_FOUND":
    case "MODULE_NOT_FOUND":
      return {
        what: message,
        fix: "Install the package, or write the import with the file's real ending: `./tools.ts`, not `./tools` or `./tools.js`.",
      };
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return { what: message, fix: "Use .ts, .mts, .js or .mjs. JSX is not stripped." };
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return {
        what: "TypeScript inside node_modules is not stripped",
        fix: "Name a file outside node_modules, or build that package.",
      };
    default:
      return thrownBy(error, message);
  }
}

function thrownBy(error: unknown, message: string): Explanation {
  if (isHoldpointError(error)) return { what: message, fix: error.fix ?? "Correct it in that file." };
  if (!(error instanceof SyntaxError))
    return {
      what: `the file throws while it is imported: ${message}`,
      fix: "Correct it there, or run what may fail inside a step or a tool.",
    };
  return {
    what: message,
    fix: "Correct it there. A type must be imported with `import type`, and decorators are not JavaScript yet.",
  };
}

/** What to write instead, by the words with which Node names the construct. Only the advice depends on them. */
const replacements: readonly (readonly [construct: RegExp, advice: string])[] = [
  [/\benum\b/, 'Instead of `enum Color { Red }` write `const Color = { Red: "red" } as const`.'],
  [/\bnamespace\b|\bmodule\b/, "Instead of a namespace export the values from a file of their own."],
  [
    /parameter propert/,
    "Instead of `constructor(private x: X) {}` declare the field and assign it in the constructor.",
  ],
  [/import equals/, 'Instead of `import x = require("x")` write `import x from "x"`.'],
  [/export assignment|export equals/i, "Instead of `export = x` write `export default x`."],
  [/angle-bracket/, "Instead of `<T>value` write `value as T`."],
];

function replacementFor(message: string): string {
  const advice = replacements.find(([construct]) => construct.test(message))?.[1];
  return `${advice ?? "Write it in JavaScript."} With \`erasableSyntaxOnly\` in tsconfig.json, tsc finds all such places.`;
}

/** `file:line`: above the source of a syntax error, else where the error passed through this file. */
function placeOf(path: string, error: unknown): string | null {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  if (error instanceof SyntaxError) {
    const [, file, line] = /^(?:file:\/\/)?(.+):(\d+)\n/.exec(stack) ?? [];
    return file === undefined ? null : `${formatPath(decodeURIComponent(file))}:${line}`;
  }
  const url = pathToFileURL(path).href;
  const after = stack.includes(url) ? stack.slice(stack.indexOf(url) + url.length) : "";
  const [, line] = /^:(\d+)/.exec(after) ?? [];
  return line === undefined ? null : `${formatPath(path)}:${line}`;
}
