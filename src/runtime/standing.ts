// Standing approvals: granted and revoked by people, used by the runtime in the place of a request that waits.
//
// T3. A use is claimed in the approval's own log at the `seq` that was seen, before the action starts (I1): however many
//     processes claim at once, no more than `uses` succeed.
// T4. A claim names thread, operation and digest. After a crash between claim and start it is found again, not made anew.
import { randomBytes } from "node:crypto";
import { entryOf, type Principal, whyNotApprover } from "../core/approvers.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { type EventBody, type EventOf, event, type ThreadEvent } from "../core/events.ts";
import type { Gate } from "../core/gate.ts";
import {
  fitsGrant,
  mayBeUnconditional,
  readStanding,
  type StandingApproval,
  type StandingGrant,
  type StandingStatus,
  standingAgent,
  statusOf,
  whyNoGrant,
} from "../core/standing.ts";
import type { Store, ThreadRow } from "../ports/store.ts";
import { toolNamed } from "./built-in-tools.ts";
import { assertPerson, now } from "./change-thread.ts";
import { cancelThread } from "./commands.ts";
import type { Runtime } from "./runtime.ts";
import { toStored } from "./stored.ts";

/** A standing approval, and how it stands now. */
export type StandingReport = StandingApproval & { readonly status: StandingStatus };

/**
 * Grants a standing approval. Where the runtime has the agent, its tool must be one of the agent's, and the approval is
 * for the version that it has now, unless it names one.
 *
 * @throws `standing_invalid` for a grant that is too wide, or could never be used; `not_an_approver` when `by` is no person.
 */
export async function grantStanding(
  runtime: Runtime,
  grant: StandingGrant,
  { by }: { readonly by: string },
): Promise<StandingReport> {
  assertPerson(by);
  const why = whyNoGrant(grant, now(runtime)) ?? whyNotFor(runtime, grant, by);
  if (why !== null) throw invalid(why);
  const standingId = `sa_${randomBytes(8).toString("hex")}`;
  const { stored } = toStored(runtime, ofThisVersion(runtime, grant));
  if (stored.artifact) throw invalid("it is too large");
  const input = { input: stored, by };
  const body = event("thread_started", {
    threadId: standingId,
    agent: standingAgent,
    agentVersion: "1",
    ...input,
  });
  await appendQuietly(runtime, standingId, 0, body);
  return standingOf(runtime, standingId);
}

/** I5. A tool's version changes when it comes to mean something else: that nobody has approved. */
function ofThisVersion(runtime: Runtime, grant: StandingGrant): StandingGrant {
  const agent = runtime.agents.get(grant.agent);
  const toolVersion = grant.toolVersion ?? (agent && toolNamed(agent, grant.tool)?.version);
  return toolVersion === undefined ? grant : { ...grant, toolVersion };
}

function whyNotFor(runtime: Runtime, grant: StandingGrant, by: string): string | null {
  const { agent: agentName, tool: toolName, where } = grant;
  const agent = runtime.agents.get(agentName);
  const tool = agent && toolNamed(agent, toolName);
  if (agent && !tool)
    return `agent ${agentName} has no tool ${toolName}; it has ${[...agent.tools.keys()].join(", ")}`;
  if (agent && !isNamed(agent.gate, { id: by, roles: grant.roles ?? [] }))
    return `${by} is none of the approvers of agent ${agentName}: ${agent.gate.approvers.join(", ")}`;
  if (agent && agent.gate.quorum > 1)
    return `actions of agent ${agentName} take ${agent.gate.quorum} approvals, and a standing approval is one: it would never be used`;
  if (where.length > 0 || mayBeUnconditional(tool?.risk)) return null;
  const risk = tool ? (tool.risk ?? "undeclared") : "not known here";
  return `it allows every call of ${toolName}, whose risk is ${risk}: give a condition on its arguments`;
}

/** As far as the agent's gate says beforehand; each use is checked against its own request. */
function isNamed({ approvers }: Gate, principal: Principal): boolean {
  return approvers.length === 0 || entryOf(approvers, principal) !== null;
}

/** Standing approvals, newest first: those that can still be used, or all. */
export async function listStanding(
  runtime: Pick<Runtime, "store" | "clock">,
  { all = false }: { readonly all?: boolean } = {},
): Promise<readonly StandingReport[]> {
  const reports: StandingReport[] = [];
  for await (const { threadId } of standingRows(runtime.store, !all)) {
    const approval = readStanding(await runtime.store.read(threadId));
    if (!approval) continue;
    const status = statusOf(approval, runtime.clock.now());
    if (all || status === "open") reports.push({ ...approval, status });
  }
  return reports;
}

/**
 * Revokes a standing approval: no action starts by it any more, unless it had claimed its use before.
 *
 * @throws `standing_not_found`; `thread_ended` when it is over; `not_an_approver` when `by` is no person.
 */
export async function revokeStanding(
  runtime: Runtime,
  standingId: string,
  options: { readonly by: string; readonly why: string },
): Promise<StandingReport> {
  assertPerson(options.by);
  await standingOf(runtime, standingId);
  await cancelThread(runtime, standingId, options);
  return standingOf(runtime, standingId);
}

async function standingOf(runtime: Runtime, standingId: string): Promise<StandingReport> {
  const approval = readStanding(await runtime.store.read(standingId));
  if (approval) return { ...approval, status: statusOf(approval, runtime.clock.now()) };
  throw new HoldpointError("standing_not_found", `there is no standing approval ${standingId}`, {
    fix: "`holdpoint standing list --all` lists them.",
  });
}

/** The request that a held action would open, and where. */
export interface HeldRequest {
  readonly agent: string;
  readonly threadId: string;
  readonly opened: Extract<EventBody, { type: "request_opened" }>;
}

/** Standing approvals by which a held action may start, those that end first before the others. */
export async function findStanding(runtime: Runtime, held: HeldRequest): Promise<readonly string[]> {
  const found: StandingApproval[] = [];
  for (const approval of await openApprovals(runtime)) {
    const status = statusOf(approval, runtime.clock.now());
    if (status === "expired") await close(runtime, approval);
    else if (mayUse(approval, status, held)) found.push(approval);
  }
  found.sort((one, other) => (one.grant.expiresAt < other.grant.expiresAt ? -1 : 1));
  const claimed = found.filter((approval) => claimOf(approval, held) !== undefined); // T4
  return (claimed.length > 0 ? claimed : found).map(({ standingId }) => standingId);
}

/** Of a runtime, what was read of the approvals that are open. A log only grows: at the same `head` it is the same. */
const known = new WeakMap<Runtime, ReadonlyMap<string, StandingApproval>>();

/** Only the logs that went on since the last look are read: most held actions read none. */
async function openApprovals(runtime: Runtime): Promise<readonly StandingApproval[]> {
  const before = known.get(runtime);
  const read = new Map<string, StandingApproval>();
  for await (const { threadId, headSeq } of standingRows(runtime.store, true)) {
    const same = before?.get(threadId);
    const approval = same?.head === headSeq ? same : readStanding(await runtime.store.read(threadId));
    if (approval && !approval.isClosed) read.set(threadId, approval);
  }
  known.set(runtime, read);
  return [...read.values()];
}

/**
 * T3. Claims one use of the first of these that still has one.
 *
 * @returns the verdict of who granted it, to be appended with the request and the start; `null` when all are used up.
 */
export async function claimStanding(
  runtime: Runtime,
  standingIds: readonly string[],
  held: HeldRequest,
): Promise<EventBody | null> {
  for (const standingId of standingIds) {
    const approval = await claim(runtime, standingId, held);
    if (approval !== null) return decision(held.opened, approval);
  }
  return null;
}

/** @returns the approval; `null` when there is no use to claim. */
async function claim(
  runtime: Runtime,
  standingId: string,
  held: HeldRequest,
): Promise<StandingApproval | null> {
  for (;;) {
    const approval = readStanding(await runtime.store.read(standingId));
    if (!approval) return null;
    if (!mayUse(approval, statusOf(approval, runtime.clock.now()), held)) return null;
    if (claimOf(approval, held)) return approval;
    const { key, requestId, action } = held.opened;
    const usedBy = { threadId: held.threadId, key };
    const body = event("standing_used", { usedBy, requestId, digest: action?.digest ?? "" });
    try {
      await appendQuietly(runtime, standingId, approval.head, body);
      return approval;
    } catch (error) {
      if (!isHoldpointError(error, "append_conflict")) throw error; // another claimed: look again
    }
  }
}

function claimOf(
  { uses }: StandingApproval,
  { threadId, opened }: HeldRequest,
): EventOf<"standing_used"> | undefined {
  return uses.find(
    ({ usedBy, digest }) =>
      usedBy.threadId === threadId && usedBy.key === opened.key && digest === opened.action?.digest,
  );
}

function mayUse(approval: StandingApproval, status: StandingStatus, held: HeldRequest): boolean {
  const { action } = held.opened;
  const isLeft = status === "open" || (status === "used_up" && claimOf(approval, held) !== undefined);
  return (
    isLeft &&
    action !== undefined &&
    fitsGrant(approval.grant, { agent: held.agent, ...action }) &&
    mayApprove(approval, held.opened)
  );
}

/**
 * Who could not decide the request itself, and alone, cannot have approved it beforehand: neither a requester, nor one of
 * a quorum.
 */
function mayApprove(
  { by, grant }: Pick<StandingApproval, "by" | "grant">,
  opened: HeldRequest["opened"],
): boolean {
  const principal = { id: by, roles: grant.roles ?? [] };
  return (opened.quorum ?? 1) === 1 && whyNotApprover(opened, opened.approvers, principal) === null;
}

function decision(
  { requestId, key, action, approvers }: HeldRequest["opened"],
  { by, standingId, grant: { roles = [] } }: StandingApproval,
): EventBody {
  const as = entryOf(approvers, { id: by, roles });
  return event("request_decided", {
    requestId,
    key,
    verdict: { kind: "approve" },
    by,
    via: `standing:${standingId}`,
    ...(as === null ? {} : { as }),
    ...(action && { digest: action.digest }),
  });
}

/** One that is over is not looked at again. */
async function close(runtime: Runtime, { standingId, head, uses }: StandingApproval): Promise<void> {
  try {
    const output = { value: { uses: uses.length } };
    await appendQuietly(runtime, standingId, head, event("thread_completed", { output }));
  } catch (error) {
    if (!isHoldpointError(error, "append_conflict")) throw error; // another closed or revoked it
  }
}

/** No worker is to run these threads: nothing becomes due. */
async function appendQuietly(
  runtime: Runtime,
  threadId: string,
  expectedSeq: number,
  body: EventBody,
): Promise<void> {
  const placed = { body: runtime.redact.event(body), at: now(runtime) };
  await runtime.store.append({ threadId, expectedSeq, events: [placed], isQuiet: true });
  const stored = { ...placed.body, seq: expectedSeq + 1, at: placed.at } as ThreadEvent; // the spread loses the union
  runtime.observe({ kind: "appended", threadId, events: [stored] });
}

/** Those that are open are `running` all the time, and have an index of their own. */
async function* standingRows(store: Store, openOnly: boolean): AsyncGenerator<ThreadRow> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Store["threads"]>> = await store.threads({
      agent: standingAgent,
      limit: 1_000,
      ...(openOnly && { status: "running" }),
      ...(cursor !== null && { cursor }),
    });
    yield* page.rows;
    cursor = page.nextCursor;
  } while (cursor !== null);
}

function invalid(why: string): HoldpointError {
  return new HoldpointError("standing_invalid", `this cannot be a standing approval: ${why}`, {
    fix: "One of the agent's approvers grants it (--as on the command line), and it is narrow: one agent, one tool, a condition on its arguments, a few uses, an end.",
  });
}
