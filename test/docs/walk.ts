// Follows a page as its reader would: every command in a shell, one after the other, in a fresh folder; and compares what
// is shown with what the page says. Ids and times differ from run to run: an id of the page stands for the one that was
// given in its place, `…` for anything.
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type Block, project } from "./pages.ts";

export interface Walk {
  /** Where the reader stands. */
  folder(): string;
  /** Runs a block's lines, and looks at what they printed when the page tells. */
  run(block: Block, shown: string | undefined): void;
}

/** A line of its own for lines left out; ids; and what changes from run to run and is nobody's business. */
const volatile =
  /(?<lines>^…\n|\n…(?=\n|$))|(?<id>\b(?:th|tk|r|sa|dl)_[0-9a-z]{12,16}\b)|…|cli:you|\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?|\b\d\d:\d\d:\d\d\.\d{3}|\b\d+ ms\b|\b[0-9a-f]{16,64}\b/g;

export function newWalk(): Walk {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "docs-walk-")));
  onTestFinished(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }));
  const bin = programs(home);
  const known = new Map<string, string>();
  let folder = join(home, "work");
  mkdirSync(folder);

  function run({ text, page, number }: Block, shown: string | undefined): void {
    const script = [...known].reduce((filled, [told, given]) => filled.replaceAll(told, given), text);
    const { output, status, cwd } = shell(script, { folder, home, bin });
    folder = cwd;
    const wanted = Number(/# exit code (\d+)/.exec(text)?.[1] ?? 0);
    expect({ page, number, status, output: status === wanted ? "" : output }).toEqual({
      page,
      number,
      status: wanted,
      output: "",
    });
    if (shown !== undefined) compare(output, shown, known);
  }
  return { run, folder: () => folder };
}

/** What the page calls by name: the package is on no registry here, so its sources stand for it. */
function programs(home: string): string {
  const bin = join(home, "bin");
  mkdirSync(bin);
  const main = join(project, "src/cli/main.ts");
  const scripts = {
    npx: `[ "$1" = holdpoint ] || exit 127\nshift\nnpm_command=exec exec ${quoted(process.execPath)} ${quoted(main)} "$@"`,
    npm: `[ "$1" = install ] || exit 127\nln -s ${quoted(join(project, "node_modules"))} node_modules`,
  };
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

function shell(
  script: string,
  { folder, home, bin }: { readonly folder: string; readonly home: string; readonly bin: string },
): { readonly output: string; readonly status: number | null; readonly cwd: string } {
  const place = join(home, "cwd");
  const { PATH = "" } = process.env;
  const { status, stdout } = spawnSync(
    "/bin/sh",
    ["-c", `exec 2>&1\n${script}\nstatus=$?\npwd > ${quoted(place)}\nexit $status`],
    { cwd: folder, encoding: "utf8", env: { HOME: home, PATH: `${bin}${delimiter}${PATH}` } },
  );
  return { output: stdout, status, cwd: readFileSync(place, "utf8").trim() };
}

/** A shell's own word about a process that was killed differs from shell to shell. */
function withoutShell(text: string): string {
  return text.replaceAll(/^.*\bKilled\b.*\n/gm, "").trimEnd();
}

function compare(output: string, shown: string, known: Map<string, string>): void {
  const [actual, expected] = [withoutShell(output), withoutShell(shown)];
  const unknown: string[] = [];
  const pattern = patternOf(expected, known, unknown);
  const match = new RegExp(`^${pattern}$`, "s").exec(actual);
  if (!match) expect(actual).toBe(expected);
  for (const [index, id] of unknown.entries()) known.set(id, match?.[index + 1] ?? "");
}

function patternOf(expected: string, known: ReadonlyMap<string, string>, unknown: string[]): string {
  let [pattern, at] = ["", 0];
  for (const match of expected.matchAll(volatile)) {
    pattern += literally(expected.slice(at, match.index));
    at = match.index + match[0].length;
    if (match.groups?.id !== undefined) pattern += idPattern(match[0], known, unknown);
    else if (match.groups?.lines === undefined) pattern += "[^\\n]*?";
    else pattern += match.index === 0 ? "(?:.*?\\n)?" : "(?:\\n.*?)?";
  }
  return pattern + literally(expected.slice(at));
}

function idPattern(id: string, known: ReadonlyMap<string, string>, unknown: string[]): string {
  const given = known.get(id);
  if (given !== undefined) return given;
  const earlier = unknown.indexOf(id);
  if (earlier >= 0) return `\\${earlier + 1}`;
  unknown.push(id);
  return `(${id.slice(0, id.indexOf("_"))}_[0-9a-z]+)`;
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
