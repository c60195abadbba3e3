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

/**
 * @returns what is to be recorded with the threads of agents that are started although their check failed.
 * @throws `check_failed`; `usage` for a reason that is none.
 */
export async function checkStart(
  context: Context,
  start: StartCheck,
): Promise<ReadonlyMap<string, Unchecked>> {
  const { agents, files, channels, startedBy, unchecked } = start;
  const why = unchecked === undefined ? null : soundReason(unchecked);
  const around = { ...(channels && { channels }), ...(startedBy !== undefined && { startedBy }) };
  const options = await checkOptions(context, agents, around);
  const overridden = new Map<string, Unchecked>();
  for (const agent of agents) {
    const digest = `${agent.name} ${definitionDigest(agent)}`;
    const isNew = !known.has(digest);
    const finding = known.get(digest) ?? checkAgent(agent, options);
    known.set(digest, finding);
    const findings = placeFindings(agent, files.get(agent.name), await finding);
    if (isNew) tellWarnings(context, agent, findings);
    const errors = findings.filter(({ level }) => level === "error");
    if (errors.length === 0) continue;
    if (why === null) throw failed(agent, errors);
    const codes = [...new Set(errors.map(({ code }) => code))];
    context.screen.warn(`${agent.name} starts unchecked (${codes.join(", ")}): ${line(why, 200)}`);
    overridden.set(agent.name, { why, codes });
  }
  return overridden;
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
