// I6. No answer by the deadline is a rejection: so somebody must be able to give one, and hear of it in time.
import type { Agent } from "../agent.ts";
import { defaultFlow } from "../default-flow.ts";
import { type Person, peopleFor } from "../person.ts";
import { type CheckCode, finding } from "./codes.ts";
import type { CheckContext, Finding } from "./finding.ts";
import { mayHold } from "./gate-reach.ts";

export function checkApprovers(context: CheckContext): readonly Finding[] {
  const { agent, people } = context;
  const { approvers, approverRule, escalate } = agent.gate;
  const timesAndSteps = [...checkTimes(context), ...checkSteps(context)];
  if (approverRule)
    return [...timesAndSteps, found("approvers_by_rule", "a function names its approvers", "approvers")];
  if (approvers.length === 0)
    return mayHold(agent)
      ? [...timesAndSteps, found("approvers_anyone", "its gate names no approvers")]
      : timesAndSteps;
  const everybody = [...new Set([...approvers, ...escalate.flatMap(({ to }) => to)])];
  return [
    ...timesAndSteps,
    ...checkRequester(context),
    ...(people === null ? [] : checkPeople(context, everybody, people)),
  ];
}

function found(code: CheckCode, message: string, text?: string): Finding {
  return finding(code, { kind: "gate", ...(text !== undefined && { text }) }, message);
}

function checkPeople(
  context: CheckContext,
  named: readonly string[],
  people: readonly Person[],
): readonly Finding[] {
  const isRole = (entry: string): boolean => entry.startsWith("role:");
  const missing = named.filter((entry) => peopleFor([entry], people).length === 0);
  const isHopeless = people.length > 0 && missing.length === named.length && named.every(isRole);
  if (isHopeless) return [found("approver_unreachable", `nobody is ${named.join(" or ")}`, named[0])];
  return [
    ...missing.map((entry) => found("approver_unknown", `nobody in the directory is ${entry}`, entry)),
    ...checkQuorum(context, named, people),
    ...checkChannels(context, peopleFor(named, people)),
  ];
}

/** Whom a list means: those of the directory, and principals that it does not know, who may hold a token one day. */
function approversIn(named: readonly string[], people: readonly Person[]): ReadonlySet<string> {
  const principals = named.filter((entry) => !entry.startsWith("role:"));
  return new Set([...peopleFor(named, people).map(({ id }) => id), ...principals]);
}

function checkQuorum(
  { agent: { gate }, startedBy }: CheckContext,
  named: readonly string[],
  people: readonly Person[],
): readonly Finding[] {
  const { quorum, requesterMayDecide } = gate;
  const who = approversIn(named, people);
  if (people.length > 0 && who.size < quorum)
    return [
      found("quorum_unreachable", `${quorum} approvals are needed, and ${who.size} may approve`, "quorum"),
    ];
  if (requesterMayDecide === true || people.length === 0) return [];
  const isStarter = startedBy !== null && who.has(startedBy);
  if (!isStarter && quorum === 1) return []; // who starts threads is no approver, or not known to be one
  if (who.size > quorum) return [];
  const starter = isStarter ? startedBy : "one of them";
  return [
    found("quorum_needs_requester", `${[...who].join(", ")} may approve, and ${starter} may start threads`),
  ];
}

function checkChannels({ agent, channels }: CheckContext, reachable: readonly Person[]): readonly Finding[] {
  if (channels === null) return [];
  if (channels.length === 0)
    return mayAsk(agent) ? [found("approvers_not_told", "no channel is configured")] : [];
  if (channels.some((channel) => channel.reaches(reachable))) return [];
  const names = channels.map(({ name }) => name).join(", ");
  return [
    found(
      "approver_without_address",
      `${names} reaches none of those who may approve (${reachable.map(({ id }) => id).join(", ") || "nobody"})`,
    ),
  ];
}

/** A flow of one's own may ask whatever its gate says. */
function mayAsk(agent: Agent): boolean {
  return mayHold(agent) || agent.flow !== defaultFlow;
}

function checkRequester({ agent: { gate } }: CheckContext): readonly Finding[] {
  if (gate.requesterMayDecide !== true) return [];
  return [found("requester_decides", "requesterMayDecide is true", "requesterMayDecide")];
}

const minute = 60_000;
const day = 24 * 60 * minute;

function checkTimes({ agent }: CheckContext): readonly Finding[] {
  const { expiresInMs, remindAfterMs, escalate } = agent.gate;
  const latest = Math.max(0, ...remindAfterMs);
  const lastStep = Math.max(0, ...escalate.map(({ afterMs }) => afterMs));
  return [
    ...(mayHold(agent) && expiresInMs < 5 * minute
      ? [found("deadline_short", `requests are open for ${expiresInMs / 1_000} s`, "expiresIn")]
      : []),
    ...(mayHold(agent) && expiresInMs > 30 * day
      ? [found("deadline_far", `requests are open for ${Math.round(expiresInMs / day)} days`, "expiresIn")]
      : []),
    ...(latest >= expiresInMs
      ? [
          found(
            "reminder_late",
            `a reminder comes after ${inHours(latest)}, and requests are open for ${inHours(expiresInMs)}`,
            "remindAfter",
          ),
        ]
      : []),
    ...(lastStep >= expiresInMs
      ? [
          found(
            "escalation_late",
            `a step of escalation comes after ${inHours(lastStep)}, and requests are open for ${inHours(expiresInMs)}`,
            "escalate",
          ),
        ]
      : []),
  ];
}

function inHours(ms: number): string {
  return `${Math.round((ms / (60 * minute)) * 100) / 100} h`;
}

function checkSteps({ agent }: CheckContext): readonly Finding[] {
  const { approvers, escalate } = agent.gate;
  const asked = new Set(approvers);
  const empty = escalate.filter(({ to }) => {
    const isNew = to.some((entry) => !asked.has(entry));
    for (const entry of to) asked.add(entry);
    return !isNew;
  });
  const isAlone = approvers.length > 0 && escalate.length === 0 && mayHold(agent);
  return [
    ...empty.map(({ to }) =>
      found("escalation_same_people", `a step asks ${to.join(", ")} again`, "escalate"),
    ),
    ...(isAlone ? [found("no_escalation", "nobody else is asked when they do not answer")] : []),
  ];
}
