// The check before each start. Errors stop it, unless somebody says why they do not; warnings are told once.
import { checkAgent } from "../check-agent.ts";
import type { Agent } from "../core/agent.ts";
import { definitionDigest } from "../core/check/definition-digest.ts";
import type { Finding } from "../core/check/finding.ts";
import { HoldpointError } from "../core/errors.ts";
import type { Unchecked } from "../core/events.ts";
import type { DeliveryChannel } from "../ports/channel.ts";
import type { AgentLibrary } from "./agent-library.ts";
import { checkOptions } from "./check-options.ts";
import type { Context } from "./context.ts";
import { placeFindings } from "./find-place.ts";
import { formatPath, line, plural } from "./format.ts";
import { usageError } from "./screen.ts";

export interface StartCheck {
  readonly agents: readonly Agent[];
  readonly files: AgentLibrary["files"];
  readonly channels?: readonly DeliveryChannel[];
  readonly startedBy?: string;
  /** Of `--unchecked`. */
  readonly unchecked?: string | undefined;
}

/** Of this process, by the definition's digest. */
const known = new Map<string, Promise<readonly Finding[]>>();

/** What a runtime is to know of the check of its agents. */
export interface StartsChecked {
  /** Agents that are started although their check failed. */
  readonly unchecked: ReadonlyMap<string, Unchecked>;
  /** Agents that start no new thread, with the codes of the errors. */
  readonly unready: ReadonlyMap<string, readonly string[]>;
}

/**
 * For a command that starts one agent.
 *
 * @throws `check_failed`; `usage` for a reason that is none; the signal's reason when it is stopped.
 */
export async function checkStart(context: Context, start: StartCheck): Promise<StartsChecked> {
  const { unchecked, failures } = await checkAll(context, start);
  const [first] = failures;
  if (first) throw failed(first.agent, first.errors);
  return { unchecked, unready: new Map() };
}

/**
 * For a command that runs many agents: one that is not ready keeps no other from being started, and its threads that are
 * there go on. It is told loudly.
 *
 * @throws `usage` for a reason that is none; the signal's reason when it is stopped.
 */
export async function checkStarts(context: Context, start: StartCheck): Promise<StartsChecked> {
  const { unchecked, failures } = await checkAll(context, start);
  for (const { agent, errors } of failures) {
    const { message, fix } = failed(agent, errors);
    context.screen.warn(`${message}. Threads of it that are there go on. ${fix}`);
  }
  const unready = new Map(failures.map(({ agent, errors }) => [agent.name, codesOf(errors)]));
  return { unchecked, unready };
}

interface Failure {
  readonly agent: Agent;
  readonly errors: readonly Finding[];
}

async function checkAll(
  context: Context,
  start: StartCheck,
): Promise<{ readonly unchecked: ReadonlyMap<string, Unchecked>; readonly failures: readonly Failure[] }> {
  const { agents, files, channels, startedBy } = start;
  const why = start.unchecked === undefined ? null : soundReason(start.unchecked);
  const around = { ...(channels && { channels }), ...(startedBy !== undefined && { startedBy }) };
  const options = await checkOptions(context, agents, around);
  const unchecked = new Map<string, Unchecked>();
  const failures: Failure[] = [];
  for (const agent of agents) {
    const digest = `${agent.name} ${definitionDigest(agent)}`;
    const isNew = !known.has(digest);
    const checking = known.get(digest) ?? checkAgent(agent, options);
    known.set(digest, checking);
    const found = await checking;
    context.signal.throwIfAborted(); // checks that were stopped say nothing of the agent
    const findings = placeFindings(agent, files.get(agent.name), found);
    if (isNew) tellWarnings(context, agent, findings);
    const errors = findings.filter(({ level }) => level === "error");
    if (errors.length === 0) continue;
    if (why === null) failures.push({ agent, errors });
    else unchecked.set(agent.name, overridden(context, { agent, errors }, why));
  }
  return { unchecked, failures };
}

function overridden({ screen }: Context, { agent, errors }: Failure, why: string): Unchecked {
  const codes = codesOf(errors);
  screen.warn(`${agent.name} starts unchecked (${codes.join(", ")}): ${line(why, 200)}`);
  return { why, codes };
}

function codesOf(errors: readonly Finding[]): readonly string[] {
  return [...new Set(errors.map(({ code }) => code))];
}

/** Most warnings that are told of one agent; `check` tells them all. */
const mostTold = 5;

function tellWarnings({ screen }: Context, { name }: Agent, findings: readonly Finding[]): void {
  const warnings = findings.filter(({ level }) => level === "warning");
  for (const finding of warnings.slice(0, mostTold)) screen.warn(`${name}: ${oneLine(finding)}`);
  if (warnings.length === 0) return;
  const more = warnings.length > mostTold ? `${warnings.length - mostTold} more; ` : "";
  screen.note(`${more}holdpoint check ${name} says why that matters, and what to do`);
}

/** The message, its code and its place. */
function oneLine({ message, code, where }: Finding): string {
  const place = where ? `, ${formatPath(where.file)}:${where.line}` : "";
  return `${line(message, 300)} (${code}${place})`;
}

function failed({ name }: Agent, errors: readonly Finding[]): HoldpointError {
  const [first] = errors;
  const more = errors.length > 1 ? `, and ${plural(errors.length - 1, "other error")}` : "";
  return new HoldpointError(
    "check_failed",
    `agent ${name} does not start: ${first ? oneLine(first) : "its check failed"}${more}`,
    {
      fix: `${first?.fix ?? ""} holdpoint check ${name} tells all. To start it all the same, say why: --unchecked "<reason>".`.trim(),
    },
  );
}

function soundReason(reason: string): string {
  const why = reason.trim();
  if (why !== "" && why.length <= 500) return why;
  throw usageError(
    "--unchecked takes a reason of 1 to 500 characters: it is recorded with every thread",
    'For example --unchecked "The directory is being moved, ticket 4711."',
  );
}
