// What agents did, counted from the logs of all threads that the store has: the same from every process that serves it,
// and after every restart.
//
// M1. A counter never falls while a process runs, also when logs are removed (`holdpoint prune`).
// M2. Labels stay few: agents by name, at most `maxAgents` of them, and words of ours; no ids, versions or models.
import type { FactKind } from "../core/numbers/facts.ts";
import { type AgentTotals, type EndedTotals, type TimeName, timeBounds } from "../core/numbers/totals.ts";
import { family, type Histogram, histogramFamily, type Labels, type Sample } from "./exposition.ts";

/** More share the label `other`: those that this process knows come first, then others by name. */
const maxAgents = 100;

/** Gives the lines of all families. `known`: agents of this process, which are there from the start. */
export type AgentMetrics = (
  totals: readonly AgentTotals[],
  now: { readonly known: readonly string[]; readonly at: number },
) => readonly string[];

export function createAgentMetrics(): AgentMetrics {
  const rising = createRising();
  return (totals, { known, at }) => {
    const named = labelled(totals, known);
    return [
      ...counters.flatMap(({ name, help, series }) =>
        family(
          { name, help, kind: "counter" },
          counted(named, series, (labels, value) => rising(name, labels, value)),
        ),
      ),
      ...timeFamilies.flatMap(({ name, help, time }) =>
        histogramFamily({ name, help }, inSeconds(timeBounds[time]), timed(named, time, name, rising)),
      ),
      ...openLines(named, at),
    ];
  };
}

interface Named {
  readonly agent: string;
  /** Several where they share a label; none for an agent that has done nothing yet. */
  readonly totals: readonly AgentTotals[];
}

function labelled(totals: readonly AgentTotals[], known: readonly string[]): readonly Named[] {
  const others = totals.map(({ agent }) => agent).filter((agent) => !known.includes(agent));
  const own = new Set([...known, ...others.sort()].slice(0, maxAgents));
  const byLabel = new Map<string, AgentTotals[]>([...own].map((agent) => [agent, []]));
  for (const each of totals) {
    const label = own.has(each.agent) ? each.agent : "other";
    byLabel.set(label, [...(byLabel.get(label) ?? []), each]);
  }
  return [...byLabel].map(([agent, of]) => ({ agent, totals: of }));
}

interface Series {
  readonly labels: Labels;
  readonly of: (totals: AgentTotals) => number;
}

interface Counter {
  readonly name: string;
  readonly help: string;
  readonly series: readonly Series[];
}

function ended(name: keyof EndedTotals, labels: Labels = {}): Series {
  return { labels, of: (totals) => totals.ended?.[name] ?? 0 };
}

function fact(kind: FactKind, labels: Labels = {}): Series {
  return { labels, of: ({ facts }) => facts.get(kind) ?? 0 };
}

const counters: readonly Counter[] = [
  {
    name: "holdpoint_threads_ended_total",
    help: "Threads that ended, by outcome.",
    series: (["completed", "failed", "cancelled"] as const).map((outcome) => ended(outcome, { outcome })),
  },
  {
    name: "holdpoint_threads_not_accepted_total",
    help: "Completed threads whose output the agent's own check did not accept.",
    series: [ended("notAccepted")],
  },
  {
    name: "holdpoint_context_overflows_total",
    help: "Model inputs that a provider found too long (reported), and windows that had to be shrunk further (prevented).",
    series: [fact("overflow", { kind: "reported" }), fact("overflow_prevented", { kind: "prevented" })],
  },
  {
    name: "holdpoint_critical_actions_total",
    help: "Actions that were held, or of high risk, and started.",
    series: [fact("critical")],
  },
  {
    name: "holdpoint_critical_actions_allowed_total",
    help: "Critical actions that the gate let start without asking.",
    series: [fact("critical_allowed")],
  },
  {
    name: "holdpoint_critical_actions_unapproved_total",
    help: "Critical actions that started without the approval they needed; must stay 0.",
    series: [fact("critical_unapproved")],
  },
  {
    name: "holdpoint_misoperations_total",
    help: "Critical actions that started without approval, or that a person flagged.",
    series: [fact("misoperation")],
  },
  {
    name: "holdpoint_actions_flagged_total",
    help: "Flags that people put on actions.",
    series: [fact("flagged")],
  },
  { name: "holdpoint_actions_held_total", help: "Actions that the gate held.", series: [fact("held")] },
  {
    name: "holdpoint_actions_denied_total",
    help: "Actions that were refused, so that nothing ran, by whom or what.",
    series: (["gate", "validation", "person", "deadline"] as const).map((by) => fact(`denied_${by}`, { by })),
  },
  {
    name: "holdpoint_requests_answered_total",
    help: "Requests that were closed: by a person, a standing approval, or by nobody in time.",
    series: [
      fact("answered", { by: "person" }),
      fact("answered_standing", { by: "standing" }),
      fact("unanswered", { by: "nobody" }),
    ],
  },
  {
    name: "holdpoint_invalid_outputs_total",
    help: "Outputs of models that were no valid decision.",
    series: [fact("invalid_output")],
  },
  {
    name: "holdpoint_limits_reached_total",
    help: "Limits of agents that were reached.",
    series: [fact("limit")],
  },
  {
    name: "holdpoint_model_calls_total",
    help: "Model calls of ended threads.",
    series: [ended("modelCalls")],
  },
  {
    name: "holdpoint_model_unpriced_calls_total",
    help: "Model calls of ended threads whose price is not known: missing in the cost.",
    series: [ended("unpricedCalls")],
  },
  {
    name: "holdpoint_model_tokens_total",
    help: "Tokens of the model calls of ended threads.",
    series: [ended("inputTokens", { direction: "input" }), ended("outputTokens", { direction: "output" })],
  },
  {
    name: "holdpoint_model_cost_usd_total",
    help: "Cost of the model calls of ended threads in US dollars, as far as prices are known.",
    series: [ended("usd")],
  },
];

const timeFamilies: readonly { readonly name: string; readonly help: string; readonly time: TimeName }[] = [
  {
    name: "holdpoint_thread_active_seconds",
    help: "Time of ended threads in steps, models and tools, added up.",
    time: "activeMs",
  },
  { name: "holdpoint_thread_wall_seconds", help: "Time of ended threads from start to end.", time: "wallMs" },
  {
    name: "holdpoint_thread_waiting_seconds",
    help: "Time of ended threads in which they only waited, for people, timers, signals, children or a next try.",
    time: "waitingMs",
  },
  {
    name: "holdpoint_request_answer_seconds",
    help: "Time from a request to the verdict of a person.",
    time: "answerMs",
  },
];

function counted(
  named: readonly Named[],
  series: readonly Series[],
  rising: (labels: Labels, value: number) => number,
): readonly Sample[] {
  return named.flatMap(({ agent, totals }) =>
    series.map(({ labels: own, of }) => {
      const labels = { agent, ...own };
      return { labels, value: rising(labels, sum(totals, of)) };
    }),
  );
}

function timed(named: readonly Named[], time: TimeName, name: string, rising: Rising): readonly Histogram[] {
  return named.map(({ agent, totals }) => {
    const labels = { agent };
    const up = (part: string, of: (totals: AgentTotals) => number): number =>
      rising(`${name} ${part}`, labels, sum(totals, of));
    return {
      labels,
      counts: timeBounds[time].map((bound, index) =>
        up(String(bound), ({ times }) => times.get(time)?.counts[index] ?? 0),
      ),
      count: up("count", ({ times }) => times.get(time)?.count ?? 0),
      sum: up("sum", ({ times }) => (times.get(time)?.sumMs ?? 0) / 1_000),
    };
  });
}

function openLines(named: readonly Named[], at: number): readonly string[] {
  const age = ({ oldestOpenAt }: AgentTotals): number =>
    oldestOpenAt === null ? 0 : Math.max(0, (at - Date.parse(oldestOpenAt)) / 1_000);
  return [
    ...family(
      { name: "holdpoint_open_requests", kind: "gauge", help: "Requests that wait for people." },
      named.map(({ agent, totals }) => ({
        labels: { agent },
        value: sum(totals, ({ openRequests }) => openRequests),
      })),
    ),
    ...family(
      {
        name: "holdpoint_open_request_oldest_age_seconds",
        kind: "gauge",
        help: "Age of the oldest open request of an agent; 0 without one.",
      },
      named.map(({ agent, totals }) => ({ labels: { agent }, value: Math.max(0, ...totals.map(age)) })),
    ),
  ];
}

function sum(totals: readonly AgentTotals[], of: (totals: AgentTotals) => number): number {
  return totals.reduce((all, each) => all + of(each), 0);
}

function inSeconds(bounds: readonly number[]): readonly number[] {
  return bounds.map((bound) => bound / 1_000);
}

type Rising = (name: string, labels: Labels, value: number) => number;

/** M1. What a series has lost since it was last asked for is added from then on. */
function createRising(): Rising {
  const seen = new Map<string, { last: number; lost: number }>();
  return (name, labels, value) => {
    const key = JSON.stringify([name, labels]);
    const series = seen.get(key) ?? { last: 0, lost: 0 };
    seen.set(key, series);
    if (value < series.last) series.lost += series.last - value;
    series.last = value;
    return value + series.lost;
  };
}
