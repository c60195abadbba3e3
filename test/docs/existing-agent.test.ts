// The page for those who bring an agent: its files, and the commands that it promises to work beside them.
import { expect, test } from "vitest";
import { newProject } from "../cli/command.ts";
import { blocksOf } from "./pages.ts";

test("the command line finds the store, the agent and the people of the page's config", async () => {
  const project = newProject();
  const blocks = blocksOf("docs/existing-agent.md");
  const textOf = (language: string): string =>
    blocks.find((block) => block.language === language && block.number === 1)?.text ?? "";
  expect(textOf("ts")).toMatch(/^\/\/ refunds-agent\.ts\n/);
  project.write("refunds-agent.ts", textOf("ts"));
  project.write("holdpoint.config.json", textOf("json"));
  await project.json("run", "refunds", '{"orderId":"A7","cents":4200}', "--no-ask");
  expect([project.exists("refunds.db"), project.exists(".holdpoint/holdpoint.db")]).toEqual([true, false]);

  const { document: inbox } = await project.json("inbox");
  const [{ requestId }] = inbox.requests;
  expect((await project.json("approve", requestId)).document.error.code).toBe("not_an_approver");
  const approved = await project.json("approve", requestId, "--as", "dana@example.com");
  expect(approved).toMatchObject({ code: 0, document: { ran: true, thread: { status: "completed" } } });
  expect((await project.json("stats")).code).toBe(0);
  expect(await project.json("verify")).toMatchObject({ code: 0, document: { threads: 1 } });
});
