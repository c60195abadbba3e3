// I12. The one place that writes to the console. stdout belongs to the result: one JSON document with `--json`, text
// for people without. Everything said on the way (progress, warnings, what agents print) goes to stderr.
import { Console } from "node:console";
import { styleText } from "node:util";
import { HoldpointError, isHoldpointError, toErrorInfo } from "../core/errors.ts";
import { visible } from "../core/visible.ts";
import { wayOutOf } from "./error-meanings.ts";
import type { ExitCode } from "./exit-code.ts";
import { spellCommands } from "./own-command.ts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
export type Paint = (style: Style, text: string) => string;

/** What a command gives back: a document for programs, the same in lines for people. */
export interface CommandResult {
  readonly document: unknown;
  readonly lines: readonly string[];
  readonly exitCode?: ExitCode;
}

export interface ScreenOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

export interface Screen {
  readonly json: boolean;
  readonly quiet: boolean;
  /** True when a person can be asked: a terminal to read from and one to write to, and no `--json`. */
  readonly canAsk: boolean;
  /** Columns of the terminal; `null` when the output goes elsewhere, where no line is shortened. */
  readonly columns: number | null;
  readonly paint: Paint;
  readonly paintNotes: Paint;
  /** True when stderr can hold a line that is drawn again and again. */
  readonly isLive: boolean;
  /** To stderr; not with `--quiet`. */
  note(line: string): void;
  /** To stderr. */
  warn(line: string): void;
  /** Replaces the live line; an empty text removes it. */
  live(text: string): void;
  result(result: CommandResult): void;
  /** Also prints where an error that is not ours came from. */
  fail(error: unknown): void;
  /** I11. Values that are never shown from here on, by their names. */
  hide(secrets: ReadonlyMap<string, string>): void;
  /** Resolves when all is written. */
  flush(): Promise<void>;
}

export function createScreen({ json, quiet }: ScreenOptions): Screen {
  const { stdin, stdout, stderr, env } = process;
  const hidden = new Map<string, string>();
  const writeOut = createWriter(stdout, hidden);
  const writeErr = createWriter(stderr, hidden);
  const noColor = (env.NO_COLOR ?? "") !== "";
  const paintNotes = painter(stderr.isTTY && !noColor);
  const isLive = stderr.isTTY && !quiet;
  let liveText = "";

  keepStdoutForResults(json, writeErr);

  function above(text: string): void {
    writeErr(liveText === "" ? `${text}\n` : `${clearLine}${text}\n${liveText}`);
  }

  const screen: Screen = {
    json,
    quiet,
    canAsk: stdin.isTTY && stdout.isTTY && !json,
    columns: stdout.isTTY ? stdout.columns : null,
    paint: painter(stdout.isTTY && !noColor && !json),
    paintNotes,
    isLive,
    note(line) {
      if (!quiet) above(line.startsWith("{") ? line : spellCommands(line)); // no entry of the access log
    },
    warn(line) {
      above(`${paintNotes("yellow", "warning")}: ${spellCommands(line)}`);
    },
    live(text) {
      if (!isLive) return;
      const shown = text.slice(0, Math.max(0, stderr.columns - 1));
      if (shown === liveText) return;
      liveText = shown;
      writeErr(`${clearLine}${shown}`);
    },
    result({ document, lines }) {
      screen.live("");
      if (json) writeOut(`${JSON.stringify(document)}\n`);
      else if (lines.length > 0) writeOut(`${lines.join("\n")}\n`);
    },
    fail(error) {
      screen.live("");
      const info = toCliError(error);
      if (!isHoldpointError(error) && error instanceof Error) writeErr(`${visible(error.stack ?? "")}\n`);
      if (json) writeOut(`${JSON.stringify({ error: info })}\n`);
      else writeErr(`${errorLines(info, paintNotes).join("\n")}\n`);
    },
    hide(secrets) {
      for (const [name, value] of secrets) if (value.length >= minSecretLength) hidden.set(name, value);
    },
    async flush() {
      await Promise.all([writeOut.flush(), writeErr.flush()]);
    },
  };
  return screen;
}

/** As where events are appended: shorter values would tear holes into ordinary text. */
const minSecretLength = 6;

const clearLine = "\r\u001b[2K";

function painter(isOn: boolean): Paint {
  return isOn ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text;
}

interface Writer {
  (text: string): void;
  /** Resolves when all is written, or cannot be any more. */
  readonly flush: () => Promise<void>;
}

/** A writer that survives its reader: after `| head` has gone, nothing more is written and the work goes on. */
function createWriter(stream: NodeJS.WriteStream, hidden: ReadonlyMap<string, string>): Writer {
  const write = stream.write.bind(stream);
  let isGone = false;
  stream.on("error", () => {
    isGone = true;
  });
  const writeText = (text: string): void => {
    if (isGone) return;
    let clean = text;
    for (const [name, value] of hidden) clean = clean.replaceAll(value, `[secret ${name}]`);
    write(clean);
  };
  const flush = (): Promise<void> =>
    new Promise((resolve) => {
      if (isGone || stream.destroyed) resolve();
      else write("", () => resolve());
    });
  return Object.assign(writeText, { flush });
}

/** Agents' code may print: it must not get between a program and the document it reads. */
function keepStdoutForResults(json: boolean, writeErr: (text: string) => void): void {
  globalThis.console = new Console(process.stderr, process.stderr);
  if (!json) return;
  process.stdout.write = ((chunk: string | Uint8Array, ...rest: readonly unknown[]): boolean => {
    writeErr(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
    const done = rest.find((argument) => typeof argument === "function");
    done?.();
    return true;
  }) as typeof process.stdout.write; // the overloads differ in optional arguments only
}

interface CliError {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  /** Of the thread that it is about, where a command has one whose document it cannot give. */
  readonly threadId?: string;
}

/** The shape in which every error leaves: what, why, and what to do next. */
function toCliError(error: unknown): CliError {
  const info = toErrorInfo(error, "internal");
  const threadId = isHoldpointError(error) ? error.details?.threadId : undefined;
  return {
    code: info.code,
    message: info.message,
    fix: spellCommands(info.fix ?? fixOf(error)),
    ...(typeof threadId === "string" ? { threadId } : {}),
  };
}

function fixOf(error: unknown): string {
  if (!isHoldpointError(error))
    return "This is a fault of Holdpoint or of an agent's code: report it with the command that led here.";
  return wayOutOf(error.code);
}

function errorLines({ code, message, fix }: CliError, paint: Paint): readonly string[] {
  return [
    `${paint("red", "error")} (${code}): ${visible(message)}`,
    `  ${paint("cyan", "→")} ${visible(fix)}`,
  ];
}

/** For messages of our own that say what to do. */
export function usageError(message: string, fix: string): HoldpointError {
  return new HoldpointError("usage", message, { fix });
}
