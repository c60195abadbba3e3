// What Prometheus scrapes: in the format to the letter, under names that stay, and counted from the logs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { agent } from "../../src/core/agent.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { flagAction } from "../../src/runtime/flag-action.ts";
import { pruneSqliteStore } from "../../src/stores/sqlite/prune.ts";
import { parseExposition } from "../kit/exposition.ts";
import { servicesOfEachTest, type TestService } from "../kit/http.ts";
import { calls, payTool, turns } from "../kit/runtime.ts";

const open = servicesOfEachTest();

/** Pays what a person approves, and answers; each thread asks its model twice. */
function desk(threads = 1) {
  const script = Array.from({ length: threads }, () => [
    calls(["pay", { cents: 5 }]),
    { text: "paid" },
  ]).flat();
  return agent({
    name: "desk",
    prompt: "Work.",
    model: turns(...script),
    tools: [payTool({ risk: "high" })],
    accept: () => false,
  });
}

async function scraped({ send }: TestService) {
  const response = await send("/metrics");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const families = parseExposition(await response.text());
  return {
    families,
    /** Of a series by its labels as they stand there, such as `agent="desk"`. */
    value: (name: string, labels: Readonly<Record<string, string>> = {}): number | undefined => {
      const family = [...families.values()].find(
        (each) => name.startsWith(each.name) && each.samples.some((sample) => sample.name === name),
      );
      const wanted = JSON.stringify(Object.entries(labels).sort());
      return family?.samples.find(
        (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
      )?.value;
    },
  };
}

async function paid(service: TestService, input: unknown): Promise<string> {
  const { threadId } = (await service.json("/v1/threads", { body: { agent: "desk", input } })).body;
  await service.settle(threadId);
  await service.clock.advance(90_000);
  const [request] = await service.openRequests();
  await service.decide(request?.requestId ?? "", { kind: "approve" }, { by: "kim@example.com" });
  await service.settle(threadId);
  return threadId;
}

describe("metrics", () => {
  test("have these names, types and labels", async () => {
    const service = await open({ agents: [desk()] });
    await paid(service, 1);
    await service.send("/metrics");
    const { families } = await scraped(service);
    const described = [...families.values()].map(({ name, type, samples }) => {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
      return `${type} ${name} ${[...labels].sort().join(",")}`.trim();
    });
    expect(described).toEqual([
      "gauge holdpoint_threads status",
      "gauge holdpoint_requests status",
      "gauge holdpoint_oldest_open_request_age_seconds",
      "counter holdpoint_threads_ended_total agent,outcome",
      "counter holdpoint_threads_not_accepted_total agent",
      "counter holdpoint_context_overflows_total agent,kind",
      "counter holdpoint_critical_actions_total agent",
      "counter holdpoint_critical_actions_allowed_total agent",
      "counter holdpoint_critical_actions_unapproved_total agent",
      "counter holdpoint_misoperations_total agent",
      "counter holdpoint_actions_flagged_total agent",
      "counter holdpoint_actions_held_total agent",
      "counter holdpoint_actions_denied_total agent,by",
      "counter holdpoint_requests_answered_total agent,by",
      "counter holdpoint_invalid_outputs_total agent",
      "counter holdpoint_limits_reached_total agent",
      "counter holdpoint_model_calls_total agent",
      "counter holdpoint_model_unpriced_calls_total agent",
      "counter holdpoint_model_tokens_total agent,direction",
      "counter holdpoint_model_cost_usd_total agent",
      "histogram holdpoint_thread_active_seconds agent,le",
      "histogram holdpoint_thread_wall_seconds agent,le",
      "histogram holdpoint_thread_waiting_seconds agent,le",
      "histogram holdpoint_request_answer_seconds agent,le",
      "gauge holdpoint_open_requests agent",
      "gauge holdpoint_open_request_oldest_age_seconds agent",
      "counter holdpoint_events_appended_total",
      "gauge holdpoint_event_streams",
      "counter holdpoint_http_requests_total method,route,status",
      "histogram holdpoint_http_request_duration_seconds le,route",
    ]);
  });

  test("count from the logs what agents did", async () => {
    const service = await open({ agents: [desk()] });
    const before = await scraped(service);
    expect(before.value("holdpoint_threads_ended_total", { agent: "desk", outcome: "completed" })).toBe(0);
    const threadId = await paid(service, 1);
    await flagAction(service.runtime, threadId, "act:pay#1", {
      by: "dana@example.com",
      why: "the wrong one",
    });
    const { value } = await scraped(service);
    const of = (name: string, labels: Readonly<Record<string, string>> = {}) =>
      value(name, { agent: "desk", ...labels });
    expect(of("holdpoint_threads_ended_total", { outcome: "completed" })).toBe(1);
    expect(of("holdpoint_threads_ended_total", { outcome: "failed" })).toBe(0);
    expect(of("holdpoint_threads_not_accepted_total")).toBe(1);
    expect(of("holdpoint_critical_actions_total")).toBe(1);
    expect(of("holdpoint_critical_actions_unapproved_total")).toBe(0);
    expect(of("holdpoint_misoperations_total")).toBe(1);
    expect(of("holdpoint_actions_flagged_total")).toBe(1);
    expect(of("holdpoint_requests_answered_total", { by: "person" })).toBe(1);
    expect(of("holdpoint_model_calls_total")).toBe(2);
    expect(of("holdpoint_model_tokens_total", { direction: "input" })).toBe(20);
    expect(of("holdpoint_model_tokens_total", { direction: "output" })).toBe(10);
    expect(of("holdpoint_model_unpriced_calls_total")).toBe(2);
    expect(of("holdpoint_thread_wall_seconds_sum")).toBe(90);
    expect(of("holdpoint_thread_wall_seconds_bucket", { le: "60" })).toBe(0);
    expect(of("holdpoint_thread_wall_seconds_bucket", { le: "600" })).toBe(1);
    expect(of("holdpoint_request_answer_seconds_count")).toBe(1);
    expect(of("holdpoint_request_answer_seconds_sum")).toBe(90);
  });

  test("tell how many requests wait, and how long the oldest has", async () => {
    const service = await open({ agents: [desk()] });
    const { threadId } = (await service.json("/v1/threads", { body: { agent: "desk", input: 1 } })).body;
    await service.settle(threadId);
    await service.clock.advance(7_000);
    const { value } = await scraped(service);
    expect(value("holdpoint_open_requests", { agent: "desk" })).toBe(1);
    expect(value("holdpoint_open_request_oldest_age_seconds", { agent: "desk" })).toBe(7);
    await service.clock.advance(1_000); // nothing is appended meanwhile
    expect(
      (await scraped(service)).value("holdpoint_open_request_oldest_age_seconds", { agent: "desk" }),
    ).toBe(8);
  });

  test("are summed once a second at most, however many scrape a busy store", async () => {
    const service = await open({ agents: [desk()] });
    const waiting = async () => (await scraped(service)).value("holdpoint_open_requests", { agent: "desk" });
    expect(await waiting()).toBe(0);
    const { threadId } = (await service.json("/v1/threads", { body: { agent: "desk", input: 1 } })).body;
    await service.settle(threadId);
    expect(await waiting()).toBe(0);
    await service.clock.advance(1_000);
    expect(await waiting()).toBe(1);
  });

  test("are the same from every process and after a restart, and do not fall when logs are removed", async () => {
    const first = await open({ agents: [desk(2)] });
    await paid(first, 1);
    const ended = { agent: "desk", outcome: "completed" };
    expect((await scraped(first)).value("holdpoint_threads_ended_total", ended)).toBe(1);
    const second = await open({ agents: [desk()] });
    expect((await scraped(second)).value("holdpoint_threads_ended_total", ended)).toBe(1);
    await first.clock.advance(86_400_000);
    const { threadId } = (await first.json("/v1/threads", { body: { agent: "desk", input: 2 } })).body;
    const now = new Date(first.clock.now());
    const pruned = await pruneSqliteStore({
      path: first.path,
      endedBefore: now,
      now,
      signal: new AbortController().signal,
    });
    expect(pruned.threads).toBe(1);
    const { value } = await scraped(first);
    expect(value("holdpoint_threads_ended_total", ended)).toBe(1);
    await first.settle(threadId);
    const [request] = await first.openRequests();
    await first.decide(request?.requestId ?? "", { kind: "approve" }, { by: "kim@example.com" });
    await first.settle(threadId);
    await first.clock.advance(1_000);
    const after = await scraped(first);
    expect(after.value("holdpoint_threads_ended_total", ended)).toBe(2);
    expect(after.value("holdpoint_thread_wall_seconds_count", { agent: "desk" })).toBe(2);
    expect(after.value("holdpoint_thread_wall_seconds_sum", { agent: "desk" })).toBe(90);
  });

  test("keep their labels few, however many agents the store has seen", async () => {
    const many = Array.from({ length: 130 }, (_, index) =>
      agent({ name: `a${index}`, flow: async () => index }),
    );
    const before = await open({ agents: many });
    await Promise.all(
      many.map(async ({ name }) => {
        const { threadId } = await startThread(before.runtime, name, 1, { by: "kim@example.com" });
        await before.settle(threadId);
      }),
    );
    const { families, value } = await scraped(
      await open({ agents: [agent({ name: "zeta", flow: async () => 1 })] }),
    );
    const agents = new Set(
      [...families.values()].flatMap(({ samples }) => samples.flatMap(({ labels }) => labels.agent ?? [])),
    );
    expect(agents.size).toBe(101);
    expect(agents).toContain("zeta");
    expect(value("holdpoint_threads_ended_total", { agent: "other", outcome: "completed" })).toBe(31);
  });
});

test("the page on telemetry lists every metric with its type and labels, and no other", async () => {
  const service = await open({ agents: [desk()] });
  await paid(service, 1);
  await service.send("/metrics");
  const { families } = await scraped(service);
  const told = [...families.values()].map(({ name, type, samples }) => {
    const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
    return [name, type, ...[...labels].filter((label) => label !== "le").sort()];
  });
  const page = readFileSync(join(import.meta.dirname, "../../docs/telemetry.md"), "utf8");
  const listed = [...page.matchAll(/^\| `(holdpoint_\w+)` \| (\w+) \| (.*?) \|/gm)].map(
    ([, name, type, labels = ""]) => [
      name,
      type,
      ...[...labels.replaceAll(/\(.*?\)/g, "").matchAll(/`(\w+)`/g)].map(([, label]) => label).sort(),
    ],
  );
  expect(listed.sort()).toEqual(told.sort());
});

describe("the strict reader", () => {
  const head = "# HELP a_total A.\n# TYPE a_total counter\n";
  test.each([
    ["no end of line", `${head}a_total 1`],
    ["a series twice", `${head}a_total 1\na_total 1\n`],
    ["a family in pieces", `${head}a_total 1\n# HELP b B.\n# TYPE b gauge\nb 1\n${head}`],
    ["a sample of another family", `${head}b 1\n`],
    ["labels that are none", `${head}a_total{x="1" } 1\n`],
    ["a quote that is not escaped", `${head}a_total{x="""} 1\n`],
    ["a counter by another name", "# HELP a A.\n# TYPE a counter\na 1\n"],
    ["no number", `${head}a_total NaN\n`],
  ])("refuses %s", (_, text) => {
    expect(() => parseExposition(text)).toThrow();
  });
});
