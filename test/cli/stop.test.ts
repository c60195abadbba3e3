// How commands end that are told to stop, lose their reader, or run into faults of foreign code.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSqliteStore } from "../../src/stores/sqlite/store.ts";
import { fixture, newProject } from "./command.ts";

const flows = fixture("flows.ts");

describe("run, told to stop", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "lets what is under way end at %s, records it, and gives the thread back",
    async (signal) => {
      const project = newProject();
      const running = project.start(["run", `${flows}#slow`, "--json"]);
      await running.until("started by");
      await expect.poll(() => project.exists("ledger.jsonl")).toBe(true);
      running.child.kill(signal);
      await running.until("stopping");
      project.write("go", "");
      const { code, stdout } = await running.ended;
      expect(code).toBe(3);
      const { threadId, ...document } = JSON.parse(stdout);
      expect(document).toMatchObject({ status: "running", stopped: true, headSeq: 2 });
      expect(await project.json("worker", "--once")).toMatchObject({
        code: 0,
        document: { threads: 1, problems: [] },
      });
      expect((await project.json("show", threadId)).document.thread).toMatchObject({
        status: "completed",
        output: "ended",
      });
    },
  );

  it("ends at once at the second signal", async () => {
    const project = newProject();
    const running = project.start(["run", `${flows}#slow`]);
    await expect.poll(() => project.exists("ledger.jsonl")).toBe(true);
    running.child.kill("SIGINT");
    await running.until("stopping");
    running.child.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130, signal: null });
  });

  it("does not wait for its input any longer", async () => {
    const running = newProject().start(["run", `${flows}#echo`, "-", "--json"], { input: null });
    await running.until("reading the input from stdin");
    running.child.kill("SIGTERM");
    const { code, stdout } = await running.ended;
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error).toMatchObject({
      code: "usage",
      message: "stopped before the input had ended",
    });
  });
});

describe("worker", () => {
  it("runs what others started and decided, until SIGTERM", async () => {
    const project = newProject();
    const worker = project.start(["worker", "--agent", fixture("desk.ts"), "--agent", flows]);
    await worker.until("worker for desk, asker");
    const { document } = await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    const [request] = document.requests;
    await project.json("approve", request.requestId, "--no-run");
    await worker.until(`${document.threadId}  completed`);
    worker.child.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0, signal: null });
    expect((await project.json("show", document.threadId)).document.thread.status).toBe("completed");
  });

  it("says with --json that it stopped", async () => {
    const project = newProject();
    const worker = project.start(["worker", "--agent", flows, "--json"]);
    await worker.until("worker for asker");
    worker.child.kill("SIGINT");
    const { code, stdout } = await worker.ended;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ stopped: true });
  });

  it("needs agents", async () => {
    const { json } = newProject();
    const { code, document } = await json("worker");
    expect(code).toBe(2);
    expect(document.error.code).toBe("agent_not_found");
  });

  it("with --once runs what it can, and names what it cannot", async () => {
    const project = newProject();
    const { document: desk } = await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    const { document: eggs } = await project.json("run", `${flows}#asker`, "eggs");
    await project.json("approve", desk.requests[0].requestId, "--no-run");
    await project.json("answer", eggs.requests[0].requestId, "3", "--no-run");
    const { code, document } = await project.json("worker", "--once", "--agent", flows);
    expect(code).toBe(1);
    expect(document).toMatchObject({
      threads: 2,
      problems: [{ threadId: desk.threadId, error: { code: "agent_not_found" } }],
    });
    expect((await project.json("show", eggs.threadId)).document.thread.status).toBe("completed");
  });

  it("tells of a thread that a dead worker has, also when that waits for somebody", async () => {
    const project = newProject();
    await project.json("run", `${flows}#sleeper`);
    const { document } = await project.json("run", `${flows}#waiter`);
    expect(document.status).toBe("waiting");
    const store = await openSqliteStore({ path: join(project.folder, ".holdpoint", "holdpoint.db") });
    const now = Date.now();
    await store.lease({ threadId: document.threadId, owner: "dead", ttlMs: 60_000, now });
    expect(await store.leased(now)).toEqual([
      { threadId: document.threadId, agent: "waiter", until: now + 60_000 },
    ]);
    expect(await store.leased(now + 60_000)).toEqual([]);
    await store.close();
    const once = await project.run("worker", "--once", "--agent", flows);
    expect(once.stdout).toContain("another worker has 1 thread;");
  });

  it("leaves threads of other agents to whoever has them, at any moment", async () => {
    const project = newProject();
    const { document } = await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    await project.json("approve", document.requests[0].requestId, "--no-run");
    const foreign = project.start(["worker", "--agent", flows]);
    await foreign.until("worker for asker");
    await project.json("run", `${flows}#sleeper`);
    await project.json("worker", "--once", "--agent", flows); // it looked at the due thread, as the other worker does all the time
    const once = await project.json("worker", "--once", "--agent", fixture("desk.ts"));
    expect(once).toMatchObject({ code: 0, document: { threads: 1, problems: [] } });
    expect((await project.json("show", document.threadId)).document.thread.status).toBe("completed");
    foreign.child.kill("SIGTERM");
    await foreign.ended;
  });
});

describe("an agent that is not at hand", () => {
  it("that another one calls is told of with the thread and the way out", async () => {
    const project = newProject();
    project.write(
      "caller.ts",
      'import { agent } from "holdpoint";\nexport default agent({ name: "caller", flow: async (t) => t.call("nochild", 1) });\n',
    );
    const { code, document } = await project.json("run", "caller.ts");
    expect(code).toBe(2);
    const { threadId, fix } = document.error;
    expect(document.error).toMatchObject({
      code: "agent_not_found",
      message: `thread ${threadId} cannot go on here: there is no agent "nochild" here`,
    });
    expect(fix).toContain("worker --agent <file> --agent <file>");
    const shown = await project.run("show", threadId);
    expect(shown.stdout).toContain('the agent "nochild" is not at hand');
    expect(shown.stdout).toContain("worker --once --agent ./caller.ts --agent '<its file>'");
  });

  it("that is a due thread's own is named by show, and by worker --once with the way out", async () => {
    const project = newProject();
    const { document } = await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    await project.json("approve", document.requests[0].requestId, "--no-run");
    expect((await project.run("show", document.threadId)).stdout).not.toContain("not at hand");
    const { stdout } = await project.run("show", document.threadId, "--agent", flows);
    expect(stdout).toContain('the agent "desk" is not at hand');
    const once = await project.run("worker", "--once", "--agent", flows);
    expect(once.code).toBe(1);
    expect(once.stdout).toMatch(/th_\w+: .* agent "desk".*\n +→ .*holdpoint worker --agent <file>/);
  });
});

describe("faults", () => {
  it("of an agent's own timers end the command with 1, and lose nothing", async () => {
    const project = newProject();
    const { code, document, stderr } = await project.json("run", `${flows}#stray`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/Error: thrown by a timer\n +at .*flows\.ts/);
    expect(document.error).toMatchObject({ code: "internal", message: "thrown by a timer" });
    expect((await project.json("threads")).document.threads).toMatchObject([
      { agent: "stray", status: "running" },
    ]);
  });

  it.each([
    { name: "when it is loaded", flow: "", top: "process.exit(0);" },
    { name: "in a step", flow: 'await t.step("leave", () => process.exit(0));', top: "" },
    {
      name: "after the signal to stop",
      flow: 'await t.step("leave", () => { process.kill(process.pid, "SIGTERM"); });',
      top: 'process.on("SIGTERM", () => process.exit(0));',
    },
  ])("of code that ends the process are no success: $name", async ({ flow, top }) => {
    const project = newProject();
    const text = `import { agent } from "holdpoint";\n${top}\nexport default agent({ name: "a", async flow(t) { ${flow} } });\n`;
    project.write("exit.ts", text);
    const { code, document } = await project.json("run", "exit.ts");
    expect(code).toBe(1);
    expect(document.error).toMatchObject({
      code: "agent_invalid",
      message: expect.stringContaining("process.exit(0)"),
    });
  });

  it("of code that ends the process while a worker loads it are told on stderr", async () => {
    const project = newProject();
    await project.run("run", `${flows}#asker`, "apples");
    project.write("exit.ts", "process.exit(0);");
    const { code, stderr } = await project.run("worker", "--once", "--agent", "exit.ts");
    expect(code).toBe(1);
    expect(stderr).toContain("process.exit(0)");
  });

  it("of a reader that goes away do not stop the work", async () => {
    const project = newProject();
    const running = project.start(["run", `${flows}#retrying`]);
    running.child.stdout?.destroy();
    running.child.stderr?.destroy();
    expect((await running.ended).code).toBe(0);
    expect((await project.json("threads")).document.threads).toMatchObject([{ status: "completed" }]);
  });

  it("of a reader that wants only the beginning are none", async () => {
    const project = newProject();
    project.write("large.json", JSON.stringify({ text: "x".repeat(2_000_000) }));
    const { document } = await project.json("run", `${flows}#echo`, "--input-file", "large.json");
    const running = project.start(["export", document.threadId]);
    running.child.stdout?.once("data", () => running.child.stdout?.destroy());
    expect(await running.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
  });
});
