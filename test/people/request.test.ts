// What a request carries, and what of it a person is shown: from the exact bytes that will run.
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { gate } from "../../src/core/gate.ts";
import { viewRequest } from "../../src/core/request-view.ts";
import { type ToolDefinition, tool } from "../../src/core/tool.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { oneAgentOfEachTest, runAgent } from "../kit/one-agent.ts";
import { calls, payTool, type TestRuntime, turns } from "../kit/runtime.ts";

const open = oneAgentOfEachTest();

const find = tool({
  name: "find_order",
  description: "Finds.",
  input: z.object({ mail: z.string() }),
  risk: "low",
  effect: "read",
  run: () => ({ orderId: "A-1007", cents: 4200 }),
});

const refundInput = z.object({ orderId: z.string(), cents: z.int(), to: z.string() });

function refund(definition: Partial<ToolDefinition<z.infer<typeof refundInput>>> = {}) {
  return tool({
    name: "refund",
    description: "Pays back.",
    input: refundInput,
    risk: "high",
    run: () => "paid",
    ...definition,
  });
}

const args = { orderId: "A-1007", cents: 4200, to: "eve@evil.test" };

async function held(
  refunds = refund(),
  given: unknown = args,
  secrets: ReadonlyMap<string, string> = new Map(),
): Promise<{
  opened: TestRuntime;
  fields: Readonly<Record<string, string>>;
  view: ReturnType<typeof viewRequest>;
}> {
  const model = turns(
    { ...calls(["find_order", { mail: "dana@example.com" }]), text: "Let me look." },
    calls(["refund", given]),
  );
  const opened = await open(
    { model, tools: [find, refunds], gate: gate({ approvers: ["role:lead"], quorum: 2 }) },
    { secrets },
  );
  await runAgent(opened, "Refund, says dana@example.com");
  return { opened, ...(await viewed(opened)) };
}

async function viewed(opened: TestRuntime) {
  const [row] = await opened.openRequests();
  if (!row) throw new Error("no request is open");
  const view = viewRequest(row);
  return { view, fields: Object.fromEntries(view.fields.map(({ label, text }) => [label, text])) };
}

describe("a request for approval", () => {
  it("shows who asked, who may decide, what was done so far, and where each argument comes from", async () => {
    const { fields } = await held();
    expect(fields).toMatchObject({
      requester: "test; may not decide",
      approvers: "role:lead",
      approvals: "0 of 2: none yet",
      why: "its risk is high",
      "so far": [
        "decide#1: called find_order; said “Let me look.”",
        'find_order {"mail":"dana@example.com"}: done',
        "decide#2: called refund",
      ].join("\n"),
      sources: [
        "orderId: event 5, act:find_order#1",
        "cents: event 5, act:find_order#1",
        "to: not found in the log: the model wrote it",
      ].join("\n"),
    });
  });

  it("counts the approvals there are", async () => {
    const { opened } = await held();
    const [row] = await opened.openRequests();
    await opened.decide(row?.requestId ?? "", { kind: "approve" }, { roles: ["lead"] });
    expect((await viewed(opened)).fields.approvals).toBe("1 of 2: dana@example.com (test)");
  });

  it("says that the agent's code wrote what no model did", async () => {
    const pay = payTool({ risk: "high" });
    const opened = await open({
      tools: [pay],
      flow: async (t) => t.act([{ callId: "c", tool: "pay", args: { cents: 4711 } }]),
    });
    await runAgent(opened);
    expect((await viewed(opened)).fields.sources).toBe(
      "cents: not found in the log: the agent's code wrote it\nnote: filled in by the tool's schema",
    );
  });

  it("marks look-alike letters, and shows what a terminal would obey", async () => {
    const { view, fields } = await held(refund(), { ...args, to: "p\u0430y@example.com\u202e\u001b[2K" });
    expect(fields["look-alikes"]).toMatch(/\u0430 is Cyrillic/);
    for (const obeyed of ["\u202e", "\u001b"])
      expect(view.fields.some(({ text }) => text.includes(obeyed))).toBe(false);
    expect(fields.arguments).toContain("\\u202e\\u001b");
  });

  it("lets no name of a member pass for a line of its own", async () => {
    const loose = refund({ input: z.looseObject({}) as never });
    const { fields } = await held(loose, { "x\nto: event 1, input": "made-up" });
    expect(fields.sources?.split("\n")).toHaveLength(1);
  });

  it("lets no name of a member say where it comes from", async () => {
    const loose = refund({ input: z.looseObject({}) as never });
    const { fields } = await held(loose, { "to: event 1, input; x": "made-up" });
    expect(fields.sources).toMatch(/^"to: event 1, input; x": not found in the log/);
  });

  it("says that more may be there than it lists, behind decoys", async () => {
    const decoys = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`m${index}`, `p\u0430y${index}`]),
    );
    const loose = refund({ input: z.looseObject({}) as never });
    const { fields } = await held(loose, { ...decoys, to: "p\u0430ypal.com" });
    expect(fields.sources?.split("\n").at(-1)).toBe("… only the first 40 values are looked up");
    expect(fields["look-alikes"]?.split("\n").at(-1)).toBe("… only the first 10 words are listed");
  });

  it("keeps its size, whatever the thread and the arguments are", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, index) => [`member${index}`, `value ${index}`]),
    );
    const loose = refund({ input: z.looseObject({}) as never, preview: () => "p".repeat(50_000) });
    const model = turns(
      ...Array.from({ length: 30 }, (_, index) => ({
        ...calls(["find_order", { mail: `${index} ${"m".repeat(500)}` }]),
        text: "t".repeat(2_000),
      })),
      calls(["refund", many]),
    );
    const opened = await open({ model, tools: [find, loose] });
    await runAgent(opened);
    const [row] = await opened.openRequests();
    const { soFar = [], sources = [], preview, action } = row?.opened ?? {};
    expect(soFar.length).toBeLessThanOrEqual(8);
    expect(soFar.join("\n").length).toBeLessThanOrEqual(830);
    expect(soFar[0]).toMatch(/^… \d+ earlier operations$/);
    expect(sources).toHaveLength(40);
    expect(preview?.text).toHaveLength(1_000);
    expect(JSON.stringify(row?.opened).length - JSON.stringify(action).length).toBeLessThan(6_000);
  });
});

describe("the preview of a tool", () => {
  it("is shown as the effect; values as JSON", async () => {
    const text = await held(refund({ preview: ({ cents }) => `pays ${cents / 100} EUR` }));
    expect(text.fields.effect).toBe("pays 42 EUR");
  });

  it("may read, and is given what a run is given but no key", async () => {
    const seen: string[] = [];
    const preview: ToolDefinition<z.infer<typeof refundInput>>["preview"] = async (_args, context) => {
      seen.push(...Object.keys(context));
      return { balance: 7 };
    };
    const { fields } = await held(refund({ preview }));
    expect(fields.effect).toBe('{\n  "balance": 7\n}');
    expect(seen.sort()).toEqual(["artifact", "signal", "threadId"]);
  });

  it.each([
    {
      name: "throws",
      preview: () => {
        throw new Error("no network");
      },
      said: "no preview: no network",
    },
    { name: "gives nothing", preview: () => undefined, said: "no preview: it gave nothing" },
    { name: "gives what is no JSON", preview: () => new Map(), said: expect.stringMatching(/^no preview: /) },
    {
      name: "changes its arguments",
      preview: (given: { cents: number }) => {
        given.cents = 1;
        return "ok";
      },
      said: "ok",
    },
  ])("that $name keeps nobody from deciding", async ({ preview, said }) => {
    const { fields } = await held(refund({ preview }));
    expect(fields.effect).toEqual(said);
    expect(fields.arguments).toContain('"cents": 4200');
  });

  it("that gives no answer is not waited for", async () => {
    const never = refund({ preview: () => new Promise(() => {}) });
    const opened = await open({ model: turns(calls(["refund", args])), tools: [never] });
    const { threadId } = await startThread(opened.runtime, "a", "x", { by: "test" });
    const settled = opened.settle(threadId);
    while ((await opened.openRequests()).length === 0) {
      await opened.clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await settled;
    expect((await viewed(opened)).fields.effect).toBe("no preview: no answer within 5000 ms");
  });

  it("brings no secret into the log, not even half of one (I11)", async () => {
    const secret = "sk-very-secret-value";
    const leaking = refund({ preview: () => `${"x".repeat(990)}${secret}` });
    const { opened } = await held(leaking, args, new Map([["KEY", secret]]));
    const [row] = await opened.openRequests();
    expect(row?.opened.preview?.text).not.toContain("sk-very");
    const failing = refund({ preview: () => Promise.reject(new Error(`bad key ${secret}`)) });
    const other = await held(failing, args, new Map([["KEY", secret]]));
    expect(JSON.stringify(await other.opened.openRequests())).not.toContain("sk-very");
  });

  it("is not asked where nobody is", async () => {
    let asked = 0;
    const preview = (): string => `asked ${++asked}`;
    const opened = await open({
      model: turns(calls(["refund", args]), { text: "done" }),
      tools: [refund({ risk: "low", preview })],
    });
    await runAgent(opened);
    expect(asked).toBe(0);
  });
});
