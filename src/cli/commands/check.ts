import { checkAgent } from "../../check-agent.ts";
import type { Agent } from "../../core/agent.ts";
import { mayDecide } from "../../core/check/check-prompt.ts";
import { finding } from "../../core/check/codes.ts";
import { definitionDigest } from "../../core/check/definition-digest.ts";
import type { Finding } from "../../core/check/finding.ts";
import { defaultFlow } from "../../core/default-flow.ts";
import { HoldpointError, isHoldpointError } from "../../core/errors.ts";
import { modelResolver } from "../../models/resolve-model.ts";
import type { DeliveryChannel } from "../../ports/channel.ts";
import { chooseAgent, loadAgents } from "../agent-library.ts";
import { checkOptions } from "../check-options.ts";
import type { AddCommand } from "../command-line.ts";
import type { Context } from "../context.ts";
import { countFindings, describeFindings } from "../describe-findings.ts";
import { placeFindings } from "../find-place.ts";
import { formatPath } from "../format.ts";
import type { CommandResult } from "../screen.ts";
import { warnOfWideRights } from "../store-rights.ts";

interface Options {
  readonly probe?: boolean;
}

export const addCheck: AddCommand = (program, run) => {
  program
    .command("check")
    .description("look at agents before they run: prompt, window, control flow, tools")
    .argument("[agents...]", "files, file#export, or names (default: all agents at hand)")
    .option(
      "--probe",
      "also ask the provider (at most 16 tokens of output, which cost) and reach the channels",
    )
    .action(run<Options>((context, references, options) => check(context, references, options)));
};

/** An agent with what was found, or a file that could not be loaded. */
interface Checked {
  readonly agent: string | null;
  readonly version: string | null;
  readonly file: string | null;
  /** Tells one definition from another. */
  readonly definition: string | null;
  readonly findings: readonly Finding[];
  /** What the probe has to say. */
  readonly probe?: readonly string[];
}

async function check(
  context: Context,
  references: readonly string[],
  { probe = false }: Options,
): Promise<CommandResult> {
  warnOfWideRights(context);
  const { found, broken } = await agentsToCheck(context, references);
  const channels = await channelsOf(context);
  const around = { startedBy: context.settings.principal, ...(channels.made && { channels: channels.made }) };
  const options = await checkOptions(
    context,
    found.map(({ agent }) => agent),
    around,
  );
  const checked: Checked[] = [...broken];
  for (const { agent, file } of found) {
    const findings = [
      ...channels.findings,
      ...(await checkModel(context, agent)),
      ...(await checkAgent(agent, options)),
    ];
    context.signal.throwIfAborted(); // checks that were stopped say nothing of the agent
    const probed = probe ? await probeOf(context, agent, channels.made ?? []) : null;
    checked.push({
      agent: agent.name,
      version: agent.version,
      file: file ?? null,
      definition: definitionDigest(agent),
      findings: placeFindings(
        agent,
        file,
        [...findings, ...(probed?.findings ?? [])],
        context.settings.configPath,
      ),
      ...(probed && { probe: probed.said }),
    });
  }
  return checkResult(context, checked);
}

interface Found {
  readonly agent: Agent;
  readonly file: string | undefined;
}

/** A file that cannot be loaded is found wanting, and keeps no other from being checked. */
async function agentsToCheck(
  context: Context,
  references: readonly string[],
): Promise<{ readonly found: readonly Found[]; readonly broken: readonly Checked[] }> {
  const { settings } = context;
  if (references.length === 0) {
    const { agents, files, problems } = await loadAgents(settings);
    if (agents.length === 0 && problems.length === 0) throw noAgents();
    return {
      found: agents.map((agent) => ({ agent, file: files.get(agent.name) })),
      broken: problems.map((problem) => unloadable(null, problem)),
    };
  }
  const found: Found[] = [];
  const broken: Checked[] = [];
  for (const reference of references) {
    try {
      const { agent, library } = await chooseAgent(reference, settings);
      found.push({ agent, file: library.files.get(agent.name) });
    } catch (error) {
      if (!isHoldpointError(error, "agent_invalid", "tool_invalid", "prompt_invalid")) throw error;
      broken.push(unloadable(reference, error));
    }
  }
  return { found, broken };
}

const areaOf: { readonly [code: string]: Finding["area"] } = {
  tool_invalid: "tools",
  prompt_invalid: "prompt",
};

function unloadable(file: string | null, error: HoldpointError): Checked {
  const base = finding("agent_invalid", { kind: "agent" }, error.message, error.fix);
  const area = areaOf[error.code] ?? base.area;
  return { agent: null, version: null, file, definition: null, findings: [{ ...base, area }] };
}

function noAgents(): HoldpointError {
  return new HoldpointError("agent_not_found", "there is no agent to check", {
    fix: "Name its file: holdpoint check <agent file>, or the agents of holdpoint.config.json.",
  });
}

/** As before a run: without the network. */
async function checkModel({ settings }: Context, agent: Agent): Promise<readonly Finding[]> {
  const { model, flow } = agent;
  if (!mayDecide(agent) || (model === undefined && flow !== defaultFlow)) return [];
  const { defaultModel, providers } = settings;
  try {
    await modelResolver({ defaultModel, providers }).check(model);
    return [];
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return [finding("model_unavailable", { kind: "model" }, error.message, error.fix)];
  }
}

async function channelsOf({ settings }: Context): Promise<{
  readonly made: readonly DeliveryChannel[] | null;
  readonly findings: readonly Finding[];
}> {
  try {
    return { made: await settings.channels(), findings: [] };
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    return {
      made: null,
      findings: [finding("channel_unusable", { kind: "people" }, error.message, error.fix)],
    };
  }
}

/** Loaded when it is asked for: it brings the providers' packages. */
async function probeOf(
  context: Context,
  agent: Agent,
  channels: readonly DeliveryChannel[],
): Promise<{ readonly findings: readonly Finding[]; readonly said: readonly string[] }> {
  const { probe } = await import("../probe.ts");
  return probe(context, agent, { channels });
}

function checkResult({ screen }: Context, checked: readonly Checked[]): CommandResult {
  const all = checked.flatMap(({ findings }) => findings);
  const count = (level: Finding["level"]): number => all.filter((each) => each.level === level).length;
  const isSound = count("error") === 0;
  return {
    document: {
      agents: checked,
      errors: count("error"),
      warnings: count("warning"),
      notes: count("note"),
    },
    lines: [
      ...checked.flatMap(({ agent, version, file, findings, probe = [] }) => [
        `${screen.paint("bold", agent ?? "a file that cannot be loaded")}${version === null ? "" : ` ${version}`}${file === null ? "" : `  ${formatPath(file)}`}`,
        ...describeFindings(findings, screen.paint),
        ...probe.map((said) => `  probe: ${said}`),
        "",
      ]),
      `${isSound ? screen.paint("green", "ready to run") : screen.paint("red", "not ready to run")}: ${countFindings(all)}`,
    ],
    exitCode: isSound ? 0 : 1,
  };
}
