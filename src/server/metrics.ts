// Prometheus' text format, version 0.0.4. Names and labels are part of the outside contract: dashboards hang on them.
import type { StoreCounts } from "../ports/event-feed.ts";
import type { RequestStatus, ThreadStatus } from "../ports/store.ts";

export interface Metrics {
  /** Counts one answered request. `route` is the pattern, never the address itself: labels must stay few. */
  answered(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly seconds: number;
  }): void;
  text(now: { readonly counts: StoreCounts; readonly followers: number; readonly at: number }): string;
}

/** Upper bounds in seconds. A verdict is to take 0.05 at most. */
const buckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

export function createMetrics(): Metrics {
  const answered = new Map<string, number>();
  const durations = new Map<string, Histogram>();
  return {
    answered({ method, route, status, seconds }) {
      const key = labels({ method, route, status: String(status) });
      answered.set(key, (answered.get(key) ?? 0) + 1);
      const route_ = labels({ route });
      const histogram = durations.get(route_) ?? { counts: buckets.map(() => 0), sum: 0, count: 0 };
      durations.set(route_, histogram);
      record(histogram, seconds);
    },
    text({ counts, followers, at }) {
      return [
        ...threadLines(counts),
        ...requestLines(counts, at),
        ...family("holdpoint_events_appended_total", "counter", "Events ever appended to the store.", [
          ["", counts.events],
        ]),
        ...family("holdpoint_event_streams", "gauge", "Clients that follow a thread's events.", [
          ["", followers],
        ]),
        ...family("holdpoint_http_requests_total", "counter", "Answered HTTP requests.", [...answered]),
        ...durationLines(durations),
        "",
      ].join("\n");
    },
  };
}

function record(histogram: Histogram, seconds: number): void {
  histogram.sum += seconds;
  histogram.count += 1;
  for (const [index, bound] of buckets.entries())
    if (seconds <= bound) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
}

const threadStatuses: readonly ThreadStatus[] = ["running", "waiting", "completed", "failed", "cancelled"];
const requestStatuses: readonly RequestStatus[] = ["open", "decided", "expired", "withdrawn"];

function threadLines({ threads }: StoreCounts): readonly string[] {
  const rows = threadStatuses.map((status) => [labels({ status }), threads[status] ?? 0] as const);
  return family("holdpoint_threads", "gauge", "Threads by status.", rows);
}

function requestLines({ requests, oldestOpenAt }: StoreCounts, at: number): readonly string[] {
  const rows = requestStatuses.map((status) => [labels({ status }), requests[status] ?? 0] as const);
  const age = oldestOpenAt === null ? 0 : Math.max(0, (at - Date.parse(oldestOpenAt)) / 1_000);
  return [
    ...family("holdpoint_requests", "gauge", "Requests to people by status.", rows),
    ...family(
      "holdpoint_oldest_open_request_age_seconds",
      "gauge",
      "Age of the oldest open request; 0 without one.",
      [["", age]],
    ),
  ];
}

function durationLines(durations: ReadonlyMap<string, Histogram>): readonly string[] {
  const name = "holdpoint_http_request_duration_seconds";
  const lines = [...durations].flatMap(([route, { counts, sum, count }]) => [
    ...counts.map(
      (value, index) => `${name}_bucket${withLabel(route, "le", String(buckets[index]))} ${value}`,
    ),
    `${name}_bucket${withLabel(route, "le", "+Inf")} ${count}`,
    `${name}_sum${route} ${sum}`,
    `${name}_count${route} ${count}`,
  ]);
  return [...head(name, "histogram", "Time to the beginning of the answer."), ...lines];
}

type Kind = "counter" | "gauge" | "histogram";

function family(
  name: string,
  kind: Kind,
  help: string,
  rows: readonly (readonly [labels: string, value: number])[],
): readonly string[] {
  return [...head(name, kind, help), ...rows.map(([own, value]) => `${name}${own} ${value}`)];
}

function head(name: string, kind: Kind, help: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`];
}

function labels(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${pairs.join(",")}}`;
}

function withLabel(own: string, name: string, value: string): string {
  return `${own.slice(0, -1)},${name}="${escaped(value)}"}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
