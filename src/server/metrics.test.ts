import { describe, expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

const counts = {
  threads: { waiting: 2 },
  requests: { open: 1 },
  oldestOpenAt: "2026-01-01T00:00:00.000Z",
  events: 7,
};
const at = Date.UTC(2026, 0, 1, 0, 1);

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

const none = { totals: null, agents: [] };

describe("metrics", () => {
  test("tell of threads, requests, events and streams", () => {
    const lines = linesOf(createMetrics().text({ ...none, counts, followers: 3, at }));
    expect(lines).toEqual([
      'holdpoint_threads{status="running"} 0',
      'holdpoint_threads{status="waiting"} 2',
      'holdpoint_threads{status="completed"} 0',
      'holdpoint_threads{status="failed"} 0',
      'holdpoint_threads{status="cancelled"} 0',
      'holdpoint_requests{status="open"} 1',
      'holdpoint_requests{status="decided"} 0',
      'holdpoint_requests{status="expired"} 0',
      'holdpoint_requests{status="withdrawn"} 0',
      "holdpoint_oldest_open_request_age_seconds 60",
      "holdpoint_events_appended_total 7",
      "holdpoint_event_streams 3",
    ]);
  });

  test("count answers by route and status, and the time that they took", () => {
    const metrics = createMetrics();
    const route = "/v1/threads/{threadId}";
    for (const seconds of [0.004, 0.02, 3]) metrics.answered({ method: "GET", route, status: 200, seconds });
    metrics.answered({ method: "GET", route, status: 404, seconds: 0.004 });
    const lines = linesOf(metrics.text({ ...none, counts, followers: 0, at }));
    expect(lines).toContain(`holdpoint_http_requests_total{method="GET",route="${route}",status="200"} 3`);
    expect(lines).toContain(`holdpoint_http_requests_total{method="GET",route="${route}",status="404"} 1`);
    const name = "holdpoint_http_request_duration_seconds";
    expect(lines).toContain(`${name}_bucket{route="${route}",le="0.005"} 2`);
    expect(lines).toContain(`${name}_bucket{route="${route}",le="0.025"} 3`);
    expect(lines).toContain(`${name}_bucket{route="${route}",le="+Inf"} 4`);
    expect(lines).toContain(`${name}_sum{route="${route}"} 3.028`);
    expect(lines).toContain(`${name}_count{route="${route}"} 4`);
  });

  test("keep to the format: each family has its help, its type, and all of its lines together", () => {
    const metrics = createMetrics();
    for (const route of ["/a", '/b"\\\n'])
      metrics.answered({ method: "GET", route, status: 200, seconds: 0 });
    const text = metrics.text({ ...none, counts, followers: 0, at });
    const families = text.split(/^# HELP /m).slice(1);
    for (const family of families) {
      const [help = "", type = "", ...rows] = family.trimEnd().split("\n");
      const name = help.split(" ")[0] ?? "";
      expect(type).toMatch(new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`));
      for (const row of rows)
        expect(row).toMatch(new RegExp(`^${name}(_bucket|_sum|_count)?(\\{.*\\})? [\\d.e+-]+$`));
    }
    expect(text).toContain('route="/b\\"\\\\\\n"');
    expect(text.endsWith("\n")).toBe(true);
  });
});
