// Who may decide, by the directory in the config; and several requests at once.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newProject, type Project } from "./command.ts";

const agentFile = `
import { appendFileSync } from "node:fs";
import { z } from "zod";
import { agent, gate, tool } from "holdpoint";
const pay = tool({
  name: "pay", description: "Pays.", input: z.object({ cents: z.int().positive(), to: z.string() }), risk: "high",
  preview: ({ cents }) => "pays " + cents,
  run: (args) => { appendFileSync("ledger.jsonl", JSON.stringify(args) + "\\n"); return "paid"; },
});
const make = (name, policy) => agent({
  name, tools: [pay], gate: gate(policy),
  flow: async (t, cents) => {
    await t.step("load", () => "load");
    const calls = cents.map((one, index) => ({ callId: "c" + index, tool: "pay", args: { cents: one, to: "d\\u0430na@example.com" } }));
    return (await t.act(calls)).map(({ status }) => status);
  },
});
export default make("team", { approvers: ["role:lead"] });
export const two = make("two", { approvers: ["role:lead"], quorum: 2 });
`;

const people = [
  { id: "dana@example.com", roles: ["lead"] },
  { id: "kim@example.com", name: "Kim", roles: ["lead", "buyer"], email: "kim@example.com", slack: "U1" },
  { id: "lee@example.com" },
];

function teamProject(): Project {
  const project = newProject();
  project.write("team.ts", agentFile);
  project.write("holdpoint.config.json", JSON.stringify({ agents: ["team.ts"], people }));
  return project;
}

async function held(project: Project, cents: readonly number[], reference = "team.ts") {
  const started = await project.json("run", reference, JSON.stringify(cents), "--as", "lee@example.com");
  const { requests, threadId } = started.document;
  return {
    threadId: threadId as string,
    ids: requests.map(({ requestId }: { requestId: string }) => requestId) as string[],
  };
}

function ledger({ folder }: Project): readonly unknown[] {
  const path = join(folder, "ledger.jsonl");
  return existsSync(path)
    ? readFileSync(path, "utf8")
        .trim()
        .split("\n")
        .map((text) => JSON.parse(text))
    : [];
}

describe("commands that are printed", () => {
  it("are spelled as they can be typed where only npx or npm reach this command line", async () => {
    const project = teamProject();
    await held(project, [100]);
    const asked = async (...args: readonly string[]) => {
      const env = {
        npm_command: "exec",
        npm_lifecycle_event: "npx",
        npm_config_user_agent: "npm/11.6.0 node/v24",
      };
      return project.start(args, { env }).ended;
    };
    const inbox = await asked("inbox");
    expect(inbox.stdout).toContain("npx holdpoint approve r_");
    expect(inbox.stdout).not.toMatch(/(?<!npx )holdpoint approve/);
    const failed = await asked("reject", "r_none", "--why", "x");
    expect(failed.stderr).toContain("`npx holdpoint inbox`");
    expect((await project.run("inbox")).stdout).not.toContain("npx");
  });
});

describe("whose inbox", () => {
  it("--mine and --for list what somebody may decide now, and not what they asked for", async () => {
    const project = teamProject();
    const { ids } = await held(project, [100]);
    const listed = async (...args: readonly string[]) =>
      (await project.json("inbox", ...args)).document.requests.map(
        ({ requestId }: { requestId: string }) => requestId,
      );
    expect(await listed("--mine", "--as", "dana@example.com")).toEqual(ids);
    expect(await listed("--for", "kim@example.com")).toEqual(ids);
    expect(await listed("--for", "lee@example.com")).toEqual([]);
    const { stdout } = await project.run("inbox", "--mine", "--as", "lee@example.com");
    expect(stdout).toContain("Nothing waits for lee@example.com (no role).");
    expect((await project.run("inbox", "--mine", "--for", "kim@example.com")).code).toBe(2);
  });
});

describe("the commands shown", () => {
  it("say who decides, or leave a place for it where this person would be refused", async () => {
    const project = teamProject();
    const { ids } = await held(project, [5]);
    const dana = await project.run("inbox", "--as", "dana@example.com");
    expect(dana.stdout).toContain(`holdpoint approve ${ids[0]} --as dana@example.com`);
    for (const who of [[], ["--as", "lee@example.com"]])
      expect((await project.run("inbox", ...who)).stdout).toContain(`holdpoint approve ${ids[0]} --as '…'`);
  });

  it("say how to see more, after what is shown", async () => {
    const project = teamProject();
    await held(project, [5, 6]);
    const { stdout } = await project.run("inbox", "--limit", "1");
    expect(stdout).toMatch(/^1 open request, and more\n/);
    expect(stdout.trimEnd().split("\n").at(-1)).toMatch(/^There are more: holdpoint inbox --cursor '.+'$/);
  });
});

describe("the directory", () => {
  it.each([
    ["another spelling", "Dana@Example.com", "dana@example.com"],
    ["the address of somebody", "kim@work.example.com", "kim"],
  ])("lets nobody be two: a token, or --as, for %s is refused, naming the person", async (_, who, id) => {
    const project = newProject();
    project.write("team.ts", agentFile);
    const kim = { id: "kim", roles: ["lead"], email: "Kim@work.example.com" };
    const config = { agents: ["team.ts"], people: [...people, kim] };
    project.write("holdpoint.config.json", JSON.stringify(config));
    for (const args of [
      ["token", "create", "--principal", who, "--scope", "decide", "--role", "lead"],
      ["run", "team.ts", "[5]", "--as", who],
    ]) {
      const { code, document } = await project.json(...args);
      expect(code).toBe(2);
      expect(document.error.message).toContain(`is ${id} in the people directory`);
    }
  });

  it("gives whoever decides their roles; others are refused with exit code 4, naming who may", async () => {
    const project = teamProject();
    const { ids } = await held(project, [5]);
    for (const who of ["lee@example.com", "nobody@example.com"]) {
      const { code, document } = await project.json("approve", ids[0] ?? "", "--as", who);
      expect(code).toBe(4);
      expect(document.error).toMatchObject({
        code: "not_an_approver",
        message: expect.stringContaining("role:lead"),
        fix: expect.any(String),
      });
    }
    const { code, document } = await project.json("approve", ids[0] ?? "", "--as", "dana@example.com");
    expect(code).toBe(0);
    expect(document).toMatchObject({ request: { by: "dana@example.com" }, thread: { status: "completed" } });
    expect(ledger(project)).toHaveLength(1);
  });

  it.each([
    { name: "an agent", entry: { id: "agent:a" }, said: "people.0.id" },
    { name: "a role for a person", entry: { id: "role:lead" }, said: "people.0.id" },
    { name: "a role with its prefix", entry: { id: "a", roles: ["role:lead"] }, said: "without role:" },
    { name: "an unknown member", entry: { id: "a", role: "lead" }, said: "role" },
    { name: "an address that is none", entry: { id: "a", email: "a" }, said: "people.0.email" },
  ])("refuses $name", async ({ entry, said }) => {
    const project = newProject();
    project.write("holdpoint.config.json", JSON.stringify({ people: [entry] }));
    const { code, document } = await project.json("threads");
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: "usage", message: expect.stringContaining(said) });
  });

  const lee = { id: "lee", email: "lee@example.com", slack: "U7" };
  it.each([
    { name: "id", entry: { id: "lee" } },
    { name: "id in another spelling", entry: { id: "Lee" } },
    {
      name: "mailbox, where one person would have two votes",
      entry: { id: "kim", email: "Lee@example.com" },
    },
    { name: "Slack id", entry: { id: "kim", slack: "U7" } },
    { name: "address as the id of another", entry: { id: "lee@example.com" } },
  ])("refuses two with one $name", async ({ entry }) => {
    const project = newProject();
    project.write("holdpoint.config.json", JSON.stringify({ people: [lee, entry] }));
    const { code, document } = await project.json("threads");
    expect([code, document.error.message]).toEqual([2, expect.stringContaining("names somebody twice")]);
  });
});

describe("the inbox", () => {
  it("shows who asked, what was done, the effect, where arguments come from, and look-alikes", async () => {
    const project = teamProject();
    await held(project, [500]);
    const { stdout } = await project.run("inbox");
    for (const said of [
      "for role:lead",
      "requester: lee@example.com; may not decide",
      "so far: step load: done",
      "effect: pays 500",
      "sources: cents: event 1, input",
      "to: not found in the log: the agent's code wrote it",
      "look-alikes: “d\u0430na@example.com”: \u0430 is Cyrillic (U+0430)",
    ])
      expect(stdout).toContain(said);
    const { document } = await project.json("inbox");
    expect(document.requests).toMatchObject([
      {
        requesters: ["lee@example.com"],
        requesterMayDecide: false,
        votes: [],
        preview: { text: "pays 500" },
        soFar: ["step load: done"],
        lookAlikes: [expect.any(String)],
      },
    ]);
  });
});

describe("a quorum", () => {
  it("is told of, approval by approval", async () => {
    const project = teamProject();
    const { ids } = await held(project, [5], "team.ts#two");
    const first = await project.run("approve", ids[0] ?? "", "--as", "dana@example.com");
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("approval recorded, 1 of 2") });
    expect((await project.run("inbox")).stdout).toContain("approvals: 1 of 2: dana@example.com (cli)");
    const second = await project.json("approve", ids[0] ?? "", "--as", "kim@example.com");
    expect(second.document).toMatchObject({
      request: { status: "decided" },
      thread: { status: "completed" },
    });
    expect(ledger(project)).toHaveLength(1);
  });
});

describe("several requests at once", () => {
  const dana = ["--as", "dana@example.com"];

  it("are approved by their ids; one that is refused hides none of the others", async () => {
    const project = teamProject();
    const { ids } = await held(project, [5, 6, 7]);
    await project.json("reject", ids[1] ?? "", "--why", "no", "--no-run", ...dana);
    const { code, document } = await project.json("approve", ...ids, "r_unknown", ...dana);
    expect(code).toBe(4);
    expect(document.results).toMatchObject([
      { requestId: ids[0], first: true, request: { verdict: { kind: "approve" } } },
      { requestId: ids[1], error: { code: "request_already_decided" } },
      { requestId: ids[2], first: true },
      { requestId: "r_unknown", error: { code: "request_not_found", fix: expect.any(String) } },
    ]);
    expect(document.threads).toMatchObject([
      { thread: { status: "completed", output: ["completed", "denied", "completed"] } },
    ]);
    expect(ledger(project)).toHaveLength(2);
  });

  it("are all of one thread with --thread, and of no other", async () => {
    const project = teamProject();
    const { threadId, ids } = await held(project, [5, 6]);
    await held(project, [9]);
    const rejected = await project.run("reject", "--thread", threadId, "--why", "no", ...dana);
    expect(rejected.code).toBe(0);
    for (const id of ids) expect(rejected.stdout).toContain(`${id}  rejected (no) by dana@example.com`);
    expect((await project.json("inbox")).document.requests).toHaveLength(1);
    const again = await project.json("approve", "--thread", threadId, ...dana);
    expect(again).toMatchObject({
      code: 2,
      document: { error: { code: "usage", message: expect.stringContaining("no open request") } },
    });
  });

  it.each([
    { name: "no request", args: ["approve"], message: /--thread/ },
    { name: "ids and a thread", args: ["approve", "r_1", "--thread", "th_1"], message: /--thread/ },
    { name: "an edit of several", args: ["approve", "r_1", "r_2", "--edit", "{}"], message: /one request/ },
  ])("refuses $name", async ({ args, message }) => {
    const project = teamProject();
    await held(project, [5]);
    const { code, document } = await project.json(...args);
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: "usage", message: expect.stringMatching(message) });
  });

  it("names near ids of a thread that is not there", async () => {
    const project = teamProject();
    const { threadId } = await held(project, [5]);
    const { code, document } = await project.json(
      "approve",
      "--thread",
      `${threadId.slice(0, -1)}!`,
      ...dana,
    );
    expect([code, document.error.fix]).toEqual([2, `Did you mean ${threadId}?`]);
  });
});
