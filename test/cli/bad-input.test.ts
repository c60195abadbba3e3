import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { fixture, main, newProject, type Project } from "./command.ts";

const flows = fixture("flows.ts");

/** Who is not stopped by permissions runs these commands as nobody. */
const otherUser = process.getuid?.() === 0 ? 65_534 : undefined;

function canBeOther(): boolean {
  if (process.platform === "win32") return false;
  return (
    spawnSync(process.execPath, [main, "--version"], otherUser === undefined ? {} : { uid: otherUser })
      .status === 0
  );
}

describe("the command line itself", () => {
  it.each([
    {
      name: "no command",
      args: [],
      message: "no command was given",
      fix: /Commands: init, run, check, threads/,
    },
    {
      name: "an unknown command",
      args: ["shwo"],
      message: "unknown command 'shwo'",
      fix: /Did you mean show\?/,
    },
    {
      name: "an unknown option",
      args: ["threads", "--stauts", "x"],
      message: "unknown option '--stauts'",
      fix: /Did you mean --status\?/,
    },
    {
      name: "a missing argument",
      args: ["show"],
      message: "missing required argument 'thread'",
      fix: /--help/,
    },
    {
      name: "too many arguments",
      args: ["inbox", "x"],
      message: expect.stringContaining("too many arguments"),
      fix: /--help/,
    },
    {
      name: "no store",
      args: ["threads"],
      message: "there is no store at ./.holdpoint/holdpoint.db",
      fix: /--store/,
    },
    {
      name: "a config that is not there",
      args: ["threads", "--config", "no.json"],
      message: "there is no config file no.json",
      fix: /--config/,
    },
    {
      name: "a principal over two lines",
      args: ["inbox", "--as", "a\nb"],
      message: expect.stringContaining("--as"),
      fix: /dana/,
    },
  ])("says what is wrong and exits with 2: $name", async ({ args, message, fix }) => {
    const { json, run } = newProject();
    const { code, document } = await json(...args);
    expect(code).toBe(2);
    expect(document).toEqual({ error: { code: "usage", message, fix: expect.stringMatching(fix) } });
    const { code: plainCode, stdout, stderr } = await run(...args);
    expect(plainCode).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error \(usage\): .+\n {2}→ .+\n$/);
  });

  it("gives help and version as results", async () => {
    const { run, json } = newProject();
    expect(await run("--help")).toMatchObject({
      code: 0,
      stderr: "",
      stdout: expect.stringMatching(/^Usage: holdpoint/),
    });
    expect(await run("run", "--help")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("--input-file"),
    });
    expect(await run("--version")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
    expect((await json("--version")).document).toEqual({ text: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  });

  it("takes global options before the command as well", async () => {
    const { start } = newProject();
    const { code, stdout } = await start(["--json", "--store", "other.db", "run", `${flows}#echo`, "x"])
      .ended;
    expect({ code, document: JSON.parse(stdout) }).toMatchObject({ code: 0, document: { output: "x" } });
  });

  it.each([
    { name: "a member that is not known", text: '{ "stores": "x" }', message: /stores/ },
    { name: "a wrong type", text: '{ "agents": "x" }', message: /agents/ },
    { name: "no JSON", text: "{ store: 1 }", message: /not JSON at line 1, column 3/ },
  ])("refuses a config with $name", async ({ text, message }) => {
    const { write, json } = newProject();
    write("holdpoint.config.json", text);
    const { code, document } = await json("threads");
    expect(code).toBe(2);
    expect(document.error.message).toMatch(message);
  });

  it("names all that a config's server takes", async () => {
    const { write, json } = newProject();
    write("holdpoint.config.json", '{ "server": { "proxies": ["10.0.0.1"] } }');
    const { document } = await json("threads");
    expect(document.error.fix).toContain("server (host, port, publicUrl, allowedHosts, trustedProxies)");
  });
});

describe("agents' files", () => {
  const valid =
    'import { agent } from "holdpoint";\nexport default agent({ name: "x", flow: async () => 1 });\n';

  it.each([
    {
      name: "an enum",
      text: `${valid}enum Color { Red }`,
      message: /^\.\/bad\.ts:3: TypeScript enum is not supported/,
      fix: /as const/,
    },
    {
      name: "a namespace",
      text: `${valid}namespace N { export const a = 1; }`,
      message: /:3: TypeScript namespace/,
      fix: /Instead of a namespace/,
    },
    {
      name: "a parameter property",
      text: `${valid}class C { constructor(private a: string) {} }`,
      message: /:3: TypeScript parameter property/,
      fix: /declare the field/,
    },
    {
      name: "invalid TypeScript",
      text: `${valid}const a: = 1;`,
      message: /:3: the TypeScript is not valid/,
      fix: /tsc --noEmit/,
    },
    {
      name: "a throw",
      text: 'throw new TypeError("boom");',
      message: /^\.\/bad\.ts:1: the file throws while it is imported: TypeError: boom/,
      fix: /Correct it/,
    },
    {
      name: "an import without ending",
      text: `${valid}import "./other";`,
      message: /Cannot find module/,
      fix: /\.\/tools\.ts/,
    },
    {
      name: "a type imported as a value",
      text: `import { Agent } from "holdpoint";\n${valid}`,
      message: /:1: .*Agent/,
      fix: /import type/,
    },
    {
      name: "no agent",
      text: "export const a = 1;",
      message: /^\.\/bad\.ts exports no agent/,
      fix: /export default agent/,
    },
    {
      name: "a default export that is none",
      text: "export default { name: 1 };",
      message: /exports no agent/,
      fix: /export default agent/,
    },
    {
      name: "several agents and no default one",
      text: 'import { agent } from "holdpoint";\nexport const a = agent({ name: "one" });\nexport const b = agent({ name: "two" });',
      message: /several agents/,
      fix: /bad\.ts#a, \.\/bad\.ts#b/,
    },
    {
      name: "an agent that cannot be",
      text: 'import { agent } from "holdpoint";\nexport default agent({ name: "not a name" });',
      message: /"not a name" cannot be an agent's name/,
      fix: /Use 1 to 64 letters/,
    },
    {
      name: "a top-level await that never settles",
      text: `${valid}await new Promise(() => {});`,
      message: /never settles/,
      fix: /top-level/,
    },
  ])("with $name are refused, saying where and what to write", async ({ text, message, fix }) => {
    const { write, json, exists } = newProject();
    write("bad.ts", text);
    const { document } = await json("run", "bad.ts");
    expect(document.error).toMatchObject({
      code: "agent_invalid",
      message: expect.stringMatching(message),
      fix: expect.stringMatching(fix),
    });
    expect(exists(".holdpoint")).toBe(false);
  });

  it.each([
    { args: ["nowhere.ts"], message: "there is no file ./nowhere.ts", fix: /current folder/ },
    {
      args: [`${flows}#ecko`],
      message: expect.stringContaining('exports no agent "ecko"'),
      fix: /It has: .*echo/,
    },
    {
      args: ["ecko", "--agent", flows],
      message: 'there is no agent "ecko" here',
      fix: /Did you mean echo\?/,
    },
    { args: ["ecko"], message: 'there is no agent "ecko" here', fix: /--agent <file>/ },
  ])("that are not found: $args", async ({ args, message, fix }) => {
    const { json } = newProject();
    const { code, document } = await json("run", ...args);
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      code: "agent_not_found",
      message,
      fix: expect.stringMatching(fix),
    });
  });

  it("that have one agent's name in two places are refused", async () => {
    const { write, json } = newProject();
    write("one.ts", valid);
    write("two.ts", valid);
    const { code, document } = await json("run", "x", "--agent", "one.ts", "--agent", "two.ts");
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      code: "agent_invalid",
      message: './one.ts and ./two.ts both have an agent "x"',
    });
  });

  it.each([["worker", "--once"], ["check"], ["run", "x"], ["run", "dup.ts"], ["run", "dup.ts#first"]])(
    "that have one name in one file are refused: %s %s",
    async (...args) => {
      const { write, json } = newProject();
      const agents = ["first", "second"].map((name) => `export const ${name} = agent({ name: "x" });`);
      write("dup.ts", ['import { agent } from "holdpoint";', ...agents].join("\n"));
      const { code, document } = await json(...args, "--agent", "dup.ts");
      expect(code).toBe(2);
      expect(document.error).toMatchObject({
        code: "agent_invalid",
        message: './dup.ts has two agents "x": its exports first and second',
      });
    },
  );

  it("that broke since they were run keep no verdict from being recorded", async () => {
    const { write, json, folder } = newProject();
    const flow = (wait: string) =>
      `import { agent } from "holdpoint";\nexport default agent({ name: "x", flow: async (t) => { ${wait} } });\n`;
    write("agent.ts", flow('return (await t.ask("Well?")).kind;'));
    const { document } = await json("run", "agent.ts");
    write("agent.ts", "enum Broken {}");
    const { code, document: answered } = await json("answer", document.requests[0].requestId, "yes");
    expect(code).toBe(0);
    expect(answered).toMatchObject({ first: true, ran: false, whyNot: expect.stringContaining("enum") });
    rmSync(join(folder, "agent.ts"));
    expect((await json("worker", "--once")).document.error.message).toContain("there is no file ./agent.ts");
  });
});

describe("input", () => {
  it.each([
    {
      name: "that does not fit the schema",
      input: '{"orderId":7,"cents":42}',
      code: "invalid_input",
      message: /orderId/,
    },
    {
      name: "that is no JSON where no text is taken",
      input: "refund it",
      code: "invalid_json",
      message: /line 1, column 1/,
    },
    {
      name: "cut off in the middle",
      input: '{"orderId":"A7"',
      code: "invalid_json",
      message: /column 16: it ends too early/,
    },
  ])("$name is refused before anything starts", async ({ input, code, message }) => {
    const { json } = newProject();
    const ended = await json("run", fixture("desk.ts"), input);
    expect(ended.code).toBe(2);
    expect(ended.document.error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect((await json("threads")).document.threads ?? []).toEqual([]);
  });

  it.each([
    {
      name: "an input",
      file: "input.txt",
      args: ["run", `${flows}#echo`, "--text", "--input-file", "input.txt"],
    },
    { name: "a config", file: "config.json", args: ["threads", "--config", "config.json"] },
    { name: "a suite", file: "suite.yaml", args: ["eval", "suite.yaml"] },
  ])("in a file that is not UTF-8 is refused, naming the byte: $name", async ({ file, args }) => {
    const project = newProject();
    writeFileSync(join(project.folder, file), Buffer.from("caf\xe9 \ufffd", "latin1"));
    const { code, document } = await project.json(...args);
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      code: "usage",
      message: expect.stringContaining(`${file} is not UTF-8: byte 4 is 0xe9`),
      fix: expect.stringContaining("UTF-8"),
    });
  });

  it("on stdin that is not UTF-8 is refused, too", async () => {
    const { start } = newProject();
    const { ended } = start(["run", `${flows}#echo`, "-", "--json"], {
      input: Buffer.from("caf\xe9", "latin1"),
    });
    const { code, stdout } = await ended;
    expect(code).toBe(2);
    expect(JSON.parse(stdout).error.message).toContain("the input on stdin is not UTF-8: byte 4 is 0xe9");
  });

  it("in a file that is not there, or given twice, is refused", async () => {
    const { json } = newProject();
    expect(await json("run", `${flows}#echo`, "--input-file", "no.json")).toMatchObject({
      code: 2,
      document: { error: { code: "usage" } },
    });
    expect(await json("run", `${flows}#echo`, "x", "--input-file", "no.json")).toMatchObject({
      code: 2,
      document: { error: { code: "usage" } },
    });
  });
});

describe("the store's file", () => {
  async function filled(project: Project): Promise<string> {
    await project.json("run", `${flows}#echo`, "x".repeat(20_000));
    return join(project.folder, ".holdpoint/holdpoint.db");
  }

  it("overwritten in the middle is named as damaged, with exit code 1", async () => {
    const project = newProject();
    const path = await filled(project);
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(8_192, 0xab), 0, 8_192, 8_192);
    closeSync(file);
    const { code, document } = await project.json("verify");
    expect(code).toBe(1);
    expect(document.problems.length).toBeGreaterThan(0);
  });

  it.each([
    { name: "truncated", damage: (path: string) => truncateSync(path, 5_000) },
    {
      name: "no database",
      damage: (path: string) => writeOver(path, "this is a text, and a long one at that".repeat(40)),
    },
  ])("that is $name is refused by run and verify", async ({ damage }) => {
    const project = newProject();
    damage(await filled(project));
    const { code, document } = await project.json("run", `${flows}#echo`, "x");
    expect(code).toBe(1);
    expect(document.error).toMatchObject({ code: "store_corrupt", fix: expect.stringContaining("backup") });
    const verified = await project.json("verify");
    expect(verified).toMatchObject({ code: 1, document: { problems: [{ kind: "file" }] } });
  });

  it("of a newer version is left alone", async () => {
    const project = newProject();
    const path = await filled(project);
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 999");
    database.close();
    const { code, document } = await project.json("threads");
    expect(code).toBe(1);
    expect(document.error).toMatchObject({
      code: "store_newer",
      fix: expect.stringContaining("newer Holdpoint"),
    });
  });

  it("of another program is left alone", async () => {
    const project = newProject();
    const path = join(project.folder, "other.db");
    const database = new DatabaseSync(path);
    database.exec("CREATE TABLE theirs (a)");
    database.close();
    const { code, document } = await project.json("run", `${flows}#echo`, "x", "--store", "other.db");
    expect(code).toBe(2);
    expect(document.error.message).toContain("another program");
  });

  it("with a changed event is found by verify, and with a changed list mended by --rebuild", async () => {
    const project = newProject();
    const { document: started } = await project.json(
      "run",
      fixture("desk.ts"),
      '{"orderId":"A7","cents":42}',
    );
    const path = join(project.folder, ".holdpoint/holdpoint.db");
    change(path, "UPDATE threads SET status = 'completed'");
    expect(await project.json("verify")).toMatchObject({
      code: 1,
      document: { problems: [{ kind: "projection" }] },
    });
    expect(await project.json("verify", "--rebuild")).toMatchObject({
      code: 0,
      document: { problems: [], mended: 1 },
    });
    expect(await project.json("verify", started.threadId)).toMatchObject({
      code: 0,
      document: { threads: 1 },
    });
    change(path, "UPDATE events SET body = replace(body, '42', '43')");
    const { code, document } = await project.json("verify", "--rebuild");
    expect(code).toBe(1);
    expect(document.problems[0]).toMatchObject({ threadId: started.threadId, kind: "chain" });
    expect((await project.run("verify")).stdout).toContain("restore a backup");
    const exported = await project.json("export", started.threadId);
    expect(exported).toMatchObject({ code: 1, document: { format: "holdpoint-thread" } });
    expect(exported.stderr).toMatch(
      new RegExp(`warning: the log of ${started.threadId} is damaged.*event 1 `),
    );
    expect(await project.json("fork", started.threadId, "--at", "2")).toMatchObject({
      code: 1,
      document: { error: { code: "store_corrupt" } },
    });
  });

  // Skipped where root's tests cannot run as anybody else: permissions do not stop root.
  it.skipIf(!canBeOther())("in a read-only folder can be read, and is not written", async () => {
    const project = newProject();
    await filled(project);
    chmodSync(project.folder, 0o755);
    chmodSync(join(project.folder, ".holdpoint/holdpoint.db"), 0o644); // it is made for its owner alone
    chmodSync(join(project.folder, ".holdpoint"), 0o555);
    const threads = await project.start(["threads", "--json"], { uid: otherUser }).ended;
    expect(threads).toMatchObject({ code: 0, stdout: expect.stringContaining('"agent":"echo"') });
    const refused = await project.start(["run", `${flows}#echo`, "x", "--json"], { uid: otherUser }).ended;
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout).error).toMatchObject({
      code: "store_read_only",
      fix: expect.stringContaining("write permission"),
    });
    chmodSync(join(project.folder, ".holdpoint"), 0o755);
  });

  it.skipIf(!canBeOther())("of another user is told apart from one that is not there", async () => {
    const project = newProject();
    await filled(project);
    chmodSync(project.folder, 0o755);
    for (const folderMode of [0o700, 0o755]) {
      chmodSync(join(project.folder, ".holdpoint"), folderMode);
      const { code, stdout } = await project.start(["threads", "--json"], { uid: otherUser }).ended;
      expect([code, JSON.parse(stdout).error.message]).toEqual([
        2,
        expect.stringContaining("this user may not read"),
      ]);
    }
  });

  it("is not made by commands that only read", async () => {
    const { folder, json } = newProject();
    for (const command of ["threads", "inbox", "verify"]) await json(command);
    expect(readdirSync(folder)).toEqual(["node_modules"]);
  });

  it("and a broken memory of agents beside it are no reason to fail", async () => {
    const project = newProject();
    await filled(project);
    project.write(".holdpoint/agents.json", "{ broken");
    expect((await project.json("threads")).code).toBe(0);
    expect((await project.json("run", `${flows}#echo`, "x")).code).toBe(0);
    expect(
      JSON.parse(readFileSync(join(project.folder, ".holdpoint/agents.json"), "utf8")).agents,
    ).toHaveProperty("echo");
  });
});

function writeOver(path: string, text: string): void {
  const file = openSync(path, "w");
  writeSync(file, text);
  closeSync(file);
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

describe("a prompt file", () => {
  const agentFile = `import { agent, promptFile } from "holdpoint";
import { scriptedModel } from "holdpoint/testing";
export default agent({
  name: "mine",
  model: scriptedModel(["hello"]),
  prompt: promptFile(new URL("./mine.prompt.md", import.meta.url)),
});
`;

  it("with a mistake is told with file, line, variable and what to do, before a thread starts, and exits with 2", async () => {
    const { write, json, run, exists } = newProject();
    write("agent.ts", agentFile);
    write("mine.prompt.md", "---\nrole: Be kind.\n---\n{{role}}\nFor {{inptu.name}}.\n");
    const message = "./agent.ts:6: mine.prompt.md:5: unknown variable inptu.name";
    const fix = "Did you mean input.name? There are: input, role.";
    expect(await json("run", "agent.ts", "{}")).toMatchObject({
      code: 2,
      document: { error: { code: "prompt_invalid", message, fix } },
    });
    expect(await run("run", "agent.ts", "{}")).toMatchObject({
      code: 2,
      stderr: `error (prompt_invalid): ${message}\n  → ${fix}\n`,
    });
    expect(exists(".holdpoint")).toBe(false);
  });

  it("that an input does not fit ends its thread by name; one that it fits is shown with its version", async () => {
    const { write, json, run } = newProject();
    write("agent.ts", agentFile);
    write("mine.prompt.md", "For {{input.name}}.\n");
    const failed = await json("run", "agent.ts", '{"nmae":"x"}');
    expect(failed).toMatchObject({
      code: 1,
      document: {
        status: "failed",
        error: { code: "prompt_invalid", message: "mine.prompt.md:1: input.name is missing" },
      },
    });
    const { document } = await json("run", "agent.ts", '{"name":"x"}');
    expect((await run("show", document.threadId)).stdout).toMatch(/mine\.prompt\.md [0-9a-f]{16}/);
  });
});
