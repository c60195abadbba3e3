// What a model was given, on the command line: exact, compared, in parts, and with another prompt.
import { describe, expect, it } from "vitest";
import { fixture, newProject, type Project } from "./command.ts";

async function ranThread(project: Project): Promise<string> {
  const { document } = await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
  await project.json("approve", document.requests[0].requestId, "--agent", fixture("desk.ts"));
  return document.threadId;
}

describe("prompt", () => {
  it("shows the exact input of the newest model call, or of the one that is asked for", async () => {
    const project = newProject();
    const threadId = await ranThread(project);
    const { document, code } = await project.json("prompt", threadId);
    expect(code).toBe(0);
    expect(document).toMatchObject({ threadId, key: "decide#3", model: "test/rules" });
    const { messages, tools } = document.input;
    expect(messages[0]).toEqual({ role: "system", content: "Help." });
    expect(messages[1]).toEqual({ role: "user", content: '{"orderId":"A7","cents":42}' });
    expect(messages.at(-1)).toMatchObject({ role: "tool", tool: "issue_refund", content: '{"refunded":42}' });
    expect(tools.map(({ name }: { name: string }) => name)).toEqual(["find_order", "issue_refund"]);
    const first = await project.json("prompt", threadId, "decide#1");
    expect(first.document.input.messages).toHaveLength(2);
    expect((await project.json("prompt", threadId, String(first.document.seq))).document).toEqual(
      first.document,
    );
    const { stdout } = await project.run("prompt", threadId);
    expect(stdout).toContain("── tool issue_refund");
    expect(stdout).toContain('→ issue_refund {"orderId":"A7","cents":42}');
  });

  it("shows what changed since the call before", async () => {
    const project = newProject();
    const threadId = await ranThread(project);
    const { stdout } = await project.run("prompt", threadId, "--diff");
    expect(stdout).toContain("compared with decide#2");
    expect(stdout).toMatch(/= 4 parts as before, \d+ tokens\n\+ turn, events \d+–\d+/);
    expect(stdout).not.toContain("find_order");
    const first = await project.run("prompt", threadId, "decide#1", "--diff");
    expect(first.stdout).toContain("everything is new");
  });

  it("shows its parts, their events, tokens and what was done to them", async () => {
    const project = newProject();
    const threadId = await ranThread(project);
    const { stdout } = await project.run("prompt", threadId, "--manifest");
    expect(stdout).toMatch(/^part +tokens +shown$/m);
    expect(stdout).toMatch(/^prompt +\d+ +kept +█/m);
    expect(stdout).toMatch(/^turn, events \d+–\d+ +\d+ +kept +█+$/m);
    expect(stdout).toMatch(/\d+ tokens counted; budget 16,000/);
  });

  it("tries another prompt on past calls, and calls nobody", async () => {
    const project = newProject();
    const threadId = await ranThread(project);
    const path = project.write("new.prompt.md", "Help with {{input.orderId}}.\n");
    const { document } = await project.json("prompt", threadId, "--try", path);
    expect(document).toMatchObject({ before: "Help.", after: "Help with A7.", name: "new.prompt.md" });
    expect(document.calls).toHaveLength(3);
    for (const { tokens, triedTokens } of document.calls) expect(triedTokens).toBeGreaterThan(tokens);
    const { stdout } = await project.run("prompt", threadId, "decide#2", "--try", path);
    expect(stdout).toContain("- Help.\n+ Help with A7.");
    expect(stdout.match(/^decide#/gm)).toHaveLength(1);
    const bad = project.write("bad.prompt.md", "{{input.nothing}}\n");
    const refused = await project.json("prompt", threadId, "--try", bad);
    expect(refused).toMatchObject({ code: 2, document: { error: { code: "prompt_invalid" } } });
  });

  it.each([
    { args: ["999"], message: /end of no model call/ },
    { args: ["decide#9"], message: /no model call "decide#9"/ },
    { args: ["--diff", "--manifest"], message: /different things/ },
    { args: ["--try", "nothing.md"], message: /cannot be read/ },
    { args: ["999", "--try", "nothing.md"], message: /end of no model call/ },
  ])("refuses $args", async ({ args, message }) => {
    const project = newProject();
    const threadId = await ranThread(project);
    const { code, document } = await project.json("prompt", threadId, ...args);
    expect(code).toBe(2);
    expect(document.error).toMatchObject({ code: "usage", message: expect.stringMatching(message) });
    expect(document.error.fix).toBeTruthy();
  });

  it("says so when a thread never asked a model", async () => {
    const project = newProject();
    const { document } = await project.json("run", `${fixture("flows.ts")}#echo`, '"x"');
    const refused = await project.json("prompt", document.threadId);
    expect(refused).toMatchObject({ code: 2, document: { error: { code: "usage" } } });
  });

  it("shows nothing that a terminal would obey", async () => {
    const project = newProject();
    const { document } = await project.json(
      "run",
      fixture("desk.ts"),
      JSON.stringify({ orderId: "\u001b[31mA7\u202e", cents: 42 }),
    );
    const { stdout } = await project.run("prompt", document.threadId);
    expect(stdout).toContain("\\u001b[31mA7\\u202e");
    expect(stdout).not.toContain("\u001b");
  });
});
