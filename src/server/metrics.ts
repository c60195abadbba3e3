// Names and labels are part of the outside contract: dashboards hang on them (docs/telemetry.md).
import type { AgentTotals } from "../core/numbers/totals.ts";
import type { StoreCounts } from "../ports/event-feed.ts";
import type { RequestStatus, ThreadStatus } from "../ports/store.ts";
import { createAgentMetrics } from "./agent-metrics.ts";
import { family, histogramFamily, type Labels } from "./exposition.ts";

/** What the store says when it is asked. */
interface MeasuredNow {
  readonly counts: StoreCounts;
  /** `null` where nobody counts: then nothing is told of agents. */
  readonly totals: readonly AgentTotals[] | null;
  /** Names of the agents of this process. */
  readonly agents: readonly string[];
  readonly followers: number;
  readonly at: number;
}

export interface Metrics {
  /** Counts one answered request. `route` is the pattern, never the address itself: labels must stay few. */
  answered(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  text(now: MeasuredNow): string;
}

/** Upper bounds in seconds. A verdict is to take 0.05 at most. */
const buckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

interface Answered {
  readonly labels: Labels;
  value: number;
}

interface Durations {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

export function createMetrics(): Metrics {
  const answered = new Map<string, Answered>();
  const durations = new Map<string, Durations>();
  const agentLines = createAgentMetrics();
  return {
    answered({ method, route, status, seconds }) {
      const key = `${method} ${status} ${route}`;
      const requests = answered.get(key) ?? { labels: { method, route, status: String(status) }, value: 0 };
      answered.set(key, requests);
      requests.value += 1;
      const histogram = durations.get(route) ?? {
        labels: { route },
        counts: buckets.map(() => 0),
        sum: 0,
        count: 0,
      };
      durations.set(route, histogram);
      record(histogram, seconds);
    },
    text({ counts, totals, agents, followers, at }) {
      return [
        ...threadLines(counts),
        ...requestLines(counts, at),
        ...(totals ? agentLines(totals, { known: agents, at }) : []),
        ...family(
          {
            name: "holdpoint_events_appended_total",
            kind: "counter",
            help: "Events ever appended to the store.",
          },
          [{ value: counts.events }],
        ),
        ...family(
          { name: "holdpoint_event_streams", kind: "gauge", help: "Clients that follow a thread's events." },
          [{ value: followers }],
        ),
        ...family(
          { name: "holdpoint_http_requests_total", kind: "counter", help: "Answered HTTP requests." },
          [...answered.values()],
        ),
        ...histogramFamily(
          { name: "holdpoint_http_request_duration_seconds", help: "Time to the beginning of the answer." },
          buckets,
          [...durations.values()],
        ),
        "",
      ].join("\n");
    },
  };
}

function record(histogram: Durations, seconds: number): void {
  histogram.sum += seconds;
  histogram.count += 1;
  for (const [index, bound] of buckets.entries())
    if (seconds <= bound) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
}

const threadStatuses: readonly ThreadStatus[] = ["running", "waiting", "completed", "failed", "cancelled"];
const requestStatuses: readonly RequestStatus[] = ["open", "decided", "expired", "withdrawn"];

function threadLines({ threads }: StoreCounts): readonly string[] {
  return family(
    { name: "holdpoint_threads", kind: "gauge", help: "Threads by status." },
    threadStatuses.map((status) => ({ labels: { status }, value: threads[status] ?? 0 })),
  );
}

function requestLines({ requests, oldestOpenAt }: StoreCounts, at: number): readonly string[] {
  const age = oldestOpenAt === null ? 0 : Math.max(0, (at - Date.parse(oldestOpenAt)) / 1_000);
  return [
    ...family(
      { name: "holdpoint_requests", kind: "gauge", help: "Requests to people by status." },
      requestStatuses.map((status) => ({ labels: { status }, value: requests[status] ?? 0 })),
    ),
    ...family(
      {
        name: "holdpoint_oldest_open_request_age_seconds",
        kind: "gauge",
        help: "Age of the oldest open request; 0 without one.",
      },
      [{ value: age }],
    ),
  ];
}
