// `holdpoint eval`, from the suite's file to the reports. Loaded when it runs.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { definitionDigest } from "../core/check/definition-digest.ts";
import { HoldpointError } from "../core/errors.ts";
import { openEmbedded } from "../embedded.ts";
import { compareReports } from "../eval/figures/comparison.ts";
import { type EvalReport, evalReport } from "../eval/figures/eval-report.ts";
import { isReport } from "../eval/figures/read-report.ts";
import { htmlReport } from "../eval/report/html-report.ts";
import { junitReport } from "../eval/report/junit.ts";
import { runEval, suiteDigest, trialThreadId } from "../eval/run-eval.ts";
import {
  jsonText,
  openRunFolder,
  type RunFolder,
  readableName,
  readJsonFile,
  trialFolder,
} from "../eval/run-folder.ts";
import type { RunIdentity } from "../eval/run-identity.ts";
import type { TrialHost, TrialPlan } from "../eval/trial.ts";
import { redactor } from "../runtime/redact.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { openSqliteStore } from "../stores/sqlite/store.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import type { Context } from "./context.ts";
import { describeEval } from "./describe-eval.ts";
import { checkModels, checkSuite } from "./eval-checks.ts";
import { type EvalModels, evalModels } from "./eval-models.ts";
import { checkOutputs, writeReports } from "./eval-outputs.ts";
import { showEvalProgress } from "./eval-progress.ts";
import { type ChosenSuite, chooseCases, loadSuite } from "./eval-suite.ts";
import { evalWorlds, type LookedAt, type Worlds } from "./eval-worlds.ts";
import { formatPath, shellWord } from "./format.ts";
import { ownCommand } from "./own-command.ts";
import { type CommandResult, usageError } from "./screen.ts";
import { assertFile } from "./settings.ts";

/** As typed, see `holdpoint eval --help`. */
export interface EvalOptions {
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

export async function evaluate(context: Context, file: string, options: EvalOptions): Promise<CommandResult> {
  checkOptions(options);
  const loaded = chooseCases(await loadSuite(file), options.filter);
  const before = options.compare === undefined ? null : await readReport(options.compare);
  const { model, replay, record, faults = null } = options;
  const models = await evalModels(
    context.settings,
    { ...loaded.suite, folder: loaded.folder },
    { model, replay, record, faults },
  );
  const worlds = await evalWorlds(context, loaded, models, options.prompt);
  const path = resolve(options.resume ?? newFolder(context, loaded.whole.name));
  const looked = await worlds.look();
  await checkSuite(context, loaded, looked);
  await checkModels(
    looked.model === undefined ? models : { ...models, called: "made" },
    looked,
    loaded.suite.cases,
  );
  const { suite } = loaded;
  await checkOutputs(options, {
    "the suite": file,
    "the suite's model": typeof suite.model === "string" ? resolve(loaded.folder, suite.model) : undefined,
    "--model": model,
    "--prompt": options.prompt,
    "--replay": replay,
    "--compare": options.compare,
  });
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

function checkOptions({ trials, parallel, model, replay, failOnWorse, compare }: EvalOptions): void {
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

/** Of its own, also where several runs begin at once: a run that finds another's folder would go on with that. */
function newFolder({ settings }: Context, name: string): string {
  const at = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const own = `${readableName(name) || "suite"}-${at}-${randomBytes(3).toString("hex")}`;
  return join(dirname(settings.storePath), "evals", own);
}

async function readReport(given: string): Promise<EvalReport> {
  const path = resolve(given);
  const file = existsSync(join(path, "run.json")) || !/\.json$/.test(path) ? join(path, "report.json") : path;
  await assertFile(file);
  const report = existsSync(file) ? await readJsonFile(file) : {};
  if (isReport(report)) return report;
  throw usageError(
    `there is no report of a run in ${formatPath(path)}`,
    "A run writes it at its end: go on with it by --resume, or name the folder of another.",
  );
}

function identityOf(
  { whole }: ChosenSuite,
  { agentOf }: LookedAt,
  models: EvalModels,
  worlds: Worlds,
  { faults, seed }: EvalOptions,
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
async function runSuite(context: Context, run: Run, options: EvalOptions): Promise<EvalReport | null> {
  const { screen, settings, signal } = context;
  const { loaded, models, worlds, folder } = run;
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
    const { recordingFailed } = models;
    const results = await runEval(host, plans, {
      parallel: options.parallel,
      signal: AbortSignal.any([signal, recordingFailed]),
      progress,
    });
    recordingFailed.throwIfAborted();
    if (results.length < plans.length) return null;
    const names = loaded.suite.cases.map(({ name }) => name);
    const { value: clean } = redactor(settings.secrets); // I11: a check in code may quote one
    const told = results.map((result) => ({ ...result, findings: clean(result.findings) }));
    return evalReport(folder.identity, names, told, options.minSuccess);
  } catch (error) {
    throw withWayOn(error, folder, options);
  } finally {
    progress.close();
    await store.close();
  }
}

/** What stopped the run says how to go on, unless it says what to mend. */
function withWayOn(error: unknown, { path }: RunFolder, { record }: EvalOptions): unknown {
  if (!(error instanceof HoldpointError) || error.fix !== undefined) return error;
  return new HoldpointError(error.code, error.message, {
    fix: `What has ended is kept: go on with ${wayOn(path)}${record === undefined ? "" : ", without --record"}.`,
    retryable: error.retryable,
    cause: error,
  });
}

function wayOn(path: string): string {
  return `--resume ${shellWord(formatPath(path))}`;
}

/** All first trials, then all second ones: after an interruption, every case has some. */
function plansOf(
  { loaded: { suite, whole }, folder }: Run,
  { trials, seed }: EvalOptions,
): readonly TrialPlan[] {
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
  options: EvalOptions,
): Promise<CommandResult> {
  const comparison = before && compareReports(before, report, report.run.seed);
  const show = (threadId: string): string =>
    ownCommand(`show ${threadId} --store ${shellWord(formatPath(folder.storePath))}`);
  const notWritten = await writeReports(context.screen, wayOn(folder.path), [
    [join(folder.path, "report.json"), () => jsonText(report)],
    [options.junit, () => junitReport(report, show)],
    [options.html, () => htmlReport(report, comparison, show)],
  ]);
  const isWorse = options.failOnWorse === true && comparison?.isWorse === true;
  return {
    document: {
      ...report,
      folder: folder.path,
      ...(comparison && { comparison }),
      ...(notWritten.length > 0 && { notWritten }),
    },
    lines: [
      ...describeEval(report, comparison, context.screen.paint, show),
      ...(isWorse ? ["", "worse than the other run, beyond noise"] : []),
    ],
    exitCode: !report.ok || isWorse ? 1 : notWritten.length > 0 ? 3 : 0,
  };
}

function stopped(folder: RunFolder, file: string): CommandResult {
  const command = `holdpoint eval ${shellWord(file)} ${wayOn(folder.path)}`;
  return {
    document: { stopped: true, folder: folder.path },
    lines: [`stopped; it goes on where it was with the same options and --resume: ${command}`],
    exitCode: 3,
  };
}
