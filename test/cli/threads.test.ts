import { join } from "node:path";
import { setImmediate as immediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/core/digest.ts";
import type { EventBody } from "../../src/core/events.ts";
import { exactInput } from "../../src/core/window/exact-input.ts";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { fixture, newProject } from "./command.ts";

const flows = fixture("flows.ts");

describe("threads", () => {
  it("lists threads newest first, filtered and in pages", async () => {
    const { json } = newProject();
    const ids: string[] = [];
    for (const name of ["echo", "failing", "sleeper", "echo"])
      ids.unshift((await json("run", `${flows}#${name}`)).document.threadId);
    const idsOf = async (...args: readonly string[]) =>
      (await json("threads", ...args)).document.threads.map((row: { threadId: string }) => row.threadId);
    expect(await idsOf()).toEqual(ids);
    expect(await idsOf("--agent", "echo")).toEqual([ids[0], ids[3]]);
    expect(await idsOf("--status", "waiting")).toEqual([ids[1]]);
    const { document: page } = await json("threads", "--limit", "3");
    expect(page.threads).toHaveLength(3);
    expect(await idsOf("--limit", "3", "--cursor", page.nextCursor)).toEqual([ids[3]]);
  });

  it("is a table for people, in which nothing obeys the terminal", async () => {
    const { run } = newProject();
    await run("run", `${flows}#echo`, "\u001b[31mred\u202e");
    const { stdout } = await run("threads");
    expect(stdout).toMatch(
      /^THREAD +STATUS +AGENT +CHANGED +DECISIONS +TOKENS +WAITS FOR +INPUT\nth_\w+ +completed +echo /,
    );
    expect(stdout).toContain('"\\u001b[31mred\\u202e"');
    expect(stdout).not.toContain("\u001b");
    expect(stdout).not.toContain("\u202e");
  });

  it.each([
    { args: ["--status", "done"], fix: /Allowed choices|choices/ },
    { args: ["--limit", "many"], fix: /./ },
    { args: ["--limit", "5000"], fix: /./ },
    { args: ["--cursor", "nonsense"], fix: /./ },
  ])("refuses $args", async ({ args }) => {
    const { json } = newProject();
    await json("run", `${flows}#echo`);
    const { code, document } = await json("threads", ...args);
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      code: "usage",
      message: expect.any(String),
      fix: expect.any(String),
    });
  });
});

describe("show", () => {
  it("shows the log as a tree, and ends with what the thread waits for", async () => {
    const { run, json } = newProject();
    const { document } = await json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    const { stdout, code } = await run("show", document.threadId);
    expect(code).toBe(0);
    const withoutTimes = stdout
      .replaceAll(/\d\d:\d\d:\d\d\.\d{3}/g, "<time>")
      .replaceAll(/in \d+ ms/g, "in <n> ms");
    expect(withoutTimes).toContain(
      [
        "    2  <time>  decide#1  calls find_order in <n> ms, 10 + 2 tokens, test/rules",
        '    3  <time>  └─ act:find_order#1  {"orderId":"A7"}  gate: allow (risk low)',
        "    4  <time>     ├─ started",
        '    5  <time>     └─ done in <n> ms  {"orderId":"A7","item":"teapot"}',
        "    6  <time>  decide#2  calls issue_refund in <n> ms, 10 + 2 tokens, test/rules",
        '    7  <time>  └─ act:issue_refund#1  {"orderId":"A7","cents":42}  gate: hold (risk high: its risk is high)',
      ].join("\n"),
    );
    expect(stdout).toMatch(/Waiting for:\n {2}r_\w+ {2}approval[\s\S]*holdpoint approve r_\w+/);
  });

  it("nests the logs of children", async () => {
    const { run, json } = newProject();
    const { document } = await json("run", `${flows}#parent`);
    const { stdout } = await run("show", document.threadId);
    expect(stdout).toMatch(
      /call:asker#1 {2}agent asker as th_\w+ {2}"eggs"\n +1 .* ├─ started by thread:th_\w+[\s\S]* └─ ask#1 {2}question/,
    );
  });

  it("gives the whole log with --json", async () => {
    const { json } = newProject();
    const { document: started } = await json("run", `${flows}#doubtful`);
    const { document } = await json("show", started.threadId);
    expect(document.events.map((event: { type: string }) => event.type)).toEqual([
      "thread_started",
      "action_proposed",
      "action_started",
      "action_in_doubt",
      "request_opened",
    ]);
    expect(document).toMatchObject({
      thread: { status: "waiting" },
      requests: [{ reason: "in_doubt" }],
      children: [],
    });
  });

  it("names threads that are near", async () => {
    const { json } = newProject();
    const { document } = await json("run", `${flows}#echo`);
    const { code, document: shown } = await json("show", document.threadId.slice(3, 12));
    expect(code).toBe(2);
    expect(shown.error).toMatchObject({
      code: "thread_not_found",
      fix: `Did you mean ${document.threadId}?`,
    });
  });
});

describe("inbox", () => {
  it("lists open requests of all threads, oldest first, in pages", async () => {
    const { json, run } = newProject();
    await json("run", `${flows}#asker`, "eggs");
    await json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    const { document } = await json("inbox");
    expect(document.requests.map((row: { agent: string }) => row.agent)).toEqual(["asker", "desk"]);
    const { document: page } = await json("inbox", "--limit", "1");
    const { document: next } = await json("inbox", "--limit", "1", "--cursor", page.nextCursor);
    expect(next.requests).toEqual([document.requests[1]]);
    const { stdout } = await run("inbox");
    expect(stdout).toMatch(/^2 open requests\n\nr_\w+ {2}question {2}How many eggs\?\n/);
    await json("approve", document.requests[1].requestId);
    expect((await json("inbox")).document.requests).toHaveLength(1);
  });
});

describe("signal, cancel and fork", () => {
  it("sends a signal, and runs the thread on that waited for it", async () => {
    const { json } = newProject();
    const { document } = await json("run", `${flows}#waiter`);
    expect(document.waits).toMatchObject([{ kind: "signal", signal: "shipped", key: "wait:shipped#1" }]);
    const sent = await json("signal", document.threadId, "shipped", '{"parcel":7}', "--id", "s1");
    expect(sent).toMatchObject({
      code: 0,
      document: { ran: true, thread: { status: "completed", output: { parcel: 7 } } },
    });
    const late = await json("signal", document.threadId, "shipped", "--id", "s2");
    expect(late).toMatchObject({ code: 4, document: { error: { code: "thread_ended" } } });
    const wrong = await json("signal", document.threadId, "shipped", "{parcel:7}");
    expect(wrong).toMatchObject({ code: 2, document: { error: { code: "invalid_json" } } });
  });

  it("cancels a thread with its children, and withdraws what they asked", async () => {
    const { json } = newProject();
    const { document } = await json("run", `${flows}#parent`);
    const { code, document: cancelled } = await json("cancel", document.threadId, "--why", "not needed");
    expect(code).toBe(0);
    expect(cancelled.thread).toMatchObject({
      status: "cancelled",
      error: { message: expect.stringContaining("not needed") },
    });
    expect((await json("inbox")).document.requests).toEqual([]);
    const { code: refused, document: answer } = await json("answer", document.requests[0].requestId, "3");
    expect(refused).toBe(4);
    expect(answer.error.code).toBe("request_already_decided");
    expect(await json("cancel", document.threadId)).toMatchObject({
      code: 2,
      document: { error: { code: "usage" } },
    });
  });

  it("forks a thread before an event, and runs the fork", async () => {
    const { json } = newProject();
    const { document } = await json("run", `${flows}#asker`, "eggs");
    await json("answer", document.requests[0].requestId, "3");
    const { code, document: forked } = await json("fork", document.threadId, "--at", "2");
    expect(code).toBe(0);
    expect(forked).toMatchObject({
      forkedFrom: { threadId: document.threadId, seq: 2 },
      thread: { status: "waiting", headSeq: 2 },
    });
    const answered = await json("answer", forked.thread.requests[0].requestId, "4");
    expect(answered.document.thread.output).toEqual({ count: 4 });
    const beyond = await json("fork", document.threadId, "--at", "99");
    expect(beyond).toMatchObject({ code: 2, document: { error: { code: "usage" } } });
  });
});

describe("export", () => {
  it("writes events, artifacts and requests as one document", async () => {
    const { json, run, write } = newProject();
    write("large.json", JSON.stringify({ text: "x".repeat(100_000) }));
    const { document: started } = await json("run", `${flows}#echo`, "--input-file", "large.json");
    const { document } = await json("export", started.threadId);
    expect(document).toMatchObject({
      format: "holdpoint-thread",
      v: 1,
      thread: { threadId: started.threadId },
      requests: [],
    });
    const { digest } = document.events[0].input.artifact;
    expect(document.artifacts[digest].text).toHaveLength(100_000);
    expect(JSON.parse((await run("export", started.threadId)).stdout)).toEqual(document);
  });

  it("is enough to render every past prompt, and to have every large value", async () => {
    const { json, write } = newProject();
    write(
      "big.ts",
      `import { agent, tool } from "holdpoint";
       import { scriptedModel } from "holdpoint/testing";
       import { z } from "zod";
       const big = (name: string) => Array.from({ length: 9_000 }, (_, id) => name + " " + id);
       const find = tool({ name: "find", description: "Finds. ".repeat(300), input: z.object({}), risk: "low",
         effect: "read", run: () => big("result") });
       export const child = agent({ name: "child", flow: async (t) => [...big("output"), ...(await t.step("s", () => big("inner")))] });
       export const parent = agent({ name: "parent", prompt: "Be exact. ".repeat(400), tools: [find],
         model: scriptedModel([{ calls: [{ tool: "find", args: {} }] }, "found", "found again"]),
         flow: async (t) => {
           await t.step("load", () => big("step"));
           const next = await t.decide({ see: { hint: "look ".repeat(500) } });
           if (next.kind === "calls") await t.act(next.calls);
           await t.call("child", big("input"));
           await t.decide();
           return (await t.decide({ see: { more: "x".repeat(3_000) } })).kind;
         } });`,
    );
    const { document: ran } = await json("run", "big.ts#parent", "--agent", "big.ts");
    expect(ran).toMatchObject({ status: "completed" });
    const { document } = await json("export", ran.threadId);
    const values = Object.values(document.artifacts).map((value) => JSON.stringify(value).slice(0, 12));
    for (const name of ["step", "result", "input", "output"]) expect(values.join()).toContain(`["${name} 0`);
    expect(values.join()).not.toContain('["inner'); // in the child's own export
    const calls = document.events.filter((event: { type: string }) => event.type === "decision_made");
    expect(calls).toHaveLength(3);
    for (const { seq } of calls) {
      const shown = await exactInput(document.events, seq, async (digest) =>
        JSON.stringify(document.artifacts[digest]),
      );
      const { document: asked } = await json("prompt", ran.threadId, String(seq));
      expect(shown.input).toEqual(asked.input);
      expect(shown.parts.some(({ content, plain }) => content === undefined && !plain)).toBe(true);
    }
  });

  it("writes one document per line with --jsonl", async () => {
    const { json, run } = newProject();
    const { document } = await json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    const { stdout } = await run("export", document.threadId, "--jsonl");
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((text) => Object.keys(JSON.parse(text)).at(-1));
    expect(lines).toEqual(["thread", ...Array(8).fill("event"), "request"]);
    expect(await json("export", document.threadId, "--jsonl")).toMatchObject({
      code: 2,
      document: { error: { code: "usage" } },
    });
  });
});

describe("prune", () => {
  it("removes old threads with their children, says what it keeps, and leaves a sound store", async () => {
    const { json, run } = newProject();
    const { document: old } = await json("run", `${flows}#echo`, "old");
    const { document: waiting } = await json("run", `${flows}#parent`, "--agent", flows);
    const { document: newest } = await json("run", `${flows}#echo`, "new");
    const dry = await json("prune", "--ended-before", "0s", "--dry-run");
    expect(dry.document).toMatchObject({ dryRun: true, threads: 1, events: 2, artifacts: 0 });
    expect((await json("threads")).document.threads).toHaveLength(4);
    expect((await json("prune", "--ended-before", "1d")).document).toMatchObject({ threads: 0, kept: [] });

    const { stdout, code } = await run("prune", "--ended-before", "0s");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Removed 1 thread \(2 events\) that ended before \S+, and 0 values that nothing refers/,
    );
    expect(stdout).toContain(`  ${newest.threadId}: ${newest.threadId} is the newest of the store`);
    const left = (await json("threads")).document.threads.map((row: { threadId: string }) => row.threadId);
    expect(left).not.toContain(old.threadId);
    expect(left).toContain(waiting.threadId);
    expect((await json("show", old.threadId)).document.error.code).toBe("thread_not_found");
    expect((await json("verify")).document).toMatchObject({ threads: 3, problems: [] });
  });

  it("leaves a fork that can be shown and run, when its origin goes", async () => {
    const { json, run, write } = newProject();
    write("large.json", JSON.stringify("x".repeat(100_000)));
    const { document: origin } = await json("run", `${flows}#echo`, "--input-file", "large.json");
    const forked = await json("fork", origin.threadId, "--at", "1", "--no-run");
    await json("run", `${flows}#echo`, "newest");
    expect((await json("prune", "--ended-before", "0s")).document).toMatchObject({
      threads: 1,
      artifacts: 0,
    });
    const forkId = forked.document.thread.threadId;
    expect((await run("show", forkId)).stdout).toContain(`forked from ${origin.threadId} at 1`);
    await run("worker", "--once", "--agent", flows);
    expect((await json("show", forkId)).document.thread).toMatchObject({ status: "completed" });
    expect((await json("verify")).document.problems).toEqual([]);
  });

  it("goes on after kill -9", async () => {
    const { json, start, folder } = newProject();
    const store = await openSqliteStore({ path: join(folder, ".holdpoint/holdpoint.db") });
    const at = "2020-01-01T00:00:00.000Z";
    const fill = async (number: number): Promise<void> => {
      const [threadId, text] = [`th_${number}`, JSON.stringify(`value ${number}`)];
      const digest = sha256(text);
      const input = { artifact: { digest, bytes: text.length, preview: "" } };
      const bodies: readonly EventBody[] = [
        { type: "thread_started", v: 1, threadId, agent: "echo", agentVersion: "1", input, by: "test" },
        { type: "thread_completed", v: 1, output: {} },
      ];
      const events = bodies.map((body) => ({ body, at }));
      await store.append({ threadId, expectedSeq: 0, events, artifacts: [{ digest, text }] });
    };
    await Promise.all(Array.from({ length: 2_000 }, (_, number) => fill(number)));
    const isThere = async () => (await store.threads({ threadId: "th_0" })).rows.length === 1;
    const running = start(["prune", "--ended-before", "90d"]);
    while ((await isThere()) && running.child.exitCode === null) await immediate();
    running.child.kill("SIGKILL");
    expect((await running.ended).signal).toBe("SIGKILL");
    expect((await store.verify({})).problems).toEqual([]);
    const { document } = await json("prune", "--ended-before", "90d");
    expect(document).toMatchObject({ artifacts: 1_999, kept: [{ threadId: "th_1999", why: "newest" }] });
    expect(document.threads).toBeGreaterThan(0);
    expect((await store.verify({})).problems).toEqual([]);
    await store.close();
  });

  it.each([
    { name: "no age", args: [] },
    { name: "no unit", args: ["--ended-before", "90"] },
    { name: "words", args: ["--ended-before", "yesterday"] },
    { name: "a date", args: ["--ended-before", "2026-01-31"], fix: /90d or 12h\. Dates are not taken/ },
    { name: "too long", args: ["--ended-before", "999999999999d"] },
    { name: "no store", args: ["--ended-before", "90d"] },
  ])("refuses $name", async ({ args, fix = /./ }: { readonly args: string[]; readonly fix?: RegExp }) => {
    const { json } = newProject();
    expect(await json("prune", ...args)).toMatchObject({
      code: 2,
      document: { error: { code: "usage", fix: expect.stringMatching(fix) } },
    });
  });
});
