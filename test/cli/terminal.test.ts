// In a pseudo-terminal, which `script` (util-linux) provides.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { fixture, main, newProject, type Project } from "./command.ts";

const terminalCommand = "script";
const hasScript = spawnSync(terminalCommand, ["--version"]).stdout?.includes("util-linux") ?? false;
const down = "\u001b[B";
const enter = "\r";

interface Terminal {
  readonly child: ChildProcess;
  /** Resolves when this has been shown since the last call. */
  see(text: string): Promise<void>;
  type(keys: string): void;
  readonly ended: Promise<{ readonly code: number | null; readonly screen: string; readonly raw: string }>;
}

/** Runs a command line in a terminal of 120 columns. */
function openTerminal(
  project: Project,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Terminal {
  const words = [process.execPath, main, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const command = `stty cols 120 rows 40; exec ${words.join(" ")}`;
  const { PATH, HOME } = process.env;
  const child = spawn(terminalCommand, ["-qec", command, "/dev/null"], {
    cwd: project.folder,
    env: { PATH, HOME, TERM: "xterm", ...env },
  });
  let raw = "";
  let seen = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    raw += text;
  });
  const ended = new Promise<Awaited<Terminal["ended"]>>((resolve) => {
    child.once("close", (code) => resolve({ code, screen: stripVTControlCharacters(raw), raw }));
  });
  return {
    child,
    ended,
    type: (keys) => void child.stdin.write(keys),
    see: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const at = stripVTControlCharacters(raw).indexOf(text, seen);
          if (at < 0) return;
          seen = at + text.length;
          child.stdout.off("data", look);
          resolve();
        };
        child.stdout.on("data", look);
        child.once("close", () => reject(new Error(`it ended without "${text}":\n${raw}`)));
        look();
      }),
  };
}

const input = '{"orderId":"A7","cents":42}';

// Skipped where `script` is missing: Node has no pseudo-terminals of its own.
describe.skipIf(!hasScript)("in a terminal", () => {
  it("asks the person at once, and runs the action after the approval", async () => {
    const project = newProject();
    const terminal = openTerminal(project, ["run", fixture("desk.ts"), input, "--as", "dana"]);
    await terminal.see("Approval needed: May agent desk run issue_refund?");
    await terminal.see("Later: leave it open");
    expect(existsSync(join(project.folder, "ledger.jsonl"))).toBe(false);
    terminal.type(`${down}${enter}`);
    const { code, screen } = await terminal.ended;
    expect(code).toBe(0);
    expect(screen).toContain('refund: {"refunded":42}');
    expect(readFileSync(join(project.folder, "ledger.jsonl"), "utf8")).toBe(`${input}\n`);
    const { document } = await project.json("threads");
    const { document: shown } = await project.json("show", document.threads[0].threadId);
    expect(shown.requests).toMatchObject([{ verdict: { kind: "approve" }, by: "dana", via: "terminal" }]);
  });

  it("parks when the person leaves it for later", async () => {
    const project = newProject();
    const terminal = openTerminal(project, ["run", fixture("desk.ts"), input]);
    await terminal.see("Later: leave it open");
    terminal.type(enter);
    const { code, screen } = await terminal.ended;
    expect(code).toBe(0);
    expect(screen).toMatch(/holdpoint approve r_\w+/);
    expect((await project.json("inbox")).document.requests).toHaveLength(1);
  });

  it("asks again when the edited arguments do not fit the tool", async () => {
    const project = newProject();
    const terminal = openTerminal(project, ["run", fixture("desk.ts"), input]);
    await terminal.see("Later: leave it open");
    terminal.type(`${down}${down}${enter}`);
    await terminal.see("The arguments to run it with");
    terminal.type(`\u0015{"orderId":"A7","cents":-1}${enter}`);
    await terminal.see("the edited arguments of issue_refund are not valid");
    await terminal.see("Approval needed");
    await terminal.see("Later: leave it open");
    terminal.type(`${down}${down}${enter}`);
    await terminal.see("The arguments to run it with");
    terminal.type(`\u0015{"orderId":"A7","cents":41}${enter}`);
    const { screen } = await terminal.ended;
    expect(screen).toContain('refund: {"refunded":41}');
  });

  it("takes the question away when somebody else decides meanwhile", async () => {
    const project = newProject();
    const terminal = openTerminal(project, ["run", fixture("desk.ts"), input]);
    await terminal.see("Later: leave it open");
    const { document } = await project.json("inbox");
    await project.json("approve", document.requests[0].requestId, "--no-run", "--as", "somebody-else");
    const { code, screen } = await terminal.ended;
    expect(code).toBe(0);
    expect(screen).toContain('refund: {"refunded":42}');
  });

  it.each([{ option: "--no-ask" }, { option: "--json" }])("asks nothing with $option", async ({ option }) => {
    const project = newProject();
    const terminal = openTerminal(project, ["run", fixture("desk.ts"), input, option]);
    const { code, screen } = await terminal.ended;
    expect(code).toBe(0);
    expect(screen).not.toContain("Approval needed");
    expect((await project.json("inbox")).document.requests).toHaveLength(1);
  });

  it("asks nobody what they may not decide, and says who may", async () => {
    const project = newProject();
    project.write(
      "asking.ts",
      `import { agent } from "holdpoint";
       export default agent({ name: "asking", flow: async (t) => (await t.ask("Which?", { approvers: ["role:buyer"] })).kind });`,
    );
    const people = [{ id: "kim@example.com", roles: ["buyer"] }];
    project.write("holdpoint.config.json", JSON.stringify({ people }));
    const { code, screen } = await openTerminal(project, ["run", "asking.ts", "--as", "dana@example.com"])
      .ended;
    expect(code).toBe(0);
    expect(screen).not.toContain("Later: leave it open");
    expect(screen).toContain("for role:buyer");
  });

  it("shows colours, but not with NO_COLOR, and never elsewhere", async () => {
    const project = newProject();
    const plain = await project.run("run", `${fixture("flows.ts")}#echo`, "x");
    expect(`${plain.stdout}${plain.stderr}`).not.toContain("\u001b");
    expect((await openTerminal(project, ["threads"]).ended).raw).toContain("\u001b[32mcompleted");
    expect((await openTerminal(project, ["threads"], { NO_COLOR: "1" }).ended).raw).not.toContain(
      "\u001b[32m",
    );
  });

  it("shows what is under way on one line", async () => {
    const project = newProject();
    const terminal = openTerminal(project, ["run", `${fixture("flows.ts")}#slow`]);
    await terminal.see("step:long#1  ");
    terminal.type("\u0003");
    await terminal.see("stopping");
    project.write("go", "");
    const { code, screen } = await terminal.ended;
    expect(code).toBe(3);
    expect(screen).toContain("holdpoint worker --once");
  });
});
