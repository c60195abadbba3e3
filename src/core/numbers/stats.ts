// The four numbers of design §8, from what was counted. Pure: a store says what there is, this says what it means.

import type { FactKind, ThreadNumbers } from "./facts.ts";
import { type Spread, spreadOf } from "./spread.ts";

interface Counted {
  readonly agent: string;
  readonly agentVersion: string;
}

/** What is counted of a period; days are those since the epoch, in UTC. */
export interface StatsInput {
  readonly threads: readonly (Counted & ThreadNumbers)[];
  readonly facts: readonly (Counted & {
    readonly day: number;
    readonly kind: FactKind;
    readonly count: number;
  })[];
  readonly answers: readonly (Counted & { readonly day: number; readonly openMs: number })[];
}

/** A share, with what it is of; `rate` is `null` where there is nothing to divide by. */
export interface Share {
  readonly rate: number | null;
  readonly count: number;
  readonly of: number;
}

/** The four numbers, and what stands beside them. Times in milliseconds. */
export interface Stats {
  /** Threads that ended in the period. */
  readonly threads: {
    readonly ended: number;
    readonly completed: number;
    readonly failed: number;
    readonly cancelled: number;
    /** Completed, and refused by the agent's own `accept`. */
    readonly notAccepted: number;
  };
  /** Completed, and accepted where the agent says so, of all that ended. */
  readonly success: Share;
  readonly time: {
    readonly active: Spread | null;
    readonly wall: Spread | null;
    /** Of `wall`: for people, timers, signals, children, or a next try. */
    readonly waiting: Spread | null;
  };
  readonly overflow: {
    readonly perDay: number;
    readonly reported: number;
    /** Model calls whose window had to be shrunk further. */
    readonly prevented: number;
  };
  /** Critical actions without a matching approval, or flagged by a person, of those that started. */
  readonly misoperation: Share & {
    /** Must be 0. */
    readonly unapproved: number;
    /** Critical actions that the gate let run without asking. */
    readonly allowedByGate: number;
    /** Flags, also of actions that are not critical. */
    readonly flags: number;
  };
  /** What did not happen. */
  readonly prevented: {
    /** Actions that were held for a person; some ran after that. */
    readonly held: number;
    readonly deniedByGate: number;
    readonly deniedByValidation: number;
    readonly rejected: number;
    readonly deniedByDeadline: number;
    readonly invalidOutputs: number;
    readonly limits: number;
  };
  /** Completed threads that asked nobody, of all that completed. */
  readonly withoutPerson: Share;
  readonly people: {
    readonly answered: number;
    readonly unanswered: number;
    readonly answeredByStanding: number;
    /** How long requests were open until a person decided. */
    readonly answerTime: Spread | null;
  };
  /** Of the threads that ended, over their whole life. */
  readonly usage: {
    readonly modelCalls: number;
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly usd: number;
    /** Calls of models without a known price: their cost is missing. */
    readonly unpricedCalls: number;
  };
}

export type StatsGrouping = "agent" | "version" | "day";

export interface StatsGroup {
  readonly agent?: string;
  readonly agentVersion?: string;
  /** ISO date, UTC. */
  readonly day?: string;
  readonly stats: Stats;
}

export interface StatsReport {
  /** ISO 8601, UTC. From `since` on, and before `until`. */
  readonly since: string;
  readonly until: string;
  readonly by: StatsGrouping | null;
  readonly total: Stats;
  /** In the order of their names; days in theirs, those without anything too. Empty without `by`. */
  readonly groups: readonly StatsGroup[];
}

export interface StatsPeriod {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly until: number;
}

const dayMs = 86_400_000;

export function statsReport(
  input: StatsInput,
  { from, until }: StatsPeriod,
  by: StatsGrouping | null = null,
): StatsReport {
  const days = (until - from) / dayMs;
  return {
    since: new Date(from).toISOString(),
    until: new Date(until).toISOString(),
    by,
    total: statsOf(input, days),
    groups: by === null ? [] : groupsOf(input, by, { from, until }),
  };
}

/** @param days - the length of the period, by which overflows are divided. */
function statsOf({ threads, facts, answers }: StatsInput, days: number): Stats {
  const counts = new Map<FactKind, number>();
  for (const { kind, count } of facts) counts.set(kind, (counts.get(kind) ?? 0) + count);
  const count = (kind: FactKind): number => counts.get(kind) ?? 0;
  const completed = threads.filter(({ outcome }) => outcome === "completed");
  const notAccepted = completed.filter(({ accepted }) => accepted === false).length;
  const sum = (of: (thread: ThreadNumbers) => number): number =>
    threads.reduce((total, thread) => total + of(thread), 0);
  return {
    threads: {
      ended: threads.length,
      completed: completed.length,
      failed: threads.filter(({ outcome }) => outcome === "failed").length,
      cancelled: threads.filter(({ outcome }) => outcome === "cancelled").length,
      notAccepted,
    },
    success: share(completed.length - notAccepted, threads.length),
    time: {
      active: spreadOf(threads.map(({ activeMs }) => activeMs)),
      wall: spreadOf(threads.map(({ wallMs }) => wallMs)),
      waiting: spreadOf(threads.map(({ waitingMs }) => waitingMs)),
    },
    overflow: {
      perDay: days > 0 ? count("overflow") / days : 0,
      reported: count("overflow"),
      prevented: count("overflow_prevented"),
    },
    misoperation: {
      ...share(count("misoperation"), count("critical")),
      unapproved: count("critical_unapproved"),
      allowedByGate: count("critical_allowed"),
      flags: count("flagged"),
    },
    prevented: {
      held: count("held"),
      deniedByGate: count("denied_gate"),
      deniedByValidation: count("denied_validation"),
      rejected: count("denied_person"),
      deniedByDeadline: count("denied_deadline"),
      invalidOutputs: count("invalid_output"),
      limits: count("limit"),
    },
    withoutPerson: share(completed.filter(({ asked }) => asked === 0).length, completed.length),
    people: {
      answered: answers.length,
      unanswered: count("unanswered"),
      answeredByStanding: count("answered_standing"),
      answerTime: spreadOf(answers.map(({ openMs }) => openMs)),
    },
    usage: {
      modelCalls: sum(({ modelCalls }) => modelCalls),
      inputTokens: sum(({ inputTokens }) => inputTokens),
      outputTokens: sum(({ outputTokens }) => outputTokens),
      usd: sum(({ nanoUsd }) => nanoUsd) / 1e9,
      unpricedCalls: sum(({ unpricedCalls }) => unpricedCalls),
    },
  };
}

function share(count: number, of: number): Share {
  return { rate: of === 0 ? null : count / of, count, of };
}

function groupsOf(input: StatsInput, by: StatsGrouping, period: StatsPeriod): readonly StatsGroup[] {
  const days = (period.until - period.from) / dayMs;
  const parts = partsOf(input, by);
  if (by === "day")
    return daysOf(period).map((day) => ({
      day: new Date(day * dayMs).toISOString().slice(0, 10),
      stats: statsOf(parts.get(String(day))?.input ?? { threads: [], facts: [], answers: [] }, 1),
    }));
  return [...parts.values()]
    .map(({ agent, agentVersion, input: part }) => ({
      agent,
      ...(by === "version" && { agentVersion }),
      stats: statsOf(part, days),
    }))
    .sort(byName);
}

function byName(one: StatsGroup, other: StatsGroup): number {
  const [left, right] = [one, other].map(({ agent, agentVersion }) => JSON.stringify([agent, agentVersion]));
  return (left ?? "") < (right ?? "") ? -1 : 1;
}

/** All days of a period, also those in part. */
function daysOf({ from, until }: StatsPeriod): readonly number[] {
  const first = Math.floor(from / dayMs);
  const length = Math.max(0, Math.ceil(until / dayMs) - first);
  return Array.from({ length }, (_, index) => first + index);
}

interface Part extends Counted {
  readonly input: {
    readonly threads: StatsInput["threads"][number][];
    readonly facts: StatsInput["facts"][number][];
    readonly answers: StatsInput["answers"][number][];
  };
}

function partsOf({ threads, facts, answers }: StatsInput, by: StatsGrouping): ReadonlyMap<string, Part> {
  const parts = new Map<string, Part>();
  const part = (row: Counted, day: number): Part["input"] => {
    const key = by === "day" ? String(day) : by === "agent" ? row.agent : `${row.agent} ${row.agentVersion}`;
    const known = parts.get(key);
    if (known) return known.input;
    const { agent, agentVersion } = row;
    const created: Part = { agent, agentVersion, input: { threads: [], facts: [], answers: [] } };
    parts.set(key, created);
    return created.input;
  };
  for (const thread of threads) part(thread, Math.floor(thread.endedAt / dayMs)).threads.push(thread);
  for (const fact of facts) part(fact, fact.day).facts.push(fact);
  for (const answer of answers) part(answer, answer.day).answers.push(answer);
  return parts;
}
