// Every error on the command line says what helps: of its own, or by its code.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { meanings, wayOutOf } from "../../src/cli/error-meanings.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { fixture, newProject, root } from "./command.ts";

const flows = fixture("flows.ts");

describe("the way out", () => {
  it.each(Object.keys(meanings) as ErrorCode[])("of %s reads without a page around it", (code) => {
    const wayOut = wayOutOf(code);
    expect(wayOut).not.toMatch(/\]\(|\.\.\//);
    for (const [, file = ""] of wayOut.matchAll(/\((docs\/[^)#]+)/g))
      expect(existsSync(join(root, file)), file).toBe(true);
  });

  it("is that of the code where an error has none of its own", async () => {
    const project = newProject();
    const { document } = await project.json("run", `${flows}#asker`, "apples");
    const { requestId, threadId } = document.requests[0];
    const refused = await project.json("answer", requestId, '"none"');
    expect(refused.document.error).toMatchObject({
      code: "verdict_invalid",
      fix: meanings.verdict_invalid.wayOut,
    });
    const unknown = await project.json("verify", "th_nope");
    expect(unknown.document.error).toMatchObject({
      code: "thread_not_found",
      fix: expect.stringContaining("threads"),
    });
    const beyond = await project.json("fork", threadId, "--at", "99");
    expect(beyond.document.error.fix).toContain(`show ${threadId}`);
  });

  it("of a file that is no store does not name a command that meets the same", async () => {
    const project = newProject();
    project.write("bad.db", "this is a text, and a long one at that".repeat(40));
    const { code, stdout } = await project.run("verify", "--store", "bad.db");
    expect(code).toBe(1);
    expect(stdout).toContain("restore a backup");
    expect(stdout).not.toContain("export");
  });

  it("of an input that is too large speaks of what is given", async () => {
    const project = newProject();
    project.write("big.txt", "a".repeat(17_000_000));
    const { document } = await project.json("run", `${flows}#echo`, "--text", "--input-file", "big.txt");
    expect(document.error).toMatchObject({
      code: "result_too_large",
      fix: expect.stringMatching(/^Give less/),
    });
  });
});
