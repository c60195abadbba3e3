// `holdpoint eval` as users run it: a real process, a real folder, models in code.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { newProject, type Project, root } from "./command.ts";

/** Works, and pays when it is told to; its tool does not come back as long as there is a file `hang-<what>`. */
const agents = `
import { appendFileSync, existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { agent, gate, tool } from "holdpoint";
import { scriptedModel } from "holdpoint/testing";
import { z } from "zod";

const note = (line) => appendFileSync("ledger", line + "\\n");
const run = async ({ what }) => {
  note("ran " + what);
  while (existsSync("hang-" + what)) await setTimeout(20);
  return what;
};
const input = z.object({ what: z.string() });
const work = tool({ name: "work", description: "Works.", input, risk: "low", effect: "repeatable", run });
const pay = tool({ name: "pay", description: "Pays.", input, risk: "high", effect: "once", run });

const model = scriptedModel(({ messages }) => {
  const { what, tools } = JSON.parse(messages.find(({ role }) => role === "user").content);
  note("asked " + what);
  const done = messages.filter(({ role }) => role === "tool").length;
  return done < tools.length ? { calls: [{ tool: tools[done], args: { what } }] } : what + " done";
}, { id: "test/follows" });

const asks = z.object({ what: z.string(), tools: z.array(z.enum(["work", "pay"])) });
export default agent({ name: "worker", model, prompt: "Work.", input: asks, tools: [work, pay], gate: gate({ expiresIn: "2d" }) });
export const thrower = agent({ name: "thrower", flow: async () => { throw new Error("no such luck"); } });
export const asker = agent({ name: "asker", flow: async (t, input) => (input ? t.wait("paid") : (await t.ask("Who?")).kind) });
`;

const suite = `
name: works
agent: ./agents.ts
cases:
  - { name: first, input: { what: first, tools: [work] }, expect: { result: first done } }
  - { name: second, input: { what: second, tools: [work] }, expect: { actions: [{ tool: work, times: 1 }] } }
`;

function evalProject(): Project {
  const project = newProject();
  project.write("agents.ts", agents);
  project.write("suite.yaml", suite);
  return project;
}

function ledgerOf({ folder }: Project): readonly string[] {
  return readFileSync(join(folder, "ledger"), "utf8").trim().split("\n");
}

describe("the example", () => {
  it("passes, and leaves its reports", async () => {
    const project = newProject();
    const suitePath = join(root, "examples/support-desk/eval.yaml");
    const { code, document } = await project.json(
      "eval",
      suitePath,
      "--junit",
      "out/junit.xml",
      "--html",
      "out/page.html",
    );
    expect(document.cases.filter(({ passed }: { passed: number }) => passed !== 1)).toEqual([]);
    expect([code, document.ok, document.total.trials, document.cases.length]).toEqual([0, true, 7, 7]);
    expect(document.total.misoperation).toMatchObject({ count: 0, unapproved: 0 });
    expect(document.total.time.wall.p95).toBeGreaterThan(6 * 86_400_000); // a deadline of seven days was passed over
    expect(XMLValidator.validate(readFileSync(join(project.folder, "out/junit.xml"), "utf8"))).toBe(true);
    expect(readFileSync(join(project.folder, "out/page.html"), "utf8")).toContain("support desk");
    expect(project.exists(".holdpoint/holdpoint.db")).toBe(false); // a run has a store of its own
  });
});

describe("the documentation's first suite", () => {
  it("passes in the project that init makes", async () => {
    const project = newProject();
    await project.run("init", "shop");
    const [, text = ""] =
      /^```yaml\n(.*?)^```$/ms.exec(readFileSync(join(root, "docs/eval.md"), "utf8")) ?? [];
    project.write("shop/eval.yaml", text);
    const { code, document } = await project.json("eval", "shop/eval.yaml", "-k", "2", "--faults", "0");
    expect([code, document.total.passed, document.total.trials]).toEqual([0, 8, 8]);
  });
});

describe("a run that is killed", () => {
  it("goes on with what is missing, alone in its folder, and runs no ended trial again", async () => {
    const project = evalProject();
    project.write("hang-second", "");
    const command = ["eval", "suite.yaml", "-k", "2", "--parallel", "1", "--resume", "run"];
    const first = project.start(command);
    await first.until("first #1"); // it has ended
    await expect.poll(() => ledgerOf(project)).toContain("ran second");
    expect(await project.json(...command)).toMatchObject({
      code: 3,
      document: { error: { code: "store_busy" } },
    });
    first.child.kill("SIGKILL");
    await first.ended;
    expect(ledgerOf(project)).toEqual([
      "asked first",
      "ran first",
      "asked first",
      "asked second",
      "ran second",
    ]);

    rmSync(join(project.folder, "hang-second"));
    const { code, document } = await project.json(...command);
    expect([code, document.total.passed, document.total.trials]).toEqual([0, 4, 4]);
    const after = ledgerOf(project).slice(5);
    expect(after.filter((line) => line === "asked first")).toHaveLength(2); // the second trial's, and none of the first's
    expect(after.filter((line) => line === "asked second")).toHaveLength(3); // the decision that was made is not paid again

    project.write("suite.yaml", suite.replace("first done", "first gone"));
    const { document: refused, code: refusedWith } = await project.json(...command);
    expect([refusedWith, refused.error.code]).toEqual([2, "usage"]);
    expect(refused.error.message).toContain("the suite's content");
    expect(refused.error.fix).toContain("--resume");
  });

  it("stops when it is told to, and says how to go on", async () => {
    const project = evalProject();
    project.write("hang-second", "");
    const running = project.start(["eval", "suite.yaml", "--resume", "run"]);
    await running.until("first #1");
    await expect.poll(() => ledgerOf(project)).toContain("ran second");
    running.child.kill("SIGINT");
    await running.until("SIGINT: stopping");
    rmSync(join(project.folder, "hang-second")); // what runs may finish
    const { code, stdout } = await running.ended;
    expect(code).toBe(3);
    expect(stdout).toContain("--resume");
  });
});

describe("a setup that makes its world once only", () => {
  it("is no hindrance to a run that goes on, and leaves nothing but its trials", async () => {
    const project = evalProject();
    project.write("suite.yaml", suite.replace("agent: ./agents.ts", "agent: worker\nsetup: ./setup.ts"));
    project.write(
      "setup.ts",
      'import { mkdirSync } from "node:fs";\nimport agent from "./agents.ts";\n' +
        'export default ({ folder }) => { mkdirSync(folder + "/shop"); return agent; };\n',
    );
    const command = ["eval", "suite.yaml", "--resume", "run"];
    expect(await project.json(...command)).toMatchObject({ code: 0 });
    expect(await project.json(...command, "-k", "2")).toMatchObject({
      code: 0,
      document: { total: { trials: 4, passed: 4 } },
    });
    expect(readdirSync(join(project.folder, "run/trials")).sort()).toEqual(["001-first", "002-second"]);
  });
});

describe("a setup that does not come back", () => {
  it("keeps nobody waiting who stops the run", async () => {
    const project = evalProject();
    project.write("suite.yaml", suite.replace("agent: ./agents.ts", "agent: worker\nsetup: ./setup.ts"));
    project.write(
      "setup.ts",
      'export default () => { console.error("setting up"); setInterval(() => {}, 1e6); return new Promise(() => {}); };\n',
    );
    const running = project.start(["eval", "suite.yaml", "--json"]);
    await running.until("setting up");
    running.child.kill("SIGINT");
    const { code, stdout } = await running.ended;
    expect([code, JSON.parse(stdout)]).toEqual([3, { stopped: true }]);
  });
});

describe("what goes wrong in a trial", () => {
  it("is told with its thread, whatever it was", async () => {
    const project = evalProject();
    project.write(
      "suite.ts",
      `import { evalSuite, scriptedModel } from "holdpoint/testing";
const pays = { what: "x", tools: ["pay"] };
export default evalSuite({
  name: "all sorts",
  agent: "./agents.ts",
  cases: [
    { name: "approved", input: pays, people: [{ tool: "pay", say: "approve" }], clock: "2030-01-01T00:00:00Z",
      check: ({ events, numbers }) => [\`began \${events[0].at.slice(0, 10)}, asked \${numbers.asked}\`] },
    { name: "edited", input: pays, people: [{ args: { what: "x" }, say: "edit", with: { what: "y" } }],
      expect: { actions: [{ tool: "pay", args: { what: "y" }, times: 1 }] }, never: [{ tool: "pay", withoutApproval: true }] },
    { name: "nobody there", input: pays, expect: { actions: [{ tool: "pay", status: "denied" }] } },
    { name: "throws", agent: "./agents.ts#thrower", expect: { outcome: "failed", error: "flow_failed" } },
    { name: "bad check", agent: "./agents.ts#thrower", check: () => { throw new Error("in the check"); } },
    { name: "waits for ever", agent: "./agents.ts#asker", input: true },
    { name: "refused verdict", agent: "./agents.ts#asker", people: [{ say: "approve" }] },
    { name: "too many tokens", input: pays, limits: { tokens: 1 } },
  ],
});
`,
    );
    const { code, document } = await project.json("eval", "suite.ts", "--parallel", "8");
    expect(code).toBe(1);
    const told = new Map<string, string>(
      document.cases.map(
        (each: {
          name: string;
          results: readonly { findings: readonly { rule: string; message: string }[] }[];
        }) => [
          each.name,
          each.results[0]?.findings.map(({ rule, message }) => `${rule}: ${message}`).join("\n"),
        ],
      ),
    );
    expect(told.get("approved")).toBe("check: began 2030-01-01, asked 1");
    expect(told.get("edited")).toBe("");
    expect(told.get("nobody there")).toBe("");
    expect(told.get("throws")).toBe("");
    expect(told.get("bad check")).toMatch(
      /it failed \(flow_failed: no such luck\).*\ncheck: it threw: in the check/,
    );
    expect(told.get("waits for ever")).toMatch(/^stopped: it waits for the signal paid, which nobody sends/);
    expect(told.get("refused verdict")).toMatch(/^stopped: a person of the case could not approve/);
    expect(told.get("too many tokens")).toMatch(/^stopped: the limit of 1 tokens was reached/);
    const { threadId } = document.cases[4].results[0];
    const shown = await project.run("show", threadId, "--store", join(document.folder, "eval.db"));
    expect(shown.stdout).toContain("no such luck");
  });
});

describe("a secret that a check quotes", () => {
  it("is in no report", async () => {
    const project = evalProject();
    project.write("holdpoint.config.json", '{ "secrets": ["SHOP_TOKEN"] }');
    project.write(
      "suite.mjs",
      'const check = () => ["it paid with " + process.env.SHOP_TOKEN];\n' +
        'export default { name: "leaks", agent: "./agents.ts#asker", cases: [{ name: "one", check }] };\n',
    );
    const args = ["eval", "suite.mjs", "--resume", "run", "--html", "page.html", "--junit", "junit.xml"];
    const { code } = await project.start(args, { env: { SHOP_TOKEN: "tok-5e9d1" } }).ended;
    expect(code).toBe(1);
    for (const file of ["run/report.json", "page.html", "junit.xml"])
      expect(readFileSync(join(project.folder, file), "utf8")).toContain("it paid with [secret SHOP_TOKEN]");
  });
});

describe("two runs", () => {
  it("are compared, recorded and played, and a worse one fails", async () => {
    const project = evalProject();
    const good = await project.json("eval", "suite.yaml", "-k", "5", "--record", "calls.jsonl");
    expect(good.code).toBe(0);
    const asked = ledgerOf(project).filter((line) => line.startsWith("asked")).length;
    const played = await project.json(
      "eval",
      "suite.yaml",
      "-k",
      "5",
      "--replay",
      "calls.jsonl",
      "--compare",
      good.document.folder,
      "--fail-on-worse",
    );
    expect([played.code, played.document.comparison.isWorse]).toEqual([0, false]);
    expect(ledgerOf(project).filter((line) => line.startsWith("asked"))).toHaveLength(asked); // the model was not called

    project.write(
      "silent.ts",
      'import { scriptedModel } from "holdpoint/testing";\nexport default () => scriptedModel(["nothing"]);\n',
    );
    const worse = [
      "eval",
      "suite.yaml",
      "-k",
      "5",
      "--model",
      "./silent.ts",
      "--compare",
      good.document.folder,
    ];
    const [report, kept, strict] = await Promise.all([
      project.run(...worse, "--min-success", "0"),
      project.json(...worse, "--min-success", "0", "--fail-on-worse", "--filter", "first"),
      project.json("eval", "suite.yaml", "-k", "5", "--faults", "1", "--seed", "3", "--filter", "first"),
    ]);
    expect(report.code).toBe(0);
    expect(report.stdout).toMatch(/first +100 % → +0 % +−100 pp .* worse/);
    expect(report.stdout).toMatch(
      /^against the run of .*\ndiffers: the model \(.* there, "\.\/silent\.ts" now\)$/m,
    );
    expect([kept.code, kept.document.comparison.isWorse, kept.document.comparison.onlyBefore]).toEqual([
      1,
      true,
      ["second"],
    ]);
    expect([strict.code, strict.document.ok]).toEqual([1, false]);
  });
});

describe("what a run writes", () => {
  it("is looked at before the first trial", async () => {
    const project = evalProject();
    mkdirSync(join(project.folder, "out"));
    project.write("calls.jsonl", "a recording");
    const mistakes: readonly (readonly [args: readonly string[], told: RegExp])[] = [
      [["--record", "out"], /--record \.\/out is a folder/],
      [
        ["--html", "suite.yaml/page.html"],
        /--html \.\/suite\.yaml\/page\.html cannot be written: .* no folder/,
      ],
      [["--junit", "same", "--html", "./out/../same"], /--html would overwrite --junit/],
      [["--html", "agents.ts", "--model", "./agents.ts"], /--html would overwrite --model/],
    ];
    const answers = await Promise.all(mistakes.map(([args]) => project.json("eval", "suite.yaml", ...args)));
    for (const [index, [args, told]] of mistakes.entries()) {
      const { code, document } = answers[index] ?? { code: null, document: {} };
      expect([code, document.error?.code], args.join(" ")).toEqual([2, "usage"]);
      expect(document.error.message).toMatch(told);
    }
    expect(["ledger", ".holdpoint", "out.tmp"].filter(project.exists)).toEqual([]);
  });

  it("is no trial's fault when it fails later: the run stops, and goes on without a call more", async () => {
    const project = evalProject();
    project.write("hang-first", "");
    const command = ["eval", "suite.yaml", "--parallel", "1", "--resume", "run"];
    const running = project.start([...command, "--record", "calls.jsonl"]);
    await expect.poll(() => project.exists("ledger") && ledgerOf(project)).toContain("ran first");
    rmSync(join(project.folder, "calls.jsonl"));
    mkdirSync(join(project.folder, "calls.jsonl"));
    rmSync(join(project.folder, "hang-first"));
    const { code, stderr } = await running.ended;
    expect([code, project.exists("calls.jsonl.tmp")]).toEqual([3, false]);
    expect(stderr).toMatch(/calls\.jsonl cannot be written.*\n.*--resume \.\/run, without --record/);

    const asked = (): readonly string[] => ledgerOf(project).filter((line) => line === "asked first");
    project.write("hang-second", "");
    const resumed = project.start([...command, "--html", "page.html"]);
    await expect.poll(() => ledgerOf(project)).toContain("ran second");
    mkdirSync(join(project.folder, "page.html"));
    rmSync(join(project.folder, "hang-second"));
    const { stdout, ...ended } = await resumed.ended;
    expect([ended.code, asked().length]).toEqual([3, 2]); // what was answered when the recording failed is kept
    expect(stdout).toMatch(/^all +2\/2 /m);
    expect(ended.stderr).toMatch(/page\.html cannot be written; the run is kept.*--resume \.\/run/);
  });
});

describe("a recording of several models", () => {
  it("stops the run, and fails no trial of it", async () => {
    const project = evalProject();
    project.write(
      "several.ts",
      'import { scriptedModel } from "holdpoint/testing";\n' +
        'export default ({ case: id }) => scriptedModel([id + " done"], { id: "test/" + id });\n',
    );
    project.write("suite.yaml", suite.replaceAll(/, expect: .*\}/g, " }"));
    const command = ["eval", "suite.yaml", "--parallel", "1", "--model", "./several.ts", "--resume", "run"];
    const { code, document } = await project.json(...command, "--record", "calls.jsonl");
    expect([code, document.error.code]).toEqual([2, "usage"]);
    expect(document.error.message).toContain("the trials call test/first and test/second");
    expect(await project.json(...command)).toMatchObject({ code: 0, document: { total: { passed: 2 } } });
  });
});

describe("what is no file, and no folder", () => {
  it.skipIf(process.platform !== "linux")("is refused, and nobody waits for it", async () => {
    const project = evalProject();
    const pipes = ["pipe.yaml", "pipe.jsonl", "pipe.json"];
    execFileSync("mkfifo", pipes, { cwd: project.folder });
    const mistakes: readonly (readonly [args: readonly string[], code: number, error: string])[] = [
      [["pipe.yaml"], 2, "usage"],
      [["suite.yaml", "--replay", "pipe.jsonl"], 2, "usage"],
      [["suite.yaml", "--compare", "pipe.json"], 2, "usage"],
      [["suite.yaml", "--resume", "/proc/none/run"], 3, "store_unavailable"], // which cannot hold a folder
    ];
    const answers = await Promise.all(mistakes.map(([args]) => project.json("eval", ...args)));
    for (const [index, [args, code, error]] of mistakes.entries())
      expect(answers[index], args.join(" ")).toMatchObject({ code, document: { error: { code: error } } });
    expect(project.exists("ledger")).toBe(false);
  });
});

describe("bad input", () => {
  it("is refused before anything runs, with the place and what to do", async () => {
    const project = evalProject();
    const head = "name: x\nagent: ./agents.ts\ncases:\n  - name: x\n";
    project.write("broken.yaml", "name: x\ncases: ]\n");
    project.write("tool.yaml", `${head}    input: { what: x, tools: [] }\n    never: [{ tool: wrok }]\n`);
    project.write("input.yaml", `${head}    input: { what: x }\n`);
    project.write("setup.yaml", suite.replace("agent: ./agents.ts", "agent: worker\nsetup: ./setup.ts"));
    project.write("setup.ts", 'export default () => { throw new Error("no world today"); };\n');
    const mistakes: readonly (readonly [
      args: readonly string[],
      code: number,
      error: string,
      told: RegExp,
    ])[] = [
      [["none.yaml"], 2, "usage", /none\.yaml cannot be read/],
      [["broken.yaml"], 2, "suite_invalid", /broken\.yaml:2: it is no valid YAML/],
      [["tool.yaml"], 2, "suite_invalid", /tool\.yaml:6: no agent here has a tool "wrok"/],
      [["input.yaml"], 2, "suite_invalid", /input\.yaml:5: the input is not valid for agent worker: .*tools/],
      [["suite.yaml", "-k", "0"], 2, "usage", /no trial, no result/],
      [["suite.yaml", "--compare", "nowhere"], 2, "usage", /no report of a run/],
      [["suite.yaml", "--model", "nobody/none"], 1, "model_unavailable", /nobody/],
      [["setup.yaml"], 2, "agent_invalid", /setup failed for "first", trial 0: no world today/],
    ];
    const answers = await Promise.all(mistakes.map(([args]) => project.json("eval", ...args)));
    for (const [index, [args, code, error, told]] of mistakes.entries()) {
      const { document, ...answer } = answers[index] ?? { code: null, document: {} };
      expect([answer.code, document.error?.code], args.join(" ")).toEqual([code, error]);
      expect(document.error.message).toMatch(told);
      expect(document.error.fix).toBeTruthy();
    }
    expect(existsSync(join(project.folder, "ledger"))).toBe(false);
  });
});
