import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture, newProject, type Project, root } from "./command.ts";

const dana = ["--as", "dana@example.com"] as const;
const bounds = [
  "--where",
  "$.cents <= 50",
  "--where",
  '$.orderId = "A7"',
  "--uses",
  "1",
  "--for",
  "8h",
] as const;

/** The desk, with everybody as its approver, or with those named. */
async function runDesk(project: Project, cents: number, approvers: readonly string[] = []) {
  const source = readFileSync(fixture("desk.ts"), "utf8")
    .replace("agent, type Model", "agent, gate, type Model")
    .replace("  tools: [", `  gate: gate({ approvers: ${JSON.stringify(approvers)} }),\n  tools: [`)
    .replace("../../../src/index.ts", join(root, "src/index.ts"));
  return project.json("run", project.write("desk.ts", source), JSON.stringify({ orderId: "A7", cents }));
}

describe("standing", () => {
  it("grants, is used without a question, is listed, and is used up", async () => {
    const project = newProject();
    const held = await runDesk(project, 42);
    expect(held.document.requests).toHaveLength(1);
    const granted = await project.json(
      "standing",
      "grant",
      "desk",
      "issue_refund",
      ...bounds,
      "--why",
      "routine",
      ...dana,
    );
    expect(granted.code).toBe(0);
    expect(granted.document.standing).toMatchObject({
      status: "open",
      agent: "desk",
      tool: "issue_refund",
      where: [
        { path: "$.cents", max: 50 },
        { path: "$.orderId", equals: "A7" },
      ],
      uses: 1,
      by: "dana@example.com",
      used: [],
    });
    const { document } = await runDesk(project, 42);
    expect(document).toMatchObject({ status: "completed", requests: [] });
    const { stdout } = await project.run("standing", "list", "--all");
    expect(stdout).toContain("used up");
    expect(stdout).toContain('desk may use issue_refund version 1 where $.cents <= 50 and $.orderId = "A7"');
    expect((await runDesk(project, 42)).document.requests).toHaveLength(1);
    const shown = await project.run("show", document.threadId);
    expect(shown.stdout).toContain(
      `by dana@example.com via standing:${granted.document.standing.standingId}`,
    );
  });

  it("is revoked, and then lets nothing through", async () => {
    const project = newProject();
    await runDesk(project, 42);
    const { document } = await project.json(
      "standing",
      "grant",
      "desk",
      "issue_refund",
      ...bounds,
      "--why",
      "x",
      ...dana,
    );
    const { standingId } = document.standing;
    const shown = await project.run("show", standingId);
    expect(shown.stdout).toContain(`holdpoint standing revoke ${standingId}`);
    expect(shown.stdout).not.toContain("worker --once"); // which would do nothing with it
    const revoked = await project.json(
      "standing",
      "revoke",
      standingId,
      "--why",
      "over",
      "--as",
      "lee@example.com",
    );
    expect(revoked.document.standing).toMatchObject({
      status: "revoked",
      revoked: { by: "lee@example.com", why: "over" },
    });
    expect((await project.json("standing", "list")).document).toEqual({ standing: [] });
    expect((await runDesk(project, 42)).document.requests).toHaveLength(1);
    expect((await project.json("standing", "revoke", "sa_1", "--why", "x")).document.error).toMatchObject({
      code: "standing_not_found",
    });
  });

  it("is no thread of the default list, and is one of its own", async () => {
    const project = newProject();
    await runDesk(project, 42);
    await project.json("standing", "grant", "desk", "issue_refund", ...bounds, "--why", "x", ...dana);
    expect((await project.json("threads")).document.threads).toMatchObject([{ agent: "desk" }]);
    expect((await project.json("threads", "--agent", "standing-approval")).document.threads).toHaveLength(1);
  });

  it.each([
    { name: "no condition", args: ["--uses", "1", "--for", "8h"], code: "standing_invalid" },
    {
      name: "a condition that is none",
      args: ["--where", "cents", "--uses", "1", "--for", "8h"],
      code: "usage",
    },
    {
      name: "a bound that is no number",
      args: ["--where", '$.cents <= "5"', "--uses", "1", "--for", "8h"],
      code: "usage",
    },
    {
      name: "a value that is no JSON",
      args: ["--where", "$.orderId = A7", "--uses", "1", "--for", "8h"],
      code: "invalid_json",
    },
    {
      name: "a year",
      args: ["--where", "$.cents <= 5", "--uses", "1", "--for", "365d"],
      code: "standing_invalid",
    },
    { name: "no uses", args: ["--where", "$.cents <= 5", "--for", "8h"], code: "usage" },
    {
      name: "no such duration",
      args: ["--where", "$.cents <= 5", "--uses", "1", "--for", "long"],
      code: "usage",
    },
  ])("refuses $name", async ({ args, code }) => {
    const project = newProject();
    await runDesk(project, 42);
    const ended = await project.json(
      "standing",
      "grant",
      "desk",
      "issue_refund",
      ...args,
      "--why",
      "x",
      ...dana,
    );
    expect(ended).toMatchObject({ code: 2, document: { error: { code } } });
  });

  it("refuses who is none of the agent's approvers", async () => {
    const project = newProject();
    await runDesk(project, 42, ["role:lead"]);
    const grant = ["standing", "grant", "desk", "issue_refund", ...bounds, "--why", "x", ...dana] as const;
    const ended = await project.json(...grant);
    expect(ended.document.error).toMatchObject({
      code: "standing_invalid",
      message: expect.stringContaining("none of the approvers of agent desk: role:lead"),
    });
    project.write("holdpoint.config.json", '{"people":[{"id":"dana@example.com","roles":["lead"]}]}');
    const config = ["--config", "holdpoint.config.json", "--agent", "desk.ts"] as const;
    expect((await project.json(...grant, ...config)).code).toBe(0);
  });
});
