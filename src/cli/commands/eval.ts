import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { definitionDigest } from "../../core/check/definition-digest.ts";
import { defaultFlow } from "../../core/default-flow.ts";
import { HoldpointError } from "../../core/errors.ts";
import { openEmbedded } from "../../embedded.ts";
import { compareReports } from "../../eval/figures/comparison.ts";
import { type EvalReport, evalReport } from "../../eval/figures/eval-report.ts";
import { htmlReport } from "../../eval/report/html-report.ts";
import { junitReport } from "../../eval/report/junit.ts";
import { runEval, suiteDigest, trialThreadId } from "../../eval/run-eval.ts";
import {
  openRunFolder,
  type RunFolder,
  readJsonFile,
  trialFolder,
  writeJson,
  writeWhole,
} from "../../eval/run-folder.ts";
import type { RunIdentity } from "../../eval/run-identity.ts";
import type { EvalCase } from "../../eval/suite.ts";
import { agentProblems, type SuiteProblem } from "../../eval/suite-problems.ts";
import type { TrialHost, TrialPlan } from "../../eval/trial.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { validateWithin } from "../../runtime/validate-within.ts";
import { openSqliteStore } from "../../stores/sqlite/store.ts";
import { seededRandom } from "../../testing/seeded-random.ts";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import type { Context } from "../context.ts";
import { describeEval } from "../describe-eval.ts";
import { type EvalModels, evalModels } from "../eval-models.ts";
import { showEvalProgress } from "../eval-progress.ts";
import { type LoadedSuite, loadSuite } from "../eval-suite.ts";
import { evalWorlds, type LookedAt, type Worlds } from "../eval-worlds.ts";
import { formatPath, shellWord } from "../format.ts";
import { ownCommand } from "../own-command.ts";
import { type CommandResult, usageError } from "../screen.ts";

interface Options {
  readonly trials?: number;
  readonly parallel: number;
  readonly filter?: string;
  readonly model?: string;
  readonly prompt?: string;
  readonly seed: string;
  readonly faults?: number;
  readonly record?: string;
  readonly replay?: string;
  readonly resume?: string;
  readonly minSuccess: number;
  readonly compare?: string;
  readonly failOnWorse?: boolean;
  readonly junit?: string;
  readonly html?: string;
}

export const addEval: AddCommand = (program, run) => {
  const command: Command = program
    .command("eval")
    .description("run a suite of cases, several times each, and say how often they go as they should")
    .argument("<suite>", "YAML, or TypeScript that exports one (docs/eval.md)")
    .option("-k, --trials <n>", "how often each case is run (default: the suite's, else 1)", wholeNumber)
    .option("--parallel <n>", "trials at once", wholeNumber, 4)
    .option("--filter <text>", "only cases whose name has it")
    .option(
      "--model <model>",
      "instead of the suite's and the agents' own: provider/model, or a file that exports one",
    )
    .option("--prompt <file>", "instead of the agent's own")
    .option("--faults <rate>", "let so many model calls go wrong, from 0 to 1", share)
    .option("--seed <seed>", "of all that is left to chance", "1")
    .option("--record <file>", "record the model's calls")
    .option("--replay <file>", "play recorded calls instead of a model")
    .option(
      "--resume <folder>",
      "the run's folder: a run that is there goes on (default: a new one beside the store)",
    )
    .option("--min-success <share>", "what each case must reach, from 0 to 1", share, 1)
    .option("--compare <folder>", "another run: what got better and worse since")
    .option("--fail-on-worse", "exit code 1 when something got worse beyond noise")
    .option("--junit <file>", "write JUnit XML")
    .option("--html <file>", "write a page with charts");
  command.action(run<Options>((context, [suite = ""], options) => evaluate(context, suite, options)));
};

function share(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw usageError(
    `${JSON.stringify(text)} is no share`,
    "Give --faults and --min-success a number from 0 to 1, such as 0.3.",
  );
}

async function evaluate(context: Context, file: string, options: Options): Promise<CommandResult> {
  checkOptions(options);
  const loaded = chosen(await loadSuite(file), options.filter);
  const before = options.compare === undefined ? null : await readReport(options.compare);
  const { model, replay, record, faults = null } = options;
  const models = await evalModels(
    context.settings,
    { ...loaded.suite, folder: loaded.folder },
    { model, replay, record, faults },
  );
  const worlds = await evalWorlds(context.settings, loaded, models, options.prompt);
  const path = resolve(options.resume ?? newFolder(context, loaded.whole.name));
  const looked = await worlds.look(join(path, "trials", "check"));
  await checkSuite(context, loaded, looked);
  await checkModels(
    looked.model === undefined ? models : { ...models, called: "made" },
    looked,
    loaded.suite.cases,
  );
  const folder = await openRunFolder(path, identityOf(loaded, looked, models, worlds, options));
  try {
    if (record !== undefined && !folder.isNew)
      throw usageError(
        "a run that goes on cannot be recorded: its first calls would be missing",
        "Begin a new run, without --resume.",
      );
    const report = await runSuite(context, { loaded, models, worlds, folder }, options);
    return report ? await tell(context, report, before, folder, options) : stopped(folder, file);
  } finally {
    folder.close();
  }
}

function checkOptions({ trials, parallel, model, replay, failOnWorse, compare }: Options): void {
  if (trials === 0) throw usageError("-k is 0: no trial, no result", "Run each case at least once.");
  if (trials !== undefined && trials > 10_000)
    throw usageError("-k is over 10,000", "Run each case less often.");
  if (parallel < 1 || parallel > 256)
    throw usageError("--parallel is not from 1 to 256", "Leave it out for 4.");
  if (model !== undefined && replay !== undefined)
    throw usageError("--model and --replay both say which model is called", "Take one of them.");
  if (failOnWorse && compare === undefined)
    throw usageError("--fail-on-worse has nothing to compare with", "Name another run with --compare.");
}

/** `whole`: with all cases, which the run's record is of. */
type ChosenSuite = LoadedSuite & { readonly whole: LoadedSuite["suite"] };

function chosen(loaded: LoadedSuite, filter: string | undefined): ChosenSuite {
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

function newFolder({ settings }: Context, name: string): string {
  const slug =
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 40) || "suite";
  const at = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const path = join(dirname(settings.storePath), "evals", `${slug}-${at}`);
  for (let copy = 2; ; copy++) {
    const free = copy === 2 ? path : `${path}-${copy - 1}`;
    if (!existsSync(free)) return free;
  }
}

async function readReport(given: string): Promise<EvalReport> {
  const path = resolve(given);
  const file = existsSync(join(path, "run.json")) || !/\.json$/.test(path) ? join(path, "report.json") : path;
  const report = existsSync(file) ? await readJsonFile(file) : {};
  if ("cases" in report) return report as EvalReport; // of version 1, as written below
  throw usageError(
    `there is no report of a run in ${formatPath(path)}`,
    "A run writes it at its end: go on with it by --resume, or name the folder of another.",
  );
}

/** Agents, tools and inputs, before anything runs. @throws `suite_invalid` */
async function checkSuite(
  { signal }: Context,
  { suite, whole, refuse }: ChosenSuite,
  { agents, agentOf }: LookedAt,
): Promise<void> {
  const problems: SuiteProblem[] = [...agentProblems(whole, agentOf, agents)];
  for (const each of suite.cases) {
    const agent = agentOf(each);
    if (!agent?.input) continue;
    const validation = await validateWithin(systemClock, signal)(agent.input, each.input);
    if (validation.ok) continue;
    const path = ["cases", whole.cases.indexOf(each), "input"];
    problems.push({
      path,
      message: `the input is not valid for agent ${agent.name}: ${validation.why}`,
      fix: "Give input that fits the agent's input schema.",
    });
  }
  if (problems.length > 0) throw refuse(problems);
}

/** @throws `model_unavailable`, `model_not_installed`: before the first trial, and not in each. */
async function checkModels(
  models: EvalModels,
  { agentOf }: LookedAt,
  cases: readonly EvalCase[],
): Promise<void> {
  for (const agent of new Set(cases.map(agentOf))) {
    if (!agent || (agent.model === undefined && agent.flow !== defaultFlow)) continue;
    if (models.called === "own") await models.resolver.check(agent.model);
    if (models.called === "named") await models.resolver.check(models.name);
  }
}

function identityOf(
  { whole }: ChosenSuite,
  { agentOf }: LookedAt,
  models: EvalModels,
  worlds: Worlds,
  { faults, seed }: Options,
): RunIdentity {
  const agents = [
    ...new Map(
      whole.cases.flatMap((each) => {
        const agent = agentOf(each);
        return agent ? [[agent.name, agent] as const] : [];
      }),
    ).values(),
  ];
  return {
    suite: whole.name,
    digest: suiteDigest(whole),
    agents: agents.map((agent) => ({
      name: agent.name,
      version: agent.version,
      digest: definitionDigest(agent),
    })),
    model: models.name,
    prompt: worlds.prompt,
    faults: faults ?? null,
    seed,
    createdAt: new Date().toISOString(),
  };
}

interface Run {
  readonly loaded: ChosenSuite;
  readonly models: EvalModels;
  readonly worlds: Worlds;
  readonly folder: RunFolder;
}

/** @returns `null` when it was stopped. */
async function runSuite(context: Context, run: Run, options: Options): Promise<EvalReport | null> {
  const { screen, settings, signal } = context;
  const { loaded, worlds, folder } = run;
  const plans = plansOf(run, options);
  const store = await openSqliteStore({ path: folder.storePath });
  const progress = showEvalProgress(screen, plans.length);
  screen.note(`${folder.isNew ? "run" : "goes on"} in ${formatPath(folder.path)}`);
  const host: TrialHost = {
    suite: loaded.suite,
    store,
    clock: systemClock,
    openWorld: (plan) =>
      worlds.open(
        { case: plan.each.name, trial: plan.number, seed: plan.seed, folder: plan.folder },
        plan.each,
      ),
    openRuntime: ({ seed, ...parts }) =>
      openEmbedded({
        path: folder.storePath,
        store,
        secrets: settings.secrets,
        random: seededRandom(`${seed} runtime`).next,
        ...(settings.counter && { counter: settings.counter }),
        ...parts,
      }),
  };
  try {
    const results = await runEval(host, plans, { parallel: options.parallel, signal, progress });
    if (results.length < plans.length) return null;
    const names = loaded.suite.cases.map(({ name }) => name);
    return evalReport(folder.identity, names, results, options.minSuccess);
  } catch (error) {
    throw withWayOn(error, folder);
  } finally {
    progress.close();
    await store.close();
  }
}

/** What stopped the run says how to go on, unless it says what to mend. */
function withWayOn(error: unknown, folder: RunFolder): unknown {
  if (!(error instanceof HoldpointError) || error.fix !== undefined) return error;
  return new HoldpointError(error.code, error.message, {
    fix: `What has ended is kept: go on with --resume ${shellWord(formatPath(folder.path))}.`,
    retryable: error.retryable,
    cause: error,
  });
}

/** All first trials, then all second ones: after an interruption, every case has some. */
function plansOf({ loaded: { suite, whole }, folder }: Run, { trials, seed }: Options): readonly TrialPlan[] {
  const count = trials ?? suite.trials ?? 1;
  return Array.from({ length: count }, (_, index) => index + 1).flatMap((number) =>
    suite.cases.map((each) => ({
      each,
      number,
      threadId: trialThreadId(each.name, number),
      seed: JSON.stringify([each.seed ?? seed, each.name, number]),
      folder: trialFolder(folder.path, whole.cases.indexOf(each), each.name, number),
    })),
  );
}

async function tell(
  context: Context,
  report: EvalReport,
  before: EvalReport | null,
  folder: RunFolder,
  options: Options,
): Promise<CommandResult> {
  const comparison = before && compareReports(before, report, report.run.seed);
  const show = (threadId: string): string =>
    ownCommand(`show ${threadId} --store ${shellWord(formatPath(folder.storePath))}`);
  await writeJson(join(folder.path, "report.json"), report);
  if (options.junit !== undefined) await writeWhole(resolve(options.junit), junitReport(report, show));
  if (options.html !== undefined)
    await writeWhole(resolve(options.html), htmlReport(report, comparison, show));
  const isWorse = options.failOnWorse === true && comparison?.isWorse === true;
  return {
    document: { ...report, folder: folder.path, ...(comparison && { comparison }) },
    lines: [
      ...describeEval(report, comparison, context.screen.paint, show),
      ...(isWorse ? ["", "worse than the other run, beyond noise"] : []),
    ],
    exitCode: report.ok && !isWorse ? 0 : 1,
  };
}

function stopped(folder: RunFolder, file: string): CommandResult {
  const command = `holdpoint eval ${shellWord(file)} --resume ${shellWord(formatPath(folder.path))}`;
  return {
    document: { stopped: true, folder: folder.path },
    lines: [`stopped; it goes on where it was with the same options and --resume: ${command}`],
    exitCode: 3,
  };
}
