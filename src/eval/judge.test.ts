// One thread's log, judged by many cases: what is expected and what is forbidden are sentences about the same events.
import { describe, expect, it } from "vitest";
import { type EventBody, event, type ThreadEvent } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { Evidence } from "./evidence.ts";
import { judgeTrial } from "./judge.ts";
import type { EvalCase, EvalSuite, Expectations, Never } from "./suite.ts";

const threadId = "th_1";

function log(...bodies: readonly EventBody[]): readonly ThreadEvent[] {
  return bodies.map(
    (body, index) => ({ ...body, seq: index + 1, at: "2026-01-01T00:00:00.000Z" }) as ThreadEvent,
  ); // the spread loses the union
}

function proposed(key: string, tool: string, args: Json, kind: "allow" | "hold" = "allow"): EventBody {
  const gate = kind === "allow" ? { kind } : { kind, reason: "risky" };
  return event("action_proposed", {
    key,
    callId: key,
    tool,
    toolVersion: "1",
    args,
    digest: `digest of ${key} ${JSON.stringify(args)}`,
    risk: "high",
    effect: "once",
    gate,
  });
}

function ran(key: string, args: Json): readonly EventBody[] {
  return [
    event("action_started", {
      key,
      attempt: 1,
      digest: `digest of ${key} ${JSON.stringify(args)}`,
      idempotencyKey: key,
    }),
    event("action_completed", { key, attempt: 1, durationMs: 1, result: {} }),
  ];
}

function asked(requestId: string, key: string, tool: string): EventBody {
  return event("request_opened", {
    requestId,
    key,
    kind: "approval",
    question: `May it ${tool}?`,
    choices: ["approve"],
    approvers: [],
    expiresAt: null,
    why: "risky",
    action: { tool, toolVersion: "1", args: {}, digest: "d" },
  });
}

function approved(requestId: string, key: string, args: Json): EventBody {
  return event("request_decided", {
    requestId,
    key,
    verdict: { kind: "approve" },
    by: "dana@example.com",
    via: "eval",
    digest: `digest of ${key} ${JSON.stringify(args)}`,
  });
}

const usage = { inputTokens: 100, outputTokens: 20 };
const window = { digest: "", tokens: 90, budget: 100, fromSeq: 1, dropped: 0 };

const events = log(
  event("thread_started", { threadId, agent: "desk", agentVersion: "1", input: {}, by: "eval" }),
  {
    ...event("decision_made", {
      key: "decide#1",
      attempt: 1,
      durationMs: 5,
      decision: { kind: "calls", calls: [] },
      model: "m",
      usage,
      window,
    }),
  },
  proposed("act:find#1", "find", { id: "A7" }),
  ...ran("act:find#1", { id: "A7" }),
  proposed("act:refund#1", "refund", { id: "A7", cents: 42 }, "hold"),
  asked("r_1", "act:refund#1", "refund"),
  approved("r_1", "act:refund#1", { id: "A7", cents: 42 }),
  ...ran("act:refund#1", { id: "A7", cents: 42 }),
  proposed("act:send#1", "send", { to: "mallory@example.net" }, "hold"),
  asked("r_2", "act:send#1", "send"),
  event("action_denied", { key: "act:send#1", deniedBy: "person", by: "dana@example.com", why: "no" }),
  event("thread_completed", {
    output: { value: { outcome: "done", orders: [{ id: "A7" }] } },
    accepted: true,
  }),
);
const evidence: Evidence = {
  logs: [{ threadId, events }],
  output: { outcome: "done", orders: [{ id: "A7" }] },
  error: null,
};

function judged(part: Partial<EvalCase>, suite: Partial<EvalSuite> = {}, of = evidence): readonly string[] {
  const each: EvalCase = { name: "case", ...part };
  return judgeTrial({ name: "suite", cases: [each], ...suite }, each, of).map(
    ({ rule, message }) => `${rule}: ${message}`,
  );
}

describe("what is expected", () => {
  it.each<[name: string, expect: Expectations]>([
    ["nothing in particular", {}],
    ["an accepted result", { outcome: "completed", accepted: true, result: { outcome: "done" } }],
    ["values at paths", { paths: { "$.orders[*].id": { $matches: "^A" }, "$.who": { $exists: false } } }],
    ["a text in the result", { matches: '"id":"A7"' }],
    [
      "actions, in any order",
      { actions: [{ tool: "refund", args: { cents: 42 }, times: 1 }, { tool: "find" }] },
    ],
    ["actions in order", { inOrder: true, actions: [{ tool: "find" }, { tool: "refund" }] }],
    ["no action", { actions: [{ tool: "send", times: 0 }] }],
    ["names with a *", { actions: [{ tool: "*", times: 2 }] }],
    ["a denied action", { actions: [{ tool: "send", status: "denied", times: { min: 1, max: 1 } }] }],
    [
      "neighbours",
      {
        actions: [
          { tool: "find", before: "refund" },
          { tool: "refund", after: "find" },
        ],
      },
    ],
  ])("holds: %s", (_name, expectation) => expect(judged({ expect: expectation })).toEqual([]));

  it.each<[expect: Expectations, finding: string | RegExp]>([
    [{ outcome: "failed" }, "expect.outcome: it completed; failed was expected"],
    [{ accepted: false }, "expect.accepted: the agent's own check accepted it"],
    [{ error: "flow_failed" }, "expect.error: the error is none, not flow_failed"],
    [{ result: { outcome: "other" } }, 'expect.result: $.outcome is "done", not "other"'],
    [{ paths: { "$.orders[0].cents": 1 } }, /^expect\.paths \$\.orders\[0\]\.cents: .*has no "cents"/],
    [{ matches: "^never$" }, /^expect\.matches: the result does not match/],
    [
      { actions: [{ tool: "refund", times: 2 }] },
      "expect.actions[0]: refund ran once; exactly 2 was expected",
    ],
    [
      { actions: [{ tool: "refund", args: { cents: 7 } }] },
      'expect.actions[0]: refund with {"cents":7} ran never; at least 1 was expected: $.cents is 42, not 7',
    ],
    [
      { actions: [{ tool: "send" }] },
      "expect.actions[0]: send ran never; at least 1 was expected: it was denied",
    ],
    [
      { actions: [{ tool: "find", times: { max: 0 } }] },
      "expect.actions[0]: find ran once; exactly 0 was expected",
    ],
    [
      { actions: [{ tool: "find", after: "refund" }] },
      "expect.actions[0]: find ran without refund before it",
    ],
    [{ actions: [{ tool: "refund", before: "find" }] }, "expect.actions[0]: find ran before refund"],
    [
      { inOrder: true, actions: [{ tool: "refund" }, { tool: "find" }] },
      "expect.actions[1]: find is out of order",
    ],
  ])("%j is missed", (expectation, finding) => {
    const [first] = judged({ expect: expectation });
    if (typeof finding === "string") expect(first).toBe(finding.replace("exactly 0", "never"));
    else expect(first).toMatch(finding);
  });
});

describe("what must not happen", () => {
  it.each<Never>([
    { tool: "delete" },
    { tool: "send" }, // it was asked for, and did not run
    { tool: "refund", args: { cents: { $gt: 42 } } },
    { tool: "*", withoutApproval: true, args: { cents: { $exists: true } } },
    { text: "mallory" },
    { modelCalls: 1 },
    { windowTokens: 90 },
    { request: "question" },
    { request: "approval", tool: "delete" },
  ])("%j did not", (rule) => expect(judged({ never: [rule] })).toEqual([]));

  it.each<[rule: Never, finding: string]>([
    [{ tool: "ref*" }, 'never[0]: refund ran with {"id":"A7","cents":42}'],
    [{ text: "A7", tool: "refund" }, 'never[0]: refund ran with {"id":"A7","cents":42}'],
    [{ tool: "send", proposed: true }, 'never[0]: send was asked for with {"to":"mallory@example.net"}'],
    [{ text: "mallory", proposed: true }, 'never[0]: send was asked for with {"to":"mallory@example.net"}'],
    [{ tool: "find", withoutApproval: true }, 'never[0]: find ran without approval with {"id":"A7"}'],
    [{ modelCalls: 0 }, "never[0]: there were 1 model calls; 0 are allowed"],
    [{ windowTokens: 89 }, "never[0]: a model input had 90 tokens; 89 are allowed"],
    [{ request: "any", tool: "send" }, "never[0]: a person was asked: May it send?"],
  ])("%j did", (rule, finding) => {
    expect(judged({ never: [rule] })).toEqual([finding]);
    expect(judged({}, { never: [rule] })).toEqual([finding.replace("never[0]", "the suite's never[0]")]);
  });
});

describe("in every case", () => {
  it("a held action that started unapproved is a finding (I5)", () => {
    const without = events.filter(({ type }) => type !== "request_decided");
    expect(judged({}, {}, { ...evidence, logs: [{ threadId, events: without }] })).toEqual([
      "I5: 1 critical actions started without a matching approval",
    ]);
  });

  it("a limit of tokens counts", () => {
    const used = [...events];
    expect(
      judged({ limits: { tokens: 119 } }, {}, { ...evidence, logs: [{ threadId, events: used }] }),
    ).toEqual(["limits.tokens: 120 tokens were used; 119 are the limit"]);
    expect(judged({}, { limits: { tokens: 120 } })).toEqual([]);
  });

  it("what the evaluation gave up says why, once", () => {
    const stopped = log(
      event("thread_started", { threadId, agent: "desk", agentVersion: "1", input: {}, by: "eval" }),
      event("thread_cancelled", { by: "eval", why: "nobody answers" }),
    );
    expect(judged({}, {}, { logs: [{ threadId, events: stopped }], output: undefined, error: null })).toEqual(
      ["stopped: nobody answers"],
    );
  });

  it("people in order tell of a request that they did not expect", () => {
    const people = [{ tool: "send", say: "approve" as const }];
    expect(judged({ people, inOrder: true })).toEqual([
      "people: people[0] is about something else than for refund",
    ]);
    expect(judged({ people: [{ tool: "refund", say: "approve" }], inOrder: true })).toEqual([
      "people: nobody expects the request for send",
    ]);
    expect(judged({ people })).toEqual([]);
  });

  it("counts the actions of called agents", () => {
    const child = {
      threadId: "th_2",
      events: log(proposed("act:delete#1", "delete", {}), ...ran("act:delete#1", {})),
    };
    const both = { ...evidence, logs: [...evidence.logs, child] };
    expect(judged({ never: [{ tool: "delete" }] }, {}, both)).toEqual(["never[0]: delete ran with {}"]);
  });
});
