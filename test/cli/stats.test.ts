import { describe, expect, it } from "vitest";
import { fixture, newProject, type Project } from "./command.ts";

const desk = fixture("desk.ts");

/** A project in which one refund was approved, and ran. */
async function refunded(): Promise<Project & { readonly threadId: string }> {
  const project = newProject();
  const { document } = await project.json("run", desk, '{"orderId":"A7","cents":42}');
  await project.json("approve", document.requests[0].requestId, "--as", "dana@example.com");
  return { ...project, threadId: document.threadId };
}

describe("flag", () => {
  it("records that an action was wrong, once, after the thread's end", async () => {
    const project = await refunded();
    const flag = [
      "flag",
      project.threadId,
      "act:issue_refund#1",
      "--why",
      "wrong order",
      "--as",
      "lee@example.com",
    ];
    expect(await project.json(...flag)).toMatchObject({
      code: 0,
      document: {
        flagged: { key: "act:issue_refund#1", by: "lee@example.com", why: "wrong order" },
        first: true,
      },
    });
    expect((await project.json(...flag)).document.first).toBe(false);
    expect((await project.run("show", project.threadId)).stdout).toContain(
      "flagged as wrong by lee@example.com",
    );
    expect(await project.json("flag", project.threadId, "act:issue_refund#2", "--why", "x")).toMatchObject({
      code: 2,
      document: { error: { code: "operation_not_found" } },
    });
  });
});

describe("stats", () => {
  it("counts what happened, as a table, a document and CSV", async () => {
    const project = await refunded();
    await project.run("flag", project.threadId, "act:issue_refund#1", "--why", "wrong order");
    const { document } = await project.json("stats", "--since", "1h", "--by", "version");
    expect(document.groups).toMatchObject([{ agent: "desk", agentVersion: "7" }]);
    expect(document.groups[0].stats).toEqual(document.total);
    expect(document.total).toMatchObject({
      threads: { ended: 1, completed: 1 },
      success: { rate: 1, count: 1, of: 1 },
      overflow: { perDay: 0 },
      misoperation: { rate: 1, count: 1, of: 1, unapproved: 0, flags: 1 },
      prevented: { held: 1 },
      withoutPerson: { rate: 0 },
      people: { answered: 1 },
      usage: { modelCalls: 3 },
    });
    const { stdout } = await project.run("stats");
    expect(stdout).toMatch(/^success +100\.0 % {2}1 of 1 ended: 0 failed, 0 cancelled, 0 not accepted$/m);
    expect(stdout).toMatch(/^misoperation +100\.0 % {2}1 of 1 critical actions: 0 without approval, 1 flag/m);
    expect(stdout).not.toMatch(/[▁-█]/u); // bars are for terminals
    const csv = (await project.run("stats", "--csv", "--by", "agent")).stdout.trim().split("\n");
    const [names = [], row = []] = csv.map((text) => text.split(","));
    expect(names.slice(0, 4)).toEqual(["agent", "agent_version", "day", "threads_ended"]);
    expect(row).toHaveLength(names.length);
    expect([row[0], row[names.indexOf("misoperations")]]).toEqual(["desk", "1"]);
  });

  it("says when there was never a thread of the agent, which its zeros do not", async () => {
    const project = await refunded();
    const told = await project.json("stats", "--agent", "dusk");
    expect(told).toMatchObject({ code: 0, document: { total: { threads: { ended: 0 } } } });
    expect(told.stderr).toBe("no thread of agent dusk; did you mean desk?\n");
    expect((await project.run("stats", "--agent", "nobody", "--csv")).stderr).toMatch(/there are: desk$/m);
    const other = await project.json("stats", "--agent", "desk", "--until", "2h"); // before it did anything
    expect(other).toMatchObject({ code: 0, stderr: "" });
  });

  it("refuses a period that is none, and two forms at once", async () => {
    const project = await refunded();
    const refused = { code: 2, document: { error: { code: "usage" } } };
    for (const since of ["soon", "2126-01-01", "9999d", "2026-99-99"])
      expect(await project.json("stats", "--since", since), since).toMatchObject(refused);
    expect(await project.json("stats", "--csv")).toMatchObject(refused);
  });
});
