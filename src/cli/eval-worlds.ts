// The agents of each trial: those of files and the config, the same for all; or what the suite's setup makes for each.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { type Agent, isAgent } from "../core/agent.ts";
import { HoldpointError, toErrorInfo } from "../core/errors.ts";
import { makeRunFolder } from "../eval/run-folder.ts";
import type { EvalCase, EvalSetup, EvalSuite, TrialSetup } from "../eval/suite.ts";
import type { OpenedWorld } from "../eval/trial.ts";
import { parsePrompt } from "../prompts/parse-prompt.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { withTimeout } from "../runtime/with-timeout.ts";
import { chooseAgent, loadAgents } from "./agent-library.ts";
import type { Context } from "./context.ts";
import type { EvalModels } from "./eval-models.ts";
import { importModule } from "./import-module.ts";
import { usageError } from "./screen.ts";
import { readText, type Settings } from "./settings.ts";

export interface Worlds {
  /** Of a trial; the agents are those that a model and a prompt of the command line make of them. */
  open(setup: TrialSetup, each: EvalCase): Promise<OpenedWorld>;
  /** For checks before the run: made once, in a folder that is gone after it, and closed. */
  look(): Promise<LookedAt>;
  readonly prompt: { readonly name: string; readonly version: string } | null;
}

export interface LookedAt {
  /** What the suite's setup brings along. */
  readonly model: unknown;
  readonly agents: readonly Agent[];
  /** `null`: there is no such agent. */
  readonly agentOf: (each: EvalCase) => Agent | null;
}

/** @throws `usage`; what importing the suite's files throws. */
export async function evalWorlds(
  { settings, signal }: Pick<Context, "settings" | "signal">,
  { suite, folder }: { readonly suite: EvalSuite; readonly folder: string },
  models: EvalModels,
  promptPath: string | undefined,
): Promise<Worlds> {
  const setup = await setupOf(suite, folder);
  const shelf = setup ? null : await shelfOf(suite, folder, settings);
  const prompt =
    promptPath === undefined ? null : parsePrompt(await readText(resolve(promptPath)), basename(promptPath));
  if (prompt && new Set(suite.cases.map((each) => each.agent ?? suite.agent)).size > 1)
    throw usageError(
      "--prompt is for one agent, and the suite has cases of several",
      "Choose the cases of one with --filter, or make a suite for each.",
    );

  const promptFor = (agent: Agent, named: Agent | null): Agent =>
    prompt && agent.name === named?.name ? { ...agent, prompt } : agent;

  async function make(trial: TrialSetup): Promise<Made> {
    if (!setup) return { agents: shelf?.agents ?? [], model: undefined, close: async () => {} };
    await makeRunFolder(trial.folder);
    return madeBy(setup, trial, signal);
  }

  function find(each: EvalCase, agents: readonly Agent[]): Agent | null {
    const reference = each.agent ?? suite.agent ?? "";
    return shelf?.byReference.get(reference) ?? agents.find(({ name }) => name === reference) ?? null;
  }

  return {
    prompt: prompt && { name: prompt.name, version: prompt.version },
    async open(trial, each) {
      const made = await make(trial);
      const found = find(each, made.agents);
      if (!found)
        throw usageError(
          `the setup made no agent ${each.agent ?? suite.agent} for ${JSON.stringify(each.name)}`,
          "Give the same agents for every trial.",
        );
      const agents = made.agents.map((agent) => promptFor(agent, found));
      const agent = promptFor(found, found);
      const instead = models.instead(trial, made.model);
      const isLive = [instead ?? agents.map((one) => one.model ?? settings.defaultModel)]
        .flat(2)
        .some(isLiveModel);
      return {
        agents: [agent, ...agents.filter(({ name }) => name !== agent.name)],
        agent,
        ...models.open(trial, instead),
        isLive,
        close: made.close,
      };
    },
    async look() {
      const made = await lookInto(make, suite.cases[0]?.name ?? "");
      const agentOf = (each: EvalCase): Agent | null => {
        const found = find(each, made.agents);
        return found && promptFor(found, found);
      };
      return { agents: made.agents, agentOf, model: made.model };
    },
  };
}

/** A setup may make what is there once only: a run that goes on looks again. */
async function lookInto(make: (trial: TrialSetup) => Promise<Made>, name: string): Promise<Made> {
  const folder = await mkdtemp(join(tmpdir(), "holdpoint-eval-"));
  try {
    const made = await make({ case: name, trial: 0, seed: "check", folder });
    await made.close();
    return made;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Names, and models of AI SDK providers, are called over the network. */
function isLiveModel(model: unknown): boolean {
  return typeof model === "string" || (typeof model === "object" && model !== null && "doGenerate" in model);
}

interface Made {
  readonly agents: readonly Agent[];
  readonly model: unknown;
  readonly close: () => Promise<void>;
}

async function setupOf({ setup }: EvalSuite, folder: string): Promise<EvalSetup | null> {
  if (setup === undefined || typeof setup === "function") return setup ?? null;
  const { default: exported } = await importModule(resolve(folder, setup));
  if (typeof exported === "function") return exported as EvalSetup; // what it gives is looked at
  throw usageError(
    `the setup ${setup} has no function as its default export`,
    "Write `export default (trial) => agent({ … })`.",
  );
}

async function madeBy(setup: EvalSetup, trial: TrialSetup, signal: AbortSignal): Promise<Made> {
  const world = await userCode(trial, setupMs, signal, () => setup(trial));
  const isWorld = typeof world === "object" && world !== null && "agents" in world;
  const parts = isWorld
    ? (world as Partial<{ agents: unknown; model: unknown; close: () => unknown }>)
    : { agents: world };
  const agents = [parts.agents].flat();
  if (agents.length === 0 || !agents.every(isAgent))
    throw new HoldpointError("agent_invalid", "the suite's setup gave no agents", {
      fix: "Return an agent, a list of agents, or { agents, model, close }.",
    });
  const { signal: untold } = new AbortController(); // also a run that is stopped puts its worlds away
  const close = async () => void (await userCode(trial, closeMs, untold, () => parts.close?.()));
  return { agents, model: parts.model, close };
}

/** A setup that takes longer hangs; so does the end of its world. */
const setupMs = 5 * 60_000;
const closeMs = 10_000;

/** @throws `agent_invalid` with what it threw, or that it does not come back; the signal's reason. */
async function userCode(
  { case: name, trial }: TrialSetup,
  timeoutMs: number,
  signal: AbortSignal,
  run: () => unknown,
): Promise<unknown> {
  const ended = await withTimeout(systemClock, timeoutMs, signal, run);
  const failed = (why: string, cause?: unknown): HoldpointError =>
    new HoldpointError(
      "agent_invalid",
      `the suite's setup failed for ${JSON.stringify(name)}, trial ${trial}: ${why}`,
      { fix: "Correct it in the setup's file.", cause },
    );
  switch (ended.kind) {
    case "returned":
      return ended.value;
    case "threw":
      throw failed(toErrorInfo(ended.error, "agent_invalid").message, ended.error);
    case "timeout":
      throw failed(`it gave no answer within ${timeoutMs} ms`);
    case "aborted":
      throw signal.reason;
    default:
      return ended satisfies never;
  }
}

interface Shelf {
  readonly agents: readonly Agent[];
  /** Of the suite's references that are files. */
  readonly byReference: ReadonlyMap<string, Agent>;
}

async function shelfOf(suite: EvalSuite, folder: string, settings: Settings): Promise<Shelf> {
  const references = new Set(
    [suite.agent, ...suite.cases.map((each) => each.agent)].filter((name) => name !== undefined),
  );
  const files = [...references].filter((reference) => /[\\/]|\.[cm]?[jt]s(#|$)/.test(reference));
  const chosen = await Promise.all(
    files.map(async (file) => [file, await chooseAgent(resolve(folder, file), settings)] as const),
  );
  const known = await loadAgents(settings);
  const agents = new Map(known.agents.map((agent) => [agent.name, agent]));
  for (const [, { library }] of chosen) for (const agent of library.agents) agents.set(agent.name, agent);
  for (const [, { agent }] of chosen) agents.set(agent.name, agent);
  return {
    agents: [...agents.values()],
    byReference: new Map(chosen.map(([file, { agent }]) => [file, agent])),
  };
}
