import assert from "node:assert/strict";
import type { EventBody } from "../../core/events.ts";
import type { ThreadRow } from "../../ports/store.ts";
import {
  answered,
  append,
  asked,
  at,
  completed,
  noon,
  noted,
  requestRow,
  rule,
  type StoreCase,
  signalled,
  sound,
  start,
  started,
  take,
  threadRow,
  timer,
  waiting,
} from "./case.ts";

const hour = 3_600_000;
const model = { key: "decide#1", durationMs: 900, model: "anthropic/claude" };

/** Events appended one by one, and what the thread's row shows after each. */
const rowCases: readonly { name: string; steps: readonly (readonly [EventBody, Partial<ThreadRow>])[] }[] = [
  {
    name: "a timer is waited for until it fires",
    steps: [
      [timer("sleep#1", noon + hour), { status: "waiting", waits: ["sleep#1"] }],
      [
        { type: "timer_fired", v: 1, key: "sleep#1" },
        { status: "running", waits: [] },
      ],
    ],
  },
  {
    name: "a signal ends the wait for it, and no other",
    steps: [
      [waiting("wait:paid#1", "paid"), { status: "waiting", waits: ["wait:paid#1"] }],
      [signalled("shipped"), { status: "waiting", waits: ["wait:paid#1"] }],
      [signalled("paid"), { status: "running", waits: [] }],
    ],
  },
  {
    name: "a signal that came before is taken by the next wait for it, once",
    steps: [
      [signalled("paid"), { status: "running", waits: [] }],
      [waiting("wait:paid#1", "paid"), { status: "running", waits: [] }],
      [waiting("wait:paid#2", "paid"), { status: "waiting", waits: ["wait:paid#2"] }],
    ],
  },
  {
    name: "a signal ends all waits for it",
    steps: [
      [waiting("wait:z#1", "paid"), { waits: ["wait:z#1"] }],
      [waiting("wait:a#1", "paid"), { waits: ["wait:z#1", "wait:a#1"] }],
      [signalled("paid"), { status: "running", waits: [] }],
    ],
  },
  {
    name: "a retry is waited for until the operation ends",
    steps: [
      [failedStep(1, noon + hour), { status: "waiting", waits: ["step:fetch#1"] }],
      [failedStep(2, noon + 2 * hour), { status: "waiting", waits: ["step:fetch#1"] }],
      [failedStep(3, null), { status: "running", waits: [] }],
    ],
  },
  {
    name: "a child is waited for until it ends",
    steps: [
      [
        { type: "child_started", v: 1, key: "call:a#1", childId: "c", agent: "a", input: {} },
        { status: "waiting", waits: ["call:a#1"] },
      ],
      [
        {
          type: "child_completed",
          v: 1,
          key: "call:a#1",
          childId: "c",
          outcome: { status: "completed", value: 1 },
        },
        { status: "running", waits: [] },
      ],
    ],
  },
  {
    name: "an open request is waited for until it is decided or expires",
    steps: [
      [asked("r1"), { status: "waiting", openRequests: 1, waits: [] }],
      [asked("r2"), { status: "waiting", openRequests: 2 }],
      [answered("r1"), { status: "waiting", openRequests: 1 }],
      [
        { type: "request_expired", v: 1, requestId: "r2", key: "ask:r2#1" },
        { status: "running", openRequests: 0 },
      ],
    ],
  },
  {
    name: "decisions and tokens are counted, of rejected decisions the tokens only",
    steps: [
      [decision(100, 10), { decisions: 1, inputTokens: 100, outputTokens: 10 }],
      [rejectedDecision(50, 5), { decisions: 1, inputTokens: 150, outputTokens: 15, waits: ["decide#1"] }],
      [decision(7, 3, 2), { decisions: 2, inputTokens: 157, outputTokens: 18, waits: [] }],
    ],
  },
  {
    name: "the end clears all waits; what comes after it changes the status no more",
    steps: [
      [timer("sleep#1", noon + hour), { status: "waiting" }],
      [completed(), { status: "completed", waits: [], openRequests: 0, dueAt: null }],
      [timer("sleep#2", noon + hour), { status: "completed", waits: [] }],
      [asked("r1"), { status: "completed", openRequests: 0 }],
      [
        { type: "thread_failed", v: 1, error: { code: "internal", message: "late" } },
        { status: "completed" },
      ],
    ],
  },
];

export const projectionCases: readonly StoreCase[] = [
  rule("a new thread's row shows what its first event says", async (store) => {
    const parent = { threadId: "parent", key: "call:desk#1" };
    const input = { value: "x".repeat(500) };
    await append(store, "t", 0, started("t", { parent, input }));
    const { title, ...row } = await threadRow(store, "t");
    assert.equal(title.length, 120);
    assert.deepEqual(row, {
      threadId: "t",
      agent: "desk",
      agentVersion: "1",
      status: "running",
      parentId: "parent",
      headSeq: 1,
      decisions: 0,
      inputTokens: 0,
      outputTokens: 0,
      openRequests: 0,
      waits: [],
      createdAt: at(noon),
      updatedAt: at(noon),
      dueAt: at(noon),
    });
  }),

  rule("a thread's row moves with its last event", async (store) => {
    await start(store, "t");
    await store.append({ threadId: "t", expectedSeq: 1, events: [{ body: noted(), at: at(noon + hour) }] });
    const row = await threadRow(store, "t");
    assert.deepEqual([row.headSeq, row.createdAt, row.updatedAt], [2, at(noon), at(noon + hour)]);
  }),

  ...rowCases.map(({ name, steps }) =>
    rule(`I2: ${name}`, async (store) => {
      let head = await start(store, "t");
      await start(store, "all at once", ...steps.map(([body]) => body));
      for (const [body, expected] of steps) {
        head = await append(store, "t", head, body);
        const row = await threadRow(store, "t");
        for (const member in expected)
          assert.deepEqual(
            [member, row[member as keyof ThreadRow]],
            [member, expected[member as keyof ThreadRow]],
          ); // keys of a partial row
      }
      const [one, all] = [await threadRow(store, "t"), await threadRow(store, "all at once")];
      assert.deepEqual({ ...all, threadId: "t", dueAt: one.dueAt }, one);
      await sound(store);
    }),
  ),

  rule("a request's row shows what was asked and, once decided, what and by whom", async (store) => {
    await start(store, "t", asked("r1", noon + hour), asked("r2"), asked("r3"));
    const open = await requestRow(store, "r1");
    assert.deepEqual(open, {
      requestId: "r1",
      threadId: "t",
      agent: "desk",
      headSeq: 4,
      status: "open",
      opened: { ...asked("r1", noon + hour), at: at(noon), seq: 2 },
      approvers: ["role:support-lead"],
      votes: [],
      dueAt: at(noon + hour),
      verdict: null,
      by: null,
      via: null,
      decidedAt: null,
    });
    await append(store, "t", 4, answered("r1", "no"), {
      type: "request_expired",
      v: 1,
      requestId: "r2",
      key: "ask:r2#1",
    });
    const decided = {
      verdict: { kind: "answer", value: "no" },
      by: "dana@example.com",
      via: "cli",
      decidedAt: at(noon),
    };
    assert.deepEqual(await requestRow(store, "r1"), {
      ...open,
      headSeq: 6,
      status: "decided",
      dueAt: null,
      ...decided,
    });
    assert.equal((await requestRow(store, "r2")).status, "expired");
    await append(store, "t", 6, completed());
    assert.equal((await requestRow(store, "r3")).status, "withdrawn");
    assert.equal((await requestRow(store, "r1")).status, "decided");
    await sound(store);
  }),

  rule(
    "an open request's row shows who may decide by now, who approved, and when it next needs a turn",
    async (store) => {
      const opened = { ...asked("r1", noon + hour), remindAt: [at(noon + 60_000)] } as EventBody; // `asked` makes a request_opened
      const at2 = noon + 120_000;
      await start(store, "t", opened);
      assert.equal((await requestRow(store, "r1")).dueAt, at(noon + 60_000));
      const key = "ask:r1#1";
      const vote = { by: "dana@example.com", via: "cli" };
      const approvers = ["role:support-lead", "kim@example.com"];
      const voted: EventBody = {
        ...{ type: "request_voted", v: 1, requestId: "r1", key, verdict: { kind: "approve" }, ...vote },
        deciders: { approvers: ["role:support-lead"], votes: [vote] },
      };
      const escalated: EventBody = {
        ...{
          type: "request_escalated",
          v: 1,
          requestId: "r1",
          key,
          to: ["kim@example.com"],
          nextAt: at(at2),
        },
        deciders: { approvers, votes: [vote] },
      };
      await append(store, "t", 2, voted);
      assert.deepEqual((await requestRow(store, "r1")).votes, [vote]);
      assert.equal((await requestRow(store, "r1")).dueAt, at(noon + 60_000));
      await append(store, "t", 3, escalated);
      const row = await requestRow(store, "r1");
      const { status, votes, dueAt, decidedAt } = row;
      assert.deepEqual(
        { status, approvers: row.approvers, votes, dueAt, decidedAt },
        { status: "open", approvers, votes: [vote], dueAt: at(at2), decidedAt: null },
      );
      await sound(store);
      const lease = await take(store, "t");
      assert.ok(lease);
      await store.release(lease, { now: noon, parkedAt: 4 });
      assert.equal((await threadRow(store, "t")).dueAt, at(at2));
    },
  ),

  rule("I6: a second verdict on a request leaves the first in its row", async (store) => {
    await start(store, "t", asked("r1"));
    await append(
      store,
      "t",
      2,
      answered("r1", "first"),
      answered("r1", "second"),
      answered("no such request"),
    );
    assert.deepEqual((await requestRow(store, "r1")).verdict, { kind: "answer", value: "first" });
    await sound(store);
  }),

  rule("a request's id may be used by two threads, as after a fork", async (store) => {
    await start(store, "t", asked("r1"));
    await start(store, "fork", asked("r1"));
    await append(store, "fork", 2, answered("r1"));
    const statuses = (await store.requests({ requestId: "r1" })).rows.map((row) => [
      row.threadId,
      row.status,
    ]);
    assert.deepEqual(statuses, [
      ["t", "open"],
      ["fork", "decided"],
    ]);
    await sound(store);
  }),

  rule("rebuilding a sound store changes nothing: no projection, nor when a thread is due", async (store) => {
    await start(
      store,
      "t",
      asked("r1", noon + hour),
      timer("sleep#1", noon + hour),
      signalled("paid"),
      decision(5, 5),
    );
    await start(store, "ended", asked("r2"), completed());
    const lease = await take(store, "t");
    await store.release(lease, { now: noon, parkedAt: 5 });
    const rows = async () => [(await store.threads({})).rows, (await store.requests({})).rows];
    const before = await rows();
    assert.deepEqual(await store.verify({ rebuild: true }), { threads: 2, events: 8, problems: [] });
    assert.deepEqual(await rows(), before);
    assert.deepEqual(await store.due({ now: noon, limit: 9 }), { threadIds: [], nextDueAt: noon + hour });
    await append(store, "t", 5, noted());
    await sound(store);
  }),
];

function failedStep(attempt: number, retryAt: number | null): EventBody {
  const error = { code: "step_failed", message: "no answer" } as const;
  const when = retryAt === null ? null : at(retryAt);
  return { type: "step_failed", v: 1, key: "step:fetch#1", attempt, durationMs: 1, error, retryAt: when };
}

function decision(inputTokens: number, outputTokens: number, attempt = 1): EventBody {
  return {
    type: "decision_made",
    v: 1,
    ...model,
    attempt,
    decision: { kind: "answer", value: "done" },
    usage: { inputTokens, outputTokens },
    window: { digest: "9".repeat(64), tokens: inputTokens, budget: 8_000, fromSeq: 1, dropped: 0 },
  };
}

function rejectedDecision(inputTokens: number, outputTokens: number): EventBody {
  return {
    type: "decision_rejected",
    v: 1,
    ...model,
    attempt: 1,
    error: { code: "invalid_decision", message: "no such tool" },
    usage: { inputTokens, outputTokens },
    retryAt: at(noon + 1_000),
  };
}
