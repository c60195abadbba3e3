import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { EventOf } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { RequestRow } from "../ports/store.ts";
import { terminalChannel } from "./terminal.ts";

const down = "\u001b[B";
const enter = "\r";
const ctrlC = "\u0003";
const clearLine = "\u0015";
const signal = new AbortController().signal;

function row(opened: Partial<EventOf<"request_opened">> = {}): RequestRow {
  return {
    requestId: "r_01",
    threadId: "th_7",
    agent: "support-desk",
    status: "open",
    opened: {
      type: "request_opened",
      v: 1,
      seq: 4,
      at: "2026-01-01T00:00:00.000Z",
      requestId: "r_01",
      key: "act:issue_refund#1",
      kind: "approval",
      question: "Run issue_refund?",
      choices: ["approve", "edit", "reject"],
      approvers: ["role:support-lead"],
      expiresAt: "2026-01-01T04:00:00.000Z",
      why: "its risk is high",
      action: {
        tool: "issue_refund",
        toolVersion: "1",
        args: { orderId: "A7", cents: 4200 },
        digest: "9f3c",
        risk: "high",
      },
      ...opened,
    },
    headSeq: 2,
    approvers: opened.approvers ?? ["role:support-lead"],
    votes: [],
    dueAt: null,
    verdict: null,
    by: null,
    via: null,
    decidedAt: null,
  };
}

function withAction(args: Json): RequestRow {
  return row({ action: { tool: "issue_refund", toolVersion: "1", args, digest: "9f3c" } });
}

/** A terminal whose keys are pressed when the prompt that they answer is there. */
function terminal() {
  const input = new PassThrough();
  const output = new PassThrough();
  let written = "";
  const waiting = new Set<() => void>();
  output.on("data", (chunk: Buffer) => {
    written += chunk.toString();
    for (const check of waiting) check();
  });
  const channel = terminalChannel({ input, output, principal: "dana@example.com" });

  function until(text: string, from: number): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!written.slice(from).includes(text)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  }

  return {
    channel,
    input,
    until,
    raw: () => written,
    shown: () => stripVTControlCharacters(written),
    async press(prompt: string, keys: string): Promise<void> {
      await until(prompt, 0);
      written = written.replaceAll(prompt, "(answered)");
      input.write(keys);
    },
  };
}

async function askAndPress(
  request: RequestRow,
  ...presses: readonly (readonly [prompt: string, keys: string])[]
) {
  const { channel, press } = terminal();
  const asked = channel.ask(request, signal);
  for (const [prompt, keys] of presses) await press(prompt, keys);
  return asked;
}

describe("what is shown", () => {
  test("who asks for what, why, until when, and exactly what would run", async () => {
    const { channel, press, shown } = terminal();
    const asked = channel.ask(row(), signal);
    await press("Your verdict", enter);
    await asked;
    expect(shown()).toContain(`
Approval needed: Run issue_refund?
  why        its risk is high
  tool       issue_refund, version 1, risk high
  arguments  {
               "orderId": "A7",
               "cents": 4200
             }
  approvers  role:support-lead
  deadline   2026-01-01 04:00:00 UTC; without an answer by then it is rejected
  agent      support-desk
  thread     th_7
  request    r_01
  digest     9f3c
`);
  });

  test("nothing that a terminal obeys, nothing hidden, and no text that passes for a field", async () => {
    const { channel, press, raw } = terminal();
    const evil = "\u001b[2Kfine\u202e\r\u200b\u{e0041}";
    const request = row({
      why: `x\n  deadline   none${evil}`,
      question: evil,
      evidence: `Output 1: cut\n${evil}\n  why        nothing`,
      action: { tool: "t", toolVersion: "1", args: { [evil]: evil }, digest: "d" },
    });
    const asked = channel.ask(request, signal);
    await press("Your verdict", enter);
    await asked;
    expect(raw()).not.toContain("\u001b[2Kfine");
    expect(raw()).not.toMatch(/[\u202e\u200b\u{e0041}]/u);
    expect(raw()).toContain('"\\u001b[2Kfine\\u202e\\r\\u200b\\udb40\\udc41": "\\u001b[2Kfine');
    expect(raw()).toContain("\n               deadline   none");
    expect(raw()).toContain("evidence   Output 1: cut");
    expect(raw()).toContain("\n               why        nothing");
  });
});

describe("what comes back", () => {
  const args = { orderId: "A7", cents: 4200 };
  const question = { kind: "question", choices: ["answer", "reject"] } as const;
  const help = { kind: "escalation", choices: ["continue", "stop"] } as const;
  const doubt = { kind: "escalation", choices: ["done", "not_done", "stop"], expiresAt: null } as const;
  const cases = [
    {
      name: "approve",
      request: row(),
      presses: [["Your verdict", down + enter]],
      verdict: { kind: "approve" },
    },
    {
      name: "edit, from the arguments as they are",
      request: withAction(args),
      presses: [
        ["Your verdict", down + down + enter],
        ["The arguments", `${clearLine}{"orderId":"A7","cents":1000}${enter}`],
      ],
      verdict: { kind: "edit", args: { orderId: "A7", cents: 1000 } },
    },
    {
      name: "edit, with nothing changed",
      request: withAction({ text: "a\u202eb\u001b\n\u{e0041}" }),
      presses: [
        ["Your verdict", down + down + enter],
        ["The arguments", enter],
      ],
      verdict: { kind: "edit", args: { text: "a\u202eb\u001b\n\u{e0041}" } },
    },
    {
      name: "edit, corrected after it was no JSON",
      request: withAction(args),
      presses: [
        ["Your verdict", down + down + enter],
        ["The arguments", `${clearLine}{broken${enter}`],
        ["This is not JSON that can be used", `${clearLine}{"a": 1, "a": 2}${enter}`],
        ["given twice", `${clearLine}{}${enter}`],
      ],
      verdict: { kind: "edit", args: {} },
    },
    {
      name: "reject",
      request: row(),
      presses: [
        ["Your verdict", down + down + down + enter],
        ["Why?", `too much${enter}`],
      ],
      verdict: { kind: "reject", why: "too much" },
    },
    {
      name: "reject, which needs a reason",
      request: row(),
      presses: [
        ["Your verdict", down + down + down + enter],
        ["Why?", enter],
        ["Write something", `no${enter}`],
      ],
      verdict: { kind: "reject", why: "no" },
    },
    {
      name: "an answer in text",
      request: row(question),
      presses: [
        ["Your verdict", down + enter],
        ["Your answer", `blue, please${enter}`],
      ],
      verdict: { kind: "answer", value: "blue, please" },
    },
    {
      name: "an answer by schema: one of several",
      request: row({ ...question, answerSchema: { type: "string", enum: ["red", "blue"] } }),
      presses: [
        ["Your verdict", down + enter],
        ["Your answer", down + enter],
      ],
      verdict: { kind: "answer", value: "blue" },
    },
    {
      name: "an answer by schema: yes or no",
      request: row({ ...question, answerSchema: { type: "boolean" } }),
      presses: [
        ["Your verdict", down + enter],
        ["Your answer", down + enter],
      ],
      verdict: { kind: "answer", value: false },
    },
    {
      name: "an answer by schema: JSON",
      request: row({
        ...question,
        answerSchema: { type: "object", properties: { cents: { type: "integer" } } },
      }),
      presses: [
        ["Your verdict", down + enter],
        ["Your answer", `{"cents":5}${enter}`],
      ],
      verdict: { kind: "answer", value: { cents: 5 } },
    },
    {
      name: "continue",
      request: row(help),
      presses: [["Your verdict", down + enter]],
      verdict: { kind: "continue" },
    },
    {
      name: "stop",
      request: row(help),
      presses: [
        ["Your verdict", down + down + enter],
        ["Why?", `enough${enter}`],
      ],
      verdict: { kind: "stop", why: "enough" },
    },
    {
      name: "it happened",
      request: row(doubt),
      presses: [
        ["Your verdict", down + enter],
        ["What was its result?", `${clearLine}{"refundId":"re_55"}${enter}`],
      ],
      verdict: { kind: "done", value: { refundId: "re_55" } },
    },
    {
      name: "it did not happen",
      request: row(doubt),
      presses: [
        ["Your verdict", down + down + enter],
        ["Why?", `not in the ledger${enter}`],
      ],
      verdict: { kind: "not_done", why: "not in the ledger" },
    },
  ] as const;
  for (const { name, request, presses, verdict } of cases) {
    test(name, async () => {
      expect(await askAndPress(request, ...presses)).toEqual({ verdict, by: "dana@example.com" });
    });
  }
});

describe("what leaves the request for later", () => {
  test("Enter without a choice", async () => {
    expect(await askAndPress(row(), ["Your verdict", enter])).toBeNull();
  });

  test("Ctrl-C at the verdict", async () => {
    expect(await askAndPress(row(), ["Your verdict", ctrlC])).toBeNull();
  });

  test("Ctrl-C at a later prompt", async () => {
    expect(
      await askAndPress(row(), ["Your verdict", down + down + enter], ["The arguments", ctrlC]),
    ).toBeNull();
  });

  test("an aborted signal, before and during", async () => {
    const { channel, until } = terminal();
    expect(await channel.ask(row(), AbortSignal.abort())).toBeNull();
    const controller = new AbortController();
    const asked = channel.ask(row(), controller.signal);
    await until("Your verdict", 0);
    controller.abort();
    expect(await asked).toBeNull();
  });

  test("the end of the input, during and before", async () => {
    const { channel, input, until } = terminal();
    const asked = channel.ask(row(), signal);
    await until("Your verdict", 0);
    input.end();
    expect(await asked).toBeNull();
    expect(await channel.ask(row(), signal)).toBeNull();
  });
});

test("requests are asked one at a time", async () => {
  const { channel, press, shown } = terminal();
  const first = channel.ask(row({ question: "First?" }), signal);
  const second = channel.ask(row({ question: "Second?" }), signal);
  await press("Your verdict", down + enter);
  expect(await first).toMatchObject({ verdict: { kind: "approve" } });
  await press("Your verdict", enter);
  expect(await second).toBeNull();
  expect(shown().indexOf("First?")).toBeLessThan(shown().indexOf("Second?"));
});
