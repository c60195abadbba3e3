import type { Command } from "commander";
import { type Duration, durationMs } from "../../core/duration.ts";
import type { ArgumentCondition, StandingGrant } from "../../core/standing.ts";
import type { Store } from "../../ports/store.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { grantStanding, listStanding, revokeStanding, type StandingReport } from "../../runtime/standing.ts";
import { standingDocument } from "../../runtime/standing-document.ts";
import { loadAgents } from "../agent-library.ts";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import { type Context, withRuntime, withStore } from "../context.ts";
import { formatCount, formatDistance, formatTime, line, plural } from "../format.ts";
import { parseJsonArgument } from "../json-argument.ts";
import { type CommandResult, usageError } from "../screen.ts";

type Run = Parameters<AddCommand>[1];

export const addStanding: AddCommand = (program, run) => {
  const group = program
    .command("standing")
    .description("standing approvals: what an agent may do without a person being asked each time");
  addGrant(group, run);
  addList(group, run);
  addRevoke(group, run);
};

interface GrantOptions {
  readonly where?: readonly string[];
  readonly uses: number;
  readonly for: string;
  readonly why: string;
  readonly toolVersion?: string;
}

function addGrant(group: Command, run: Run): void {
  group
    .command("grant")
    .description("let an agent use one tool, within bounds, so often and so long")
    .argument("<agent name>", "the agent")
    .argument("<tool>", "its tool")
    .option(
      "--where <condition>",
      "on an argument, such as '$.cents <= 2000' or '$.currency = \"EUR\"'",
      collect,
    )
    .requiredOption("--uses <count>", "for so many actions at most", wholeNumber)
    .requiredOption("--for <duration>", "such as 8h or 7d; at most 90d")
    .requiredOption("--why <reason>", "the reason, for the log")
    .option(
      "--tool-version <version>",
      "only while the tool has this version (default: the one that it has now)",
    )
    .action(
      run<GrantOptions>((context, [agent = "", tool = ""], options) =>
        withStanding(context, "create", async (runtime) => {
          const { roles } = context.settings;
          const grant = { ...readGrant(agent, tool, options, runtime.clock.now()), roles };
          const granted = await grantStanding(runtime, grant, { by: context.settings.principal });
          return oneResult(granted, runtime.clock.now());
        }),
      ),
    );
}

function addList(group: Command, run: Run): void {
  group
    .command("list")
    .description("list those that can still be used, newest first")
    .option("--all", "also those that are used up, expired or revoked")
    .action(
      run<{ readonly all?: boolean }>((context, _args, { all = false }) =>
        withStore(context, "read", (store) =>
          withRuntime(context, { store, agents: [] }, async (runtime) => {
            const reports = await listStanding(runtime, { all });
            const head =
              reports.length === 0 ? "No standing approvals." : plural(reports.length, "standing approval");
            const nowMs = runtime.clock.now();
            return {
              document: { standing: reports.map(standingDocument) },
              lines: [head, ...reports.flatMap((report) => ["", ...describeStanding(report, nowMs)])],
            };
          }),
        ),
      ),
    );
}

function addRevoke(group: Command, run: Run): void {
  group
    .command("revoke")
    .description("end a standing approval; what had started by it goes on")
    .argument("<id>", "its id, from `holdpoint standing list`")
    .requiredOption("--why <reason>", "the reason, for the log")
    .action(
      run<{ readonly why: string }>((context, [standingId = ""], { why }) =>
        withStore(context, "write", (store) =>
          withRuntime(context, { store, agents: [] }, async (runtime) => {
            const by = context.settings.principal;
            return oneResult(await revokeStanding(runtime, standingId, { by, why }), runtime.clock.now());
          }),
        ),
      ),
    );
}

/** With the agents at hand, so that a tool's name and risk can be checked; without them a grant needs a condition. */
async function withStanding(
  context: Context,
  mode: "create",
  use: (runtime: Runtime) => Promise<CommandResult>,
): Promise<CommandResult> {
  const { agents } = await loadAgents(context.settings);
  return withStore(context, mode, (store: Store) => withRuntime(context, { store, agents }, use));
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function readGrant(agent: string, tool: string, options: GrantOptions, nowMs: number): StandingGrant {
  const { where = [], uses, why, toolVersion } = options;
  return {
    agent,
    tool,
    ...(toolVersion !== undefined && { toolVersion }),
    where: where.map(readCondition),
    uses,
    expiresAt: new Date(nowMs + durationMs(options.for as Duration)).toISOString(), // which refuses what is none
    why,
  };
}

/** `<path> = <JSON>`, `<path> <= <number>`, `<path> >= <number>`. */
function readCondition(text: string): ArgumentCondition {
  const [, path = "", operator = "", json = ""] = /^\s*(\S.*?)\s*(<=|>=|=)\s*(.+)$/s.exec(text) ?? [];
  if (operator === "")
    throw usageError(
      `--where ${JSON.stringify(text)} is no condition`,
      "Write '$.cents <= 2000', '$.cents >= 1' or '$.currency = \"EUR\"'.",
    );
  const value = parseJsonArgument(json, `the value of --where ${JSON.stringify(text)}`);
  if (operator === "=") return { path, equals: value };
  if (typeof value !== "number")
    throw usageError(
      `--where ${JSON.stringify(text)} compares with no number`,
      "Write a number after <= or >=.",
    );
  return operator === "<=" ? { path, max: value } : { path, min: value };
}

function oneResult(report: StandingReport, nowMs: number): CommandResult {
  return { document: { standing: standingDocument(report) }, lines: describeStanding(report, nowMs) };
}

function describeStanding(report: StandingReport, nowMs: number): readonly string[] {
  const { standingId, status, grant, by, grantedAt, uses, revoked } = report;
  const version = grant.toolVersion === undefined ? "" : ` version ${line(grant.toolVersion, 40)}`;
  const where = grant.where.map(describeCondition).join(" and ");
  const left = `${formatCount(uses.length)} of ${plural(grant.uses, "use")} spent`;
  const ends = Date.parse(grant.expiresAt) > nowMs ? "ends" : "ended";
  return [
    `${standingId}  ${status.replace("_", " ")}`,
    `  ${grant.agent} may use ${grant.tool}${version}${where === "" ? ", whatever its arguments" : ` where ${where}`}`,
    `  ${left}; ${ends} ${formatDistance(grant.expiresAt, nowMs)}, ${formatTime(grant.expiresAt)} UTC`,
    `  granted by ${line(by, 80)} at ${formatTime(grantedAt)} UTC: ${line(grant.why, 160)}`,
    ...(revoked
      ? [`  revoked by ${line(revoked.by, 80)} at ${formatTime(revoked.at)} UTC: ${line(revoked.why, 160)}`]
      : []),
  ];
}

function describeCondition({ path, equals, min, max }: ArgumentCondition): string {
  const parts = [
    ...(equals === undefined ? [] : [`= ${line(JSON.stringify(equals), 80)}`]),
    ...(min === undefined ? [] : [`>= ${min}`]),
    ...(max === undefined ? [] : [`<= ${max}`]),
  ];
  return `${line(path, 80)} ${parts.join(" and ")}`;
}
