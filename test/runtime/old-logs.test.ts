// I10. Logs that older versions wrote are read and resumed. The fixtures are kept for ever. A run with
// HOLDPOINT_FIXTURES=<version> in the environment writes those of a new version, and touches none that is there.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Agent, agent } from "../../src/core/agent.ts";
import { currentEventTypes, decodeEvent, encodeEvent } from "../../src/core/codec.ts";
import { cumulative } from "../../src/core/cumulative.ts";
import { HoldpointError } from "../../src/core/errors.ts";
import type { ThreadEvent } from "../../src/core/events.ts";
import { gate } from "../../src/core/gate.ts";
import { rule } from "../../src/core/rule.ts";
import type { ModelInput } from "../../src/ports/model.ts";
import { parsePrompt } from "../../src/prompts/parse-prompt.ts";
import { cancelThread, handleOperation, sendSignal, startThread } from "../../src/runtime/commands.ts";
import { flagAction } from "../../src/runtime/flag-action.ts";
import { grantStanding, listStanding, revokeStanding } from "../../src/runtime/standing.ts";
import {
  calls,
  type Folder,
  openTestRuntime,
  payTool,
  type TestRuntime,
  type Turn,
  tempFolder,
  turns,
} from "../kit/runtime.ts";

const folderOfLogs = join(import.meta.dirname, "../fixtures/logs");

/** How a log is written, and what must come of it when it is resumed. */
interface History {
  readonly name: string;
  readonly agents: () => readonly Agent[];
  /** Takes the thread to where the fixture stops. */
  readonly write: (opened: TestRuntime, threadId: string) => Promise<void>;
  /** The log that is kept, where it is not the thread's own. */
  readonly logOf?: (opened: TestRuntime) => Promise<string>;
  /** Goes on from there to the end. */
  readonly resume: (opened: TestRuntime, threadId: string) => Promise<void>;
  readonly end: unknown;
}

/** Decides by what it is shown, so that it goes on after a restart: something unusable, calls, an answer. */
const script = ({ messages }: ModelInput): Turn => {
  if (messages.some(({ role }) => role === "tool")) return { text: "paid" };
  const corrected = messages.some(({ content }) => content.startsWith("Your last output"));
  return corrected
    ? calls(
        ["pay", { cents: 5 }],
        ["note", { cents: 1 }],
        ["fail", { cents: 1 }],
        ["note", { cents: 1, note: "x" }],
      )
    : calls(["rob", {}]);
};

const approveAll = async (opened: TestRuntime, threadId: string): Promise<void> => {
  for (const request of await opened.openRequests()) {
    const kind = request.opened.kind === "approval" ? "approve" : "continue";
    await opened.decide(request.requestId, { kind });
  }
  await opened.settle(threadId);
};

/** Trouble with the first model, an overflow and three outputs that cannot be used, and then what is asked for. */
const trouble: readonly Turn[] = [
  new HoldpointError("model_overflow", "prompt is too long", { details: { limitTokens: 9_000 } }),
  {
    text: "I cannot",
    finish: "refused",
    warnings: ["no temperature"],
    wire: { digest: "d1g3s7", bytes: 99 },
  },
  calls(["rob", {}]),
  { text: "hal", finish: "length" },
  {
    ...calls(["pay", { cents: 5 }]),
    reasoning: [{ text: "Pay it.", providerData: { anthropic: { signature: "s" } } }],
    usage: { inputTokens: 10, outputTokens: 5, cachedTokens: 4, cacheWriteTokens: 1, reasoningTokens: 2 },
    firstTokenMs: 7,
    wire: { digest: "d1g3s7", bytes: 99 },
  },
  calls(["answer", { mood: "glad" }]),
];

/** Looks until a person was asked. */
const looking = ({ messages }: ModelInput): Turn =>
  messages.some(({ content }) => content.includes("Asked a person"))
    ? { text: "done" }
    : calls(["look", { cents: 1 }]);

/** Pays within a limit, under a rule on trial; what is held starts by a standing approval. Then it asks. */
function payingAgents(): readonly Agent[] {
  const pay = payTool();
  return [
    agent({
      name: "a",
      tools: [pay],
      gate: gate({
        rules: [rule({ tool: pay, when: ({ args }) => args.cents > 5, outcome: "hold", reason: "over 5" })],
        shadow: [{ name: "all", outcome: "deny", reason: "a freeze" }],
        cumulative: (["thread", "day"] as const).map((per) =>
          cumulative({ name: `per ${per}`, tool: pay, amount: ({ cents }) => cents, per, max: 100 }),
        ),
      }),
      async flow(t) {
        const statuses: string[][] = [];
        for (const cents of [5, 6]) {
          const results = await t.act([{ callId: `c${cents}`, tool: "pay", args: { cents } }]);
          statuses.push(results.map(({ status }) => status));
        }
        await t.ask("Anything else?");
        return statuses;
      },
    }),
  ];
}

async function payByStanding(opened: TestRuntime, threadId: string): Promise<void> {
  const expiresAt = new Date(opened.clock.now() + 3_600_000).toISOString();
  const where = [{ path: "$.cents", min: 1, max: 10 }];
  const grant = {
    agent: "a",
    tool: "pay",
    toolVersion: "1",
    where,
    uses: 2,
    expiresAt,
    why: "fixture",
    roles: ["lead"],
  };
  await grantStanding(opened.runtime, grant, { by: "dana@example.com" });
  await opened.settle(threadId);
}

const histories: readonly History[] = [
  {
    name: "models",
    agents: () => [
      agent({
        name: "a",
        prompt: "Work.",
        tools: [payTool()],
        model: [
          Object.assign(turns(new HoldpointError("model_failed", "down", { retryable: true })), {
            id: "m/1",
          }),
          turns(...trouble),
        ],
        async flow(t) {
          const next = await t.decide();
          const paid = next.kind === "calls" ? await t.act(next.calls) : [];
          const { mood } = await t.decide({ name: "mood", output: z.object({ mood: z.string() }) });
          await t.ask("Anything else?");
          return [paid.map(({ status }) => status), mood];
        },
      }),
    ],
    async write(opened, threadId) {
      await opened.settle(threadId);
      await approveAll(opened, threadId); // the overflow: nothing can be left out
      await approveAll(opened, threadId); // the unusable outputs
    },
    async resume(opened, threadId) {
      const [request] = await opened.openRequests();
      await opened.decide(request?.requestId ?? "", { kind: "answer", value: "no" });
      await opened.settle(threadId);
    },
    end: [["completed"], "glad"],
  },
  {
    name: "prompts",
    agents: () => [
      agent({
        name: "a",
        prompt: parsePrompt("Answer {{input.mail}}.", "mail.prompt.md"),
        model: turns(calls(["rob", {}]), { text: "done" }),
        async flow(t) {
          const next = await t.decide();
          await t.ask("Anything else?");
          return next.kind === "answer" ? next.value : next.kind;
        },
      }),
    ],
    write: (opened, threadId) => opened.settle(threadId),
    async resume(opened, threadId) {
      const [request] = await opened.openRequests();
      await opened.decide(request?.requestId ?? "", { kind: "answer", value: "no" });
      await opened.settle(threadId);
    },
    end: "done",
  },
  {
    name: "window",
    agents: () => [
      agent({
        name: "a",
        prompt: "Work.",
        tools: [payTool({ name: "look", effect: "read", run: () => "word ".repeat(200) })],
        model: turns(...Array.from({ length: 6 }, () => looking), { text: "done" }, { text: "done" }),
        limits: { identicalCalls: 100 },
        window: {
          budget: 900,
          summary: {
            model: turns({ text: "It was looked up." }, { text: "" }, { text: "Looked up again." }),
          },
        },
        async flow(t) {
          await t.note("Never on a Sunday.", { pin: true });
          for (;;) {
            const next = await t.decide();
            if (next.kind === "answer") break;
            await t.act(next.calls);
          }
          await t.ask("Anything else?");
          return (await t.decide()).kind;
        },
      }),
    ],
    write: (opened, threadId) => opened.settle(threadId),
    async resume(opened, threadId) {
      const [request] = await opened.openRequests();
      await opened.decide(request?.requestId ?? "", { kind: "answer", value: "no" });
      await opened.settle(threadId);
    },
    end: "answer",
  },
  {
    name: "everything",
    agents: () => [
      agent({ name: "child", flow: async () => "grown up" }),
      agent({
        name: "a",
        prompt: "Work.",
        tools: [
          payTool({ risk: "high" }),
          payTool({ name: "note" }),
          payTool({ name: "fail", run: () => Promise.reject(new HoldpointError("tool_failed", "no")) }),
        ],
        model: turns(script, script, script),
        limits: { steps: 1 },
        async flow(t) {
          const order = await t.step("load", () => ({ id: "A7" }));
          await t.step(
            "flaky",
            ({ attempt }) => (attempt === 1 ? Promise.reject(new Error("busy")) : attempt),
            { backoff: 0 },
          );
          const child = await t.call("child", order);
          const first = await t.decide({ see: { order } });
          const results = first.kind === "calls" ? await t.act(first.calls) : [];
          const denied = await t.act([{ callId: "x", tool: "unknown", args: {} }]);
          const expired = await t.ask("Anyone?", { expiresIn: "1m", name: "quick" });
          await t.sleep("1h");
          const signal = await t.wait("paid", { expiresIn: "9d" });
          const late = await t.wait("never", { expiresIn: "1m" });
          const second = await t.decide();
          return [
            child,
            results.map(({ status }) => status),
            denied.map(({ status }) => status),
            expired.kind,
            signal.kind,
            late.kind,
            second.kind,
            (await t.now()).getTime() > 0,
          ];
        },
      }),
    ],
    async write(opened, threadId) {
      await opened.settle(threadId);
      await approveAll(opened, threadId);
      await opened.clock.advance(60_000);
      await opened.settle(threadId);
      await opened.clock.advance(3_600_000);
      await opened.settle(threadId);
      await sendSignal(opened.runtime, threadId, {
        signal: "paid",
        value: { by: "card" },
        by: "test",
        signalId: "s1",
      });
      await opened.settle(threadId);
      await opened.clock.advance(60_000);
      await opened.settle(threadId);
    },
    resume: approveAll,
    end: [
      "grown up",
      ["completed", "completed", "failed", "completed"],
      ["denied"],
      "expired",
      "received",
      "expired",
      "answer",
      true,
    ],
  },
  {
    name: "policies",
    agents: payingAgents,
    write: payByStanding,
    async resume(opened, threadId) {
      const [request] = await opened.openRequests();
      await opened.decide(request?.requestId ?? "", { kind: "answer", value: "no" });
      await opened.settle(threadId);
    },
    end: [["completed"], ["completed"]],
  },
  {
    name: "standing",
    agents: payingAgents,
    write: payByStanding,
    logOf: async ({ runtime }) => (await listStanding(runtime, { all: true }))[0]?.standingId ?? "",
    async resume(opened, standingId) {
      expect(await listStanding(opened.runtime)).toMatchObject([{ status: "open", uses: [{}] }]);
      await revokeStanding(opened.runtime, standingId, { by: "dana@example.com", why: "fixture" });
    },
    end: "thread_cancelled",
  },
  {
    name: "in-doubt",
    agents: () => [
      agent({
        name: "a",
        tools: [payTool({ timeout: 1, run: () => new Promise(() => {}) })],
        flow: async (t) => t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]),
      }),
    ],
    async write(opened, threadId) {
      const settled = opened.settle(threadId);
      while (opened.clock.pending < 2) await new Promise((resolve) => setImmediate(resolve));
      await opened.clock.advance(1);
      await settled;
    },
    async resume(opened, threadId) {
      await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "done", value: "seen" });
      await opened.settle(threadId);
    },
    end: [{ call: { callId: "c", tool: "pay", args: { cents: 5 } }, status: "completed", value: "seen" }],
  },
  {
    name: "answered",
    agents: () => [
      agent({
        name: "a",
        flow: async (t) => [
          await t.ask("Which?", { answer: z.object({ size: z.string().default("M") }) }),
          await t.wait("go"),
        ],
      }),
    ],
    async write(opened, threadId) {
      await opened.settle(threadId);
      await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "answer", value: {} });
      await opened.settle(threadId);
    },
    async resume(opened, threadId) {
      await sendSignal(opened.runtime, threadId, { signal: "go", value: 1, by: "test" });
      await opened.settle(threadId);
    },
    end: [
      { kind: "answered", value: { size: "M" }, by: "dana@example.com" },
      { kind: "received", value: 1, by: "test" },
    ],
  },
  {
    name: "people",
    agents: () => [
      agent({
        name: "a",
        tools: [payTool({ risk: "high", preview: ({ cents }) => `pays ${cents} cents` })],
        gate: gate({
          approvers: ["dana@example.com", "role:lead"],
          quorum: 2,
          remindAfter: ["1h"],
          escalate: [{ after: "2h", to: ["kim@example.com"] }],
        }),
        async flow(t) {
          const first = await t.act([{ callId: "c1", tool: "pay", args: { cents: 500 } }]);
          const second = await t.act([{ callId: "c2", tool: "pay", args: { cents: 700 } }]);
          return [...first, ...second].map(({ status }) => status);
        },
      }),
    ],
    async write(opened, threadId) {
      await opened.settle(threadId);
      for (const by of ["dana@example.com", "lee@example.com"]) {
        const [request] = await opened.openRequests();
        await opened.decide(request?.requestId ?? "", { kind: "approve" }, { by, roles: ["lead"] });
      }
      await opened.settle(threadId);
      for (let hour = 1; hour <= 2; hour++) {
        await opened.clock.advance(3_600_000);
        await opened.settle(threadId);
      }
      await opened.decide((await opened.openRequests())[0]?.requestId ?? "", { kind: "approve" });
      await opened.settle(threadId);
    },
    async resume(opened, threadId) {
      const [request] = await opened.openRequests();
      expect(request).toMatchObject({
        approvers: expect.arrayContaining(["kim@example.com"]),
        dueAt: expect.any(String),
      });
      await opened.decide(request?.requestId ?? "", { kind: "approve" }, { by: "kim@example.com" });
      await opened.settle(threadId);
    },
    end: ["completed", "completed"],
  },
  {
    name: "handled",
    agents: () => [agent({ name: "a", flow: async (t) => t.wait("go").then(({ kind }) => kind) })],
    async write(opened, threadId) {
      await opened.settle(threadId);
      await handleOperation(opened.runtime, threadId, "wait:go#1", {
        by: "dana@example.com",
        why: "fixture",
      });
    },
    async resume(opened, threadId) {
      await sendSignal(opened.runtime, threadId, { signal: "go", value: 1, by: "test" });
      await opened.settle(threadId);
    },
    end: "received",
  },
  {
    name: "failed",
    agents: () => [agent({ name: "a", flow: async () => Promise.reject(new Error("broken")) })],
    write: (opened, threadId) => opened.settle(threadId),
    resume: async () => {},
    end: "thread_failed",
  },
  {
    name: "cancelled",
    agents: () => [agent({ name: "a", flow: async (t) => t.wait("go") })],
    async write(opened, threadId) {
      await opened.settle(threadId);
      await cancelThread(opened.runtime, threadId, { by: "dana@example.com", why: "fixture" });
    },
    resume: async () => {},
    end: "thread_cancelled",
  },
  {
    name: "flagged",
    agents: () => [
      agent({
        name: "a",
        tools: [payTool()],
        flow: async (t) => t.act([{ callId: "c", tool: "pay", args: { cents: 5 } }]),
      }),
    ],
    async write(opened, threadId) {
      await opened.settle(threadId);
      await flagAction(opened.runtime, threadId, "act:pay#1", { by: "dana@example.com", why: "twice" });
    },
    resume: async () => {},
    end: "action_flagged",
  },
  {
    name: "completed",
    agents: () => [agent({ name: "a", flow: async (t) => t.uuid() })],
    write: (opened, threadId) => opened.settle(threadId),
    resume: async () => {},
    end: "00000000-0000-4000-8000-000000000000",
  },
];

let folder: Folder;
let opened: TestRuntime | null = null;
beforeEach(() => {
  folder = tempFolder();
});
afterEach(async () => {
  await opened?.close();
  opened = null;
  folder.remove();
});

async function open(history: History): Promise<TestRuntime> {
  opened = await openTestRuntime({ folder, agents: history.agents() });
  return opened;
}

const files = readdirSync(folderOfLogs).filter((file) => file.endsWith(".jsonl"));

function readFixture(file: string): readonly ThreadEvent[] {
  const lines = readFileSync(join(folderOfLogs, file), "utf8").trimEnd().split("\n");
  return lines.map((line, index) => decodeEvent(line, index + 1, file));
}

describe("logs of released versions", () => {
  it("hold every type of event that there is", () => {
    const types = new Set(files.flatMap((file) => readFixture(file).map((event) => event.type)));
    expect([...types].sort()).toEqual([...currentEventTypes].sort());
  });

  it.each(files)("are read and resumed: %s", async (file) => {
    const history = histories.find(({ name }) => file.endsWith(`-${name}.jsonl`));
    if (!history) throw new Error(`${file} has no flow in this test`);
    const runtime = await open(history);
    const events = readFixture(file);
    const [first] = events;
    const threadId = first?.type === "thread_started" ? first.threadId : "";
    const bodies = events.map(({ seq: _seq, at, ...body }) => ({ body: body as never, at }));
    await runtime.runtime.store.append({ threadId, expectedSeq: 0, events: bodies });
    runtime.clock.set(Math.max(...events.map((event) => Date.parse(event.at))));
    await runtime.settle(threadId);
    await history.resume(runtime, threadId);
    const last = (await runtime.events(threadId)).at(-1);
    expect(last?.type === "thread_completed" ? last.output.value : last?.type).toEqual(history.end);
    expect((await runtime.events(threadId)).slice(0, events.length)).toEqual(events);
  });

  it("are written by today's code in a form that today's code reads", async () => {
    const { HOLDPOINT_FIXTURES: version = "" } = process.env;
    for (const history of histories) {
      folder.remove();
      folder = tempFolder();
      const runtime = await open(history);
      const { threadId } = await startThread(
        runtime.runtime,
        "a",
        { mail: "hello" },
        { by: "test", key: history.name },
      );
      await history.write(runtime, threadId);
      const events = await runtime.events((await history.logOf?.(runtime)) ?? threadId);
      const lines = events.map(({ seq: _seq, at, ...body }) => encodeEvent(body as never, at));
      expect(lines.map((line, index) => decodeEvent(line, index + 1, threadId))).toEqual(events);
      writeOnce(version, history.name, lines);
      await runtime.close();
      opened = null;
    }
  });
});

/** With HOLDPOINT_FIXTURES=<version> in the environment the logs are kept, unless that version has its own already. */
function writeOnce(version: string, name: string, lines: readonly string[]): void {
  const path = join(folderOfLogs, `${version}-${name}.jsonl`);
  if (version === "" || existsSync(path)) return;
  writeFileSync(path, `${lines.join("\n")}\n`);
}
