// Finds and reads a suite's file, and says of each problem where it is and what to write.
import { dirname, extname, resolve } from "node:path";
import { HoldpointError } from "../core/errors.ts";
import type { EvalSuite } from "../eval/suite.ts";
import { readSuite, type SuiteProblem } from "../eval/suite-problems.ts";
import { parseYamlSuite } from "../eval/yaml-suite.ts";
import { formatPath } from "./format.ts";
import { importModule } from "./import-module.ts";
import { usageError } from "./screen.ts";
import { assertFile, readText } from "./settings.ts";

export interface LoadedSuite {
  readonly suite: EvalSuite;
  /** What the suite's paths are seen from. */
  readonly folder: string;
  /** @returns an error that names the places of the problems. */
  readonly refuse: (problems: readonly SuiteProblem[]) => HoldpointError;
}

/** Most problems that are told at once. */
const maxTold = 8;

/** @throws `suite_invalid`, naming file, line and what to write; `usage` when it cannot be read. */
export async function loadSuite(given: string): Promise<LoadedSuite> {
  const path = resolve(given);
  await assertFile(path);
  const { value, placeOf } = /^\.ya?ml$/i.test(extname(path)) ? await readYaml(path) : await readModule(path);
  const refuse = (problems: readonly SuiteProblem[]): HoldpointError => refusal(problems, placeOf);
  const read = readSuite(value);
  if (!read.suite) throw refuse(read.problems);
  return { suite: read.suite, folder: dirname(path), refuse };
}

/** `whole`: with all cases, which the run's record is of. */
export type ChosenSuite = LoadedSuite & { readonly whole: LoadedSuite["suite"] };

/** The suite with the cases whose names have the text. @throws `usage` where none has. */
export function chooseCases(loaded: LoadedSuite, filter: string | undefined): ChosenSuite {
  const { suite } = loaded;
  if (filter === undefined) return { ...loaded, whole: suite };
  const cases = suite.cases.filter(({ name }) => name.toLowerCase().includes(filter.toLowerCase()));
  if (cases.length > 0) return { ...loaded, suite: { ...suite, cases }, whole: suite };
  throw usageError(
    `no case has ${JSON.stringify(filter)} in its name`,
    `There are: ${suite.cases
      .slice(0, 20)
      .map(({ name }) => name)
      .join("; ")}.`,
  );
}

interface ReadFile {
  readonly value: unknown;
  readonly placeOf: (path: SuiteProblem["path"]) => string;
}

async function readYaml(path: string): Promise<ReadFile> {
  const parsed = parseYamlSuite(await readText(path));
  if (!parsed.ok) {
    throw new HoldpointError(
      "suite_invalid",
      `${formatPath(path)}:${parsed.line}: it is no valid YAML: ${parsed.message}`,
      {
        fix: "Correct it there; texts with `: `, `#` or a leading `*`, `&` or `@` stand in quotes.",
      },
    );
  }
  if (parsed.value === null || parsed.value === undefined)
    throw new HoldpointError("suite_invalid", `${formatPath(path)}:1: the suite is empty`, {
      fix: "Write name: and cases: (docs/eval.md begins with one).",
    });
  return { value: parsed.value, placeOf: (at) => `${formatPath(path)}:${parsed.lineOf(at)}` };
}

async function readModule(path: string): Promise<ReadFile> {
  const exported = await importModule(path);
  const suites = Object.values(exported).filter(looksLikeSuite);
  const value = exported.default ?? suites[0];
  if (value === undefined)
    throw new HoldpointError("suite_invalid", `${formatPath(path)} exports no suite`, {
      fix: 'Write `export default evalSuite({ name, agent, cases: [ … ] })`, with evalSuite from "holdpoint/testing".',
    });
  return { value, placeOf: (at) => `${formatPath(path)}: ${at.join(".")}` };
}

function looksLikeSuite(value: unknown): boolean {
  return typeof value === "object" && value !== null && "cases" in value;
}

function refusal(problems: readonly SuiteProblem[], placeOf: ReadFile["placeOf"]): HoldpointError {
  const told = problems.slice(0, maxTold).map(({ path, message }) => `${placeOf(path)}: ${message}`);
  const more = problems.length > maxTold ? [`and ${problems.length - maxTold} more`] : [];
  return new HoldpointError("suite_invalid", [...told, ...more].join("\n  "), { fix: problems[0]?.fix });
}
