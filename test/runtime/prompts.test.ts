// Which prompt a decision was made with is in its event; a prompt that cannot be rendered ends its thread by name.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  type Agent,
  agent,
  HoldpointError,
  type Prompt,
  parsePrompt,
  type ThreadEvent,
} from "../../src/index.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { calls, payTool, runtimesOfEachTest, type Turn, turns } from "../kit/runtime.ts";

const openWith = runtimesOfEachTest();

async function run(
  made: Agent,
  input: unknown,
  options: { readonly secrets?: ReadonlyMap<string, string> } = {},
): Promise<readonly ThreadEvent[]> {
  const opened = await openWith({ agents: [made], ...options });
  const { threadId } = await startThread(opened.runtime, made.name, input, { by: "test" });
  await opened.settle(threadId);
  return opened.events(threadId);
}

function desk(prompt: Prompt<never> | undefined, ...script: readonly Turn[]) {
  const model = turns(...script);
  const made = agent({ name: "a", model, tools: [payTool()], ...(prompt === undefined ? {} : { prompt }) });
  return { made, model };
}

function promptsOf(events: readonly ThreadEvent[]): readonly unknown[] {
  return events.flatMap((event) =>
    event.type === "decision_made" || event.type === "decision_rejected" ? [[event.type, event.prompt]] : [],
  );
}

const file = parsePrompt("Pay for {{input.order}}.", "pay.prompt.md");

describe("the prompt of a decision", () => {
  it("is in its event by name and version, also when the output could not be used", async () => {
    const { made, model } = desk(file, calls(["rob", {}]), calls(["pay", { cents: 5 }]), { text: "paid" });
    const record = { name: "pay.prompt.md", version: file.version };
    expect(promptsOf(await run(made, { order: "A7" }))).toEqual([
      ["decision_rejected", record],
      ["decision_made", record],
      ["decision_made", record],
    ]);
    expect(model.inputs[0]?.messages[0]).toEqual({ role: "system", content: "Pay for A7." });
  });

  it("is in the event of a call that failed", async () => {
    const { made } = desk(file, new HoldpointError("model_failed", "down"));
    expect(promptsOf(await run(made, { order: "A7" }))).toEqual([
      ["decision_rejected", { name: "pay.prompt.md", version: file.version }],
    ]);
  });

  it("has the version of its text when it is text or a function, and none when there is none", async () => {
    const [asText] = promptsOf(await run(desk("Pay.", { text: "x" }).made, null));
    const [asFunction] = promptsOf(await run(desk(() => "Pay.", { text: "x" }).made, null));
    expect(asText).toEqual(["decision_made", { version: expect.stringMatching(/^[0-9a-f]{16}$/) }]);
    expect(asFunction).toEqual(asText);
    expect(promptsOf(await run(desk(undefined, { text: "x" }).made, null))).toEqual([
      ["decision_made", undefined],
    ]);
  });

  it("has no version that tells of a secret", async () => {
    const versions = [];
    for (const key of ["sk-first-secret", "sk-other-secret"]) {
      const { made, model } = desk(`Use ${key}.`, { text: "x" });
      versions.push(promptsOf(await run(made, null, { secrets: new Map([["KEY", key]]) })));
      expect(JSON.stringify(model.inputs)).not.toContain(key);
    }
    expect(versions[1]).toEqual(versions[0]);
  });

  it("names the model where the agent names none", () => {
    const named = parsePrompt("---\nmodel: [a/one, a/two]\n---\nPay.");
    expect(agent({ name: "a", prompt: named }).model).toEqual(["a/one", "a/two"]);
    expect(agent({ name: "a", prompt: named, model: "b/three" }).model).toBe("b/three");
  });
});

it.each([Promise.resolve("Work."), Buffer.from("Work."), 5, null])(
  "an agent is refused whose prompt is no prompt: %s",
  (prompt) => {
    expect(() => agent({ name: "a", prompt: prompt as never })).toThrow(
      expect.objectContaining({ code: "agent_invalid", fix: expect.stringContaining("promptFile(new URL") }),
    );
  },
);

describe("a prompt that cannot be rendered", () => {
  it.each([
    {
      name: "a file whose variable is missing",
      prompt: file,
      error: {
        message: "pay.prompt.md:1: input.order is missing",
        fix: expect.stringContaining("There are: input.ordr"),
      },
    },
    {
      name: "a function that throws",
      prompt: () => JSON.parse("{"),
      error: { message: expect.stringMatching(/^the prompt's function threw: SyntaxError/) },
    },
  ])("ends the thread as prompt_invalid, before the model is called: $name", async ({ prompt, error }) => {
    const { made, model } = desk(prompt, { text: "x" });
    const events = await run(made, { ordr: "A7" });
    expect(events.at(-1)).toMatchObject({
      type: "thread_failed",
      error: { code: "prompt_invalid", ...error },
    });
    expect(model.inputs).toEqual([]);
  });

  it("gets the input as the agent's schema made it", async () => {
    const made = agent({
      name: "a",
      model: turns({ text: "x" }),
      input: z.object({ order: z.string().default("B2") }),
      prompt: file,
    });
    expect((await run(made, {})).at(-1)?.type).toBe("thread_completed");
  });
});
