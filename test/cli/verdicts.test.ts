import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture, newProject, type Project } from "./command.ts";

/** A thread of the desk that waits for the approval of a refund. */
async function heldRefund(project: Project) {
  const { document } = await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
  return { threadId: document.threadId as string, requestId: document.requests[0].requestId as string };
}

/** A thread of one of the flows that waits for its only request. */
async function asked(project: Project, name: string, ...input: readonly string[]) {
  const { document } = await project.json("run", `${fixture("flows.ts")}#${name}`, ...input);
  return { threadId: document.threadId as string, requestId: document.requests[0].requestId as string };
}

function ledger({ folder }: Project): readonly unknown[] {
  const path = join(folder, "ledger.jsonl");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((text) => JSON.parse(text));
}

describe("approve", () => {
  it("lets exactly the action run that was shown, once, and runs the thread on", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const { code, document } = await project.json("approve", requestId, "--as", "dana@example.com");
    expect(code).toBe(0);
    expect(document).toMatchObject({ first: true, ran: true, thread: { status: "completed" } });
    expect(document.request).toMatchObject({
      requestId,
      status: "decided",
      by: "dana@example.com",
      via: "cli",
      verdict: { kind: "approve" },
    });
    expect(ledger(project)).toEqual([{ orderId: "A7", cents: 42 }]);
  });

  it("given again, tells the verdict that stands and runs nothing twice", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    await project.json("approve", requestId);
    const again = await project.json("approve", requestId, "--as", "somebody-else");
    expect(again).toMatchObject({ code: 0, document: { first: false } });
    expect(again.document.request.by).toMatch(/^cli:/);
    expect(ledger(project)).toHaveLength(1);
  });

  it("refuses another verdict with exit code 4, naming who decided and when", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    await project.json("approve", requestId, "--as", "dana@example.com");
    const { code, document } = await project.json("reject", requestId, "--why", "no");
    expect(code).toBe(4);
    expect(document.error).toMatchObject({
      code: "request_already_decided",
      message: expect.stringMatching(/by dana@example.com at 20\d\d-/),
    });
  });

  it("runs edited arguments instead", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const { document } = await project.json("approve", requestId, "--edit", '{"orderId":"A7","cents":40}');
    expect(document).toMatchObject({
      request: { verdict: { kind: "edit" } },
      thread: { status: "completed" },
    });
    expect(ledger(project)).toEqual([{ orderId: "A7", cents: 40 }]);
  });

  it("refuses an edit that does not fit the tool, and leaves the request open", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const { code, document } = await project.json(
      "approve",
      requestId,
      "--edit",
      '{"orderId":"A7","cents":-1}',
    );
    expect(code).toBe(4);
    expect(document.error).toMatchObject({
      code: "verdict_invalid",
      message: expect.stringContaining("cents"),
    });
    expect((await project.json("inbox")).document.requests).toHaveLength(1);
  });

  it("shows the place of malformed JSON", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const ended = await project.run("approve", requestId, "--edit", '{"cents": 40,}');
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(
      'error (invalid_json): the value of --edit is not JSON at line 1, column 14: unexpected "}"',
    );
    expect(ended.stderr).toContain(`  {"cents": 40,}\n  ${" ".repeat(13)}^`);
  });

  it("only records the verdict with --no-run", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const { document } = await project.json("approve", requestId, "--no-run");
    expect(document).toMatchObject({
      first: true,
      ran: false,
      whyNot: "--no-run",
      thread: { status: "running" },
    });
    expect(ledger(project)).toEqual([]);
    expect(await project.json("worker", "--once")).toMatchObject({
      code: 0,
      document: { threads: 1, problems: [] },
    });
    expect(ledger(project)).toHaveLength(1);
  });

  it("records the verdict also when the agent's code is not at hand, and says that a worker goes on", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    rmSync(join(project.folder, ".holdpoint/agents.json"));
    const ended = await project.run("approve", requestId);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain(
      'not run on here (there is no agent "desk" here): a worker goes on with it',
    );
    expect(ended.stdout).toMatch(/holdpoint worker --once --agent <file of desk>\n/);
    expect(ledger(project)).toEqual([]);
    await project.run("worker", "--once", "--agent", fixture("desk.ts"));
    expect(ledger(project)).toHaveLength(1);
  });

  it("given by several at once, is one verdict and one action, and all of them learn it", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const worker = project.start(["worker"]);
    await worker.until("worker for desk");
    const approvals = ["dana", "kim", "lee"].map((name) => project.json("approve", requestId, "--as", name));
    const ended = await Promise.all(approvals);
    worker.child.kill("SIGTERM");
    await worker.ended;
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(ended.filter(({ document }) => document.first)).toHaveLength(1);
    expect(new Set(ended.map(({ document }) => document.request.by)).size).toBe(1);
    for (const { document } of ended) expect(document.thread.status).toBe("completed");
    expect(ledger(project)).toHaveLength(1);
  });

  it("suggests ids that are near", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const { code, document } = await project.json("approve", `${requestId.slice(0, -1)}!`);
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: "request_not_found", fix: `Did you mean ${requestId}?` });
  });

  it("takes no verdict from an agent", async () => {
    const project = newProject();
    const { requestId, threadId } = await heldRefund(project);
    const { code, document } = await project.json("approve", requestId, "--as", `thread:${threadId}`);
    expect(code).toBe(4);
    expect(document.error.code).toBe("not_an_approver");
    expect(ledger(project)).toEqual([]);
  });
});

describe("reject", () => {
  it("keeps the action from running, and tells the agent why", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const { document } = await project.json("reject", requestId, "--why", "too late");
    expect(document.thread).toMatchObject({
      status: "completed",
      output: expect.stringContaining("too late"),
    });
    expect(ledger(project)).toEqual([]);
  });

  it("needs a reason", async () => {
    const { json } = newProject();
    const { code, document } = await json("reject", "r_x");
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: "usage", message: expect.stringContaining("--why") });
  });

  it("takes no blank reason", async () => {
    const project = newProject();
    const { requestId } = await heldRefund(project);
    const { code, document } = await project.json("reject", requestId, "--why", "  ");
    expect([code, document.error.code]).toEqual([4, "verdict_invalid"]);
    expect((await project.json("inbox")).document.requests).toHaveLength(1);
  });
});

describe("answer", () => {
  it("is taken where the schema says what cannot be checked early; the thread checks it, and asks again", async () => {
    const project = newProject();
    const { requestId } = await asked(project, "shipper");
    const wrong = await project.json("answer", requestId, '{"ship":true}');
    expect([wrong.code, wrong.document.thread.status]).toEqual([0, "waiting"]);
    const [again] = wrong.document.thread.requests;
    const right = await project.json("answer", again.requestId, '{"ship":true,"carrier":"post"}');
    expect(right.document.thread).toMatchObject({ output: { ship: true, carrier: "post" } });
  });

  it("takes what the question's schema takes", async () => {
    const project = newProject();
    const { requestId } = await asked(project, "asker", "eggs");
    const { stdout } = await project.run("inbox");
    expect(stdout).toContain('the answer must fit {"type":"integer"'); // and no address of a dialect before it
    const wrong = await project.json("answer", requestId, "-3");
    expect(wrong).toMatchObject({ code: 4, document: { error: { code: "verdict_invalid" } } });
    const text = await project.json("answer", requestId, "three");
    expect(text).toMatchObject({ code: 2, document: { error: { code: "invalid_json" } } });
    const { document } = await project.json("answer", requestId, "3");
    expect(document.thread).toMatchObject({ status: "completed", output: { count: 3 } });
  });

  it.each([
    { name: "JSON", args: ['{"a":1}'], output: { a: 1 } },
    { name: "text", args: ["a letter"], output: "a letter" },
    { name: "text that reads like JSON, when told to", args: ["[draft]", "--text"], output: "[draft]" },
  ])("without a schema takes $name", async ({ args, output }) => {
    const project = newProject();
    const { requestId } = await asked(project, "listener");
    expect((await project.json("answer", requestId, ...args)).document.thread).toMatchObject({ output });
  });

  it("takes text that begins like JSON and is none for a mistake", async () => {
    const project = newProject();
    const { requestId } = await asked(project, "listener");
    const { code, document } = await project.json("answer", requestId, "[draft]");
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      code: "invalid_json",
      message: expect.stringContaining("column 2"),
    });
  });

  it("lets a thread go on, or stop, that asks for help", async () => {
    const project = newProject();
    const { requestId } = await asked(project, "circling");
    const went = await project.json("answer", requestId, "continue", "--why", "once more");
    expect(went).toMatchObject({
      code: 0,
      document: { request: { verdict: { kind: "continue", why: "once more" } } },
    });
    const [next] = went.document.thread.requests;
    const stopped = await project.json("answer", next.requestId, "stop");
    expect(stopped).toMatchObject({
      code: 0,
      document: { thread: { status: "failed", error: { code: "stopped_by_person" } } },
    });
  });

  it("goes on with the parent once its child has ended", async () => {
    const project = newProject();
    const { requestId, threadId } = await asked(project, "parent");
    const { document } = await project.json("answer", requestId, "12");
    expect(document.thread).toMatchObject({ agent: "asker", status: "completed" });
    const { document: shown } = await project.json("show", threadId);
    expect(shown.thread).toMatchObject({ status: "completed", output: 'the child said {"count":12}' });
    expect(shown.children).toMatchObject([
      {
        events: [
          { type: "thread_started" },
          { type: "request_opened" },
          { type: "request_decided" },
          { type: "answer_accepted" },
          { type: "thread_completed" },
        ],
      },
    ]);
  });
});

describe("resolve", () => {
  it.each([
    { args: ["--done", '{"paid":5}'], status: "completed" },
    { args: ["--not-done", "--why", "the bank says so"], status: "failed" },
  ])("settles an action in doubt: $args", async ({ args, status }) => {
    const project = newProject();
    const { threadId } = await asked(project, "doubtful");
    const { code, document } = await project.json("resolve", threadId, "act:pay#1", ...args);
    expect(code).toBe(0);
    expect(document).toMatchObject({ first: true, thread: { status: "completed", output: { status } } });
    const other = await project.json("resolve", threadId, "act:pay#1", "--done", "0");
    expect(other).toMatchObject({ code: 4, document: { error: { code: "request_already_decided" } } });
  });

  it.each([
    {
      name: "an operation that is not there",
      key: "act:pai#1",
      code: 2,
      error: "operation_not_found",
      fix: "Did you mean act:pay#1?",
    },
    { name: "no way", key: "act:pay#1", args: [], code: 2, error: "usage", fix: expect.any(String) },
    {
      name: "two ways",
      key: "act:pay#1",
      args: ["--done", "1", "--handled"],
      code: 2,
      error: "usage",
      fix: expect.any(String),
    },
    {
      name: "no reason",
      key: "act:pay#1",
      args: ["--not-done"],
      code: 2,
      error: "usage",
      fix: expect.any(String),
    },
  ])("refuses $name", async ({ key, args = ["--done", "1"], code, error, fix }) => {
    const project = newProject();
    const { threadId } = await asked(project, "doubtful");
    const ended = await project.json("resolve", threadId, key, ...args);
    expect(ended).toMatchObject({ code, document: { error: { code: error, fix } } });
  });

  it("refuses an action that is not in doubt", async () => {
    const project = newProject();
    const { threadId } = await heldRefund(project);
    const { code, document } = await project.json("resolve", threadId, "act:find_order#1", "--done", "1");
    expect(code).toBe(4);
    expect(document.error).toMatchObject({
      code: "verdict_invalid",
      message: expect.stringContaining("not in doubt"),
    });
  });

  it("marks an operation as handled that changed code no longer makes", async () => {
    const project = newProject();
    const flow = (body: string) =>
      `import { agent } from "holdpoint";
       export default agent({ name: "changing", flow: async (t) => { ${body} await t.ask("Go on?"); return "ended"; } });`;
    project.write("changing.ts", flow('await t.step("first", () => 1);'));
    const { document: before } = await project.json("run", "changing.ts");
    project.write("changing.ts", flow(""));
    const { document: changed } = await project.json("answer", before.requests[0].requestId, "yes");
    expect(changed.thread.requests).toMatchObject([{ reason: "flow_changed" }]);
    const { threadId } = before;
    const { code, document } = await project.json(
      "resolve",
      threadId,
      "step:first#1",
      "--handled",
      "--why",
      "removed on purpose",
    );
    expect(code).toBe(0);
    expect(document).toMatchObject({
      handled: { key: "step:first#1" },
      thread: { status: "completed", output: "ended" },
    });
  });
});
