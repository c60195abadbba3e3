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
