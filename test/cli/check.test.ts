import { chmodSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { createClient } from "../../src/client/index.ts";
import { newProject, type Project, root } from "./command.ts";

interface Found {
  readonly code: string;
  readonly level: string;
  readonly where?: { readonly file: string; readonly line: number };
}

/** An agent whose approvers nobody of the config's directory is, and whose prompt leaves something open. */
function writeClerk({ write }: Project): void {
  write(
    "clerk.prompt.md",
    "You answer e-mails of a shop. Ask when unsure.\nWhen a tool fails, say so.\nFor {{input.order}}: {{input.nothing}}\n",
  );
  write(
    "tools.ts",
    `import { tool } from "holdpoint";
import { z } from "zod";

export const payOut = tool({
  name: "pay_out",
  description: " ",
  input: z.object({ cents: z.int() }),
  risk: "high",
  run: () => null,
});`,
  );
  write(
    "clerk.ts",
    `import { agent, gate, promptFile } from "holdpoint";
import { scriptedModel } from "holdpoint/testing";
import { z } from "zod";
import { payOut } from "./tools.ts";

export default agent({
  name: "clerk",
  model: scriptedModel(["hello"]),
  prompt: promptFile(new URL("./clerk.prompt.md", import.meta.url)),
  input: z.object({ order: z.string() }),
  tools: [payOut],
  gate: gate({
    approvers: ["role:lead"],
  }),
  limits: { steps: 1 },
});`,
  );
}

const withPeople = '{ "people": [{ "id": "dana@example.com", "roles": ["desk"] }] }';

describe("check", () => {
  it("names the place of what it finds, and exits with 1 for errors only", async () => {
    const project = newProject();
    writeClerk(project);
    project.write("holdpoint.config.json", withPeople);
    const { code, document } = await project.json("check", "clerk.ts");
    expect(code).toBe(1);
    const places = document.agents[0].findings
      .filter(({ level }: Found) => level !== "note")
      .map(({ code: found, where }: Found) => [found, where?.file.split("/").at(-1), where?.line]);
    expect(places).toEqual([
      ["prompt_variable_unknown", "clerk.prompt.md", 3],
      ["limit_steps_low", "clerk.ts", 15],
      ["approver_unreachable", "clerk.ts", 13],
      ["tool_description_missing", "tools.ts", 5],
    ]);
    expect(document).toMatchObject({ errors: 2, warnings: 2 });
  });

  it("finds nothing that matters in any example and in what init makes", async () => {
    const project = newProject();
    await project.run("init", "shop");
    const examples = readdirSync(join(root, "examples"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(root, "examples", name));
    expect(examples.length).toBeGreaterThan(0);
    for (const folder of [join(project.folder, "shop"), ...examples]) {
      const config = join(folder, "holdpoint.config.json");
      const { code, document } = await project.json("check", join(folder, "agent.ts"), "--config", config);
      expect({ folder, code, errors: document.errors, warnings: document.warnings }).toEqual({
        folder,
        code: 0,
        errors: 0,
        warnings: 0,
      });
    }
  });

  it("tells of a file that cannot be loaded, with its place, and checks the others", async () => {
    const project = newProject();
    project.write("bad.prompt.md", "You help.\n{{inptu.x}}\n");
    project.write(
      "bad.ts",
      `import { agent, promptFile } from "holdpoint";
export default agent({ name: "bad", prompt: promptFile(new URL("./bad.prompt.md", import.meta.url)) });`,
    );
    const { code, document } = await project.json("check", "bad.ts", join(root, "test/cli/fixtures/desk.ts"));
    expect(code).toBe(1);
    expect(document.agents).toMatchObject([
      {
        agent: null,
        findings: [
          { code: "agent_invalid", area: "prompt", message: expect.stringContaining("bad.prompt.md:2") },
        ],
      },
      { agent: "desk" },
    ]);
  });

  it("asks nobody unless it is told to, then knocks at the channels and calls the model", async () => {
    const project = newProject();
    const knocks: number[] = [];
    const server = createServer((socket) => {
      knocks.push(1);
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    project.write(
      "holdpoint.config.ts",
      `import { webhookChannel } from "holdpoint";
const secrets = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
export default { channels: [webhookChannel({ url: "http://127.0.0.1:${port}/", secrets, allowPrivate: true })] };`,
    );
    const desk = join(root, "test/cli/fixtures/desk.ts");
    expect((await project.json("check", desk)).document.agents[0].probe).toBeUndefined();
    expect(knocks).toEqual([]);
    const { document } = await project.json("check", desk, "--probe");
    expect(document.agents[0].probe).toContain(`channel webhook: http://127.0.0.1:${port} takes connections`);
    expect(knocks).toEqual([1]);
    expect(document.agents[0].findings).toContainEqual(
      expect.objectContaining({ code: "probe_model_failed" }),
    ); // it takes JSON only
    writeClerk(project);
    const { document: answered } = await project.json("check", "clerk.ts", "--probe");
    expect(answered.agents[0].probe[0]).toMatch(/takes prompt and tools/);
  });
});

describe("its JSON", () => {
  it("is as documented, for an agent and for a file that cannot be loaded", async () => {
    const project = newProject();
    writeClerk(project);
    project.write(
      "holdpoint.config.json",
      `{ "people": [{ "id": "dana@example.com", "roles": ["desk"] }],
  "channels": [{ "type": "slack", "tokenVariable": "NO_TOKEN", "signingSecretVariable": "NO_SECRET" }] }`,
    );
    project.write("bad.ts", "export const nothing = 1;");
    const { code, document } = await project.json("check", "clerk.ts", "bad.ts", "--probe");
    expect(code).toBe(1);
    expect(Object.keys(document).sort()).toEqual(["agents", "errors", "notes", "warnings"]);
    expect(document).toMatchObject({ errors: expect.any(Number), warnings: expect.any(Number) });
    const finding = z.strictObject({
      code: z.string().regex(/^[a-z_]+$/),
      level: z.enum(["error", "warning", "note"]),
      area: z.enum(["prompt", "window", "control flow", "tools"]),
      ...{ message: z.string().min(1), why: z.string().min(1), fix: z.string().min(1) },
      about: z.object({
        kind: z.enum(["agent", "model", "people", "gate", "window", "limits", "prompt", "tool"]),
      }),
      where: z.strictObject({ file: z.string().startsWith("/"), line: z.int().positive() }).optional(),
    });
    const checked = z.strictObject({
      agent: z.string().nullable(),
      version: z.string().nullable(),
      file: z.string().nullable(),
      definition: z
        .string()
        .regex(/^[0-9a-f]{16}$/)
        .nullable(),
      findings: z.array(finding),
      probe: z.array(z.string()).optional(),
    });
    const agents = z.array(checked).parse(document.agents);
    expect(agents.map(({ agent, definition, probe }) => [agent, definition !== null, probe?.length])).toEqual(
      [
        [null, false, undefined],
        ["clerk", true, 1],
      ],
    );
    const unusable = agents
      .flatMap(({ findings }) => findings)
      .find((one) => one.code === "channel_unusable");
    expect([unusable?.where?.file.split("/").at(-1), unusable?.where?.line]).toEqual([
      "holdpoint.config.json",
      2,
    ]);
  });
});

it.runIf(process.platform !== "win32")("warns of a store that others may read, as serve does", async () => {
  const project = newProject();
  const desk = join(root, "test/cli/fixtures/desk.ts");
  await project.run("worker", "--once", "--agent", desk);
  const store = join(project.folder, ".holdpoint/holdpoint.db");
  expect((await project.run("check", desk)).stderr).not.toContain("others on this machine");
  chmodSync(store, 0o644);
  expect((await project.run("check", desk)).stderr).toContain("others on this machine may read");
  chmodSync(store, 0o666);
  const serving = project.start(["serve", "--port", "0", "--agent", desk], { input: null });
  await serving.until("others on this machine may change");
  serving.child.kill("SIGTERM");
  expect((await serving.ended).code).toBe(0);
});

describe("a start", () => {
  it("is stopped by an error, unless somebody says why not, which is recorded", async () => {
    const project = newProject();
    writeClerk(project);
    project.write("holdpoint.config.json", withPeople);
    const args = ["run", "clerk.ts", '{"order":"A7"}'];
    const stopped = await project.json(...args);
    expect(stopped.code).toBe(1);
    expect(stopped.document.error).toMatchObject({
      code: "check_failed",
      message: expect.stringContaining("prompt_variable_unknown, ./clerk.prompt.md:3"),
      fix: expect.stringContaining("--unchecked"),
    });
    expect(project.exists(".holdpoint")).toBe(false);
    expect(stopped.stderr.match(/limit_steps_low/g)).toHaveLength(1);
    expect((await project.json(...args, "--unchecked", " ")).code).toBe(2);
    const { document } = await project.json(...args, "--unchecked", "The directory is being moved.");
    const { events } = (await project.json("show", document.threadId)).document;
    expect(events[0].unchecked).toEqual({
      why: "The directory is being moved.",
      codes: ["prompt_variable_unknown", "approver_unreachable"],
    });
    expect((await project.run("show", document.threadId)).stdout).toContain(
      "unchecked (prompt_variable_unknown, approver_unreachable): The directory is being moved.",
    );
  });

  it("asks the config's own checks", async () => {
    const project = newProject();
    project.write(
      "holdpoint.config.ts",
      `export default { checks: [({ agent }) => agent.version === "7" ? [{
        code: "team_frozen", level: "error", area: "control flow", message: "the team starts nothing", why: "Holidays.", fix: "Wait.",
      }] : []] };`,
    );
    const desk = join(root, "test/cli/fixtures/desk.ts");
    const { code, document } = await project.json("run", desk, '{"orderId":"A7","cents":5}');
    expect({ code, error: document.error.code }).toEqual({ code: 1, error: "check_failed" });
    expect(document.error.message).toContain("the team starts nothing (team_frozen)");
    expect((await project.json("worker", "--once", "--agent", desk, "--unchecked", "Urgent.")).code).toBe(0);
  });

  it("by a fork is one too, with a reason of its own", async () => {
    const project = newProject();
    writeClerk(project);
    project.write("holdpoint.config.json", withPeople);
    const old = ["--unchecked", "The directory is being moved."];
    const { document } = await project.json("run", "clerk.ts", '{"order":"A7"}', ...old);
    const args = ["fork", document.threadId, "--at", "1"];
    const refused = await project.json(...args, "--agent", "clerk.ts");
    expect(refused.document.error).toMatchObject({ code: "check_failed" });
    expect((await project.json(...args, "--no-run")).document.error).toMatchObject({ code: "check_failed" }); // remembered
    expect((await project.json("threads")).document.threads).toHaveLength(1);
    const startOf = async (...more: readonly string[]) => {
      const { code, document: forked } = await project.json(...args, ...more);
      const { events } = (await project.json("show", forked.thread.threadId)).document;
      return { code, unchecked: events[0].unchecked };
    };
    expect((await startOf("--agent", "clerk.ts", "--unchecked", "Ticket 4711.")).unchecked).toEqual({
      why: "Ticket 4711.",
      codes: ["prompt_variable_unknown", "approver_unreachable"],
    });
    rmSync(join(project.folder, ".holdpoint/agents.json"));
    expect(await startOf()).toEqual({ code: 0, unchecked: undefined }); // no code at hand: it is copied
  });

  it("ends when it is told to, although a check of the config's own never does", async () => {
    const project = newProject();
    project.write(
      "holdpoint.config.ts",
      `export default { checks: [() => { console.error("it hangs"); return new Promise(() => {}); }] };`,
    );
    const desk = join(root, "test/cli/fixtures/desk.ts");
    const running = project.start(["run", desk, '{"orderId":"A7","cents":5}', "--unchecked", "Urgent."]);
    await running.until("it hangs");
    running.child.kill("SIGINT");
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 3, stdout: "stopped before the end: run it again\n" });
    expect(project.exists(".holdpoint")).toBe(false);
  });

  it("is kept from one agent alone by serve and worker, whose threads go on", async () => {
    const project = newProject();
    writeClerk(project);
    project.write("holdpoint.config.json", withPeople);
    const desk = join(root, "test/cli/fixtures/desk.ts");
    const agents = ["--agent", desk, "--agent", "clerk.ts"];
    const once = await project.run("worker", "--once", ...agents);
    expect(once.code).toBe(0);
    expect(once.stderr).toContain("agent clerk does not start: ");
    expect(once.stderr).toContain("prompt_variable_unknown, ./clerk.prompt.md:3");
    expect(once.stderr).toContain("Threads of it that are there go on.");
    const args = ["token", "create", "--principal", "kim@example.com", "--scope", "read,run"];
    const { document: made } = await project.json(...args);
    const serving = project.start(["serve", "--port", "0", ...agents], { input: null });
    let noted = "";
    serving.child.stderr?.on("data", (text: string) => {
      noted += text;
    });
    await serving.until("listening on ");
    expect(noted).toContain("agent clerk does not start: ");
    const client = createClient({ url: /listening on (\S+)/.exec(noted)?.[1] ?? "", token: made.token });
    await expect(client.startThread({ agent: "clerk", input: { order: "A7" } })).rejects.toMatchObject({
      code: "check_failed",
    });
    const started = await client.startThread({ agent: "desk", input: { orderId: "A7", cents: 5 } });
    expect(started.created).toBe(true);
    serving.child.kill("SIGTERM");
    expect((await serving.ended).code).toBe(0);
  });
});
