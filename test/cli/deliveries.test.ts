import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startReceiver } from "../kit/http-receiver.ts";
import { fixture, newProject, root } from "./command.ts";

const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const env = { HOOK_SECRET: secret };

function jsonConfig(url: string): string {
  return JSON.stringify({
    agents: [fixture("desk.ts")],
    channels: [{ type: "webhook", url, secretVariables: ["HOOK_SECRET"], allowPrivate: true }],
  });
}

describe("a worker with channels in its config", () => {
  it("sends what waits, lists it, and sends again what was refused", async () => {
    let status = 403;
    const receiver = await startReceiver(() => status);
    const project = newProject();
    project.write("holdpoint.config.json", jsonConfig(receiver.url));
    const { document } = await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    expect((await project.start(["worker", "--once"], { env }).ended).code).toBe(0);
    const { document: failed } = await project.json("deliveries", "--failed");
    expect(failed.deliveries).toMatchObject([
      {
        requestId: document.requests[0].requestId,
        kind: "ask",
        status: "dead",
        channel: "webhook",
        attempts: 1,
      },
    ]);
    status = 200;
    const id = failed.deliveries[0].deliveryId as string;
    expect(await project.json("deliveries", "retry", id)).toMatchObject({
      code: 0,
      document: { delivery: { deliveryId: id, status: "pending" } },
    });
    expect((await project.start(["worker", "--once"], { env }).ended).code).toBe(0);
    expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([id, id]);
    expect((await project.json("deliveries", "--failed")).document).toEqual({
      deliveries: [],
      nextCursor: null,
    });
    const { stdout } = await project.run("deliveries");
    expect(stdout).toMatch(/1 delivery\ndl_\w+ +sent +ask r_\w+ by webhook to endpoint; 2 attempts/);
    expect(await project.json("deliveries", "retry", id)).toMatchObject({
      code: 2,
      document: { error: { code: "usage", message: expect.stringContaining("is sent, not dead") } },
    });
    expect(await project.json("deliveries", "retry", "dl_none")).toMatchObject({
      code: 2,
      document: { error: { code: "delivery_not_found" } },
    });
  });

  it("sends while it runs, and ends when it is told to", async () => {
    const receiver = await startReceiver(() => 200);
    const project = newProject();
    project.write(
      "holdpoint.config.ts",
      `import { webhookChannel } from ${JSON.stringify(join(root, "src/index.ts"))};
export default {
  agents: [${JSON.stringify(fixture("desk.ts"))}],
  people: [{ id: "dana@example.com", roles: ["lead"] }],
  channels: [webhookChannel({ url: ${JSON.stringify(receiver.url)}, secrets: process.env.HOOK_SECRET ?? "", allowPrivate: true })],
};`,
    );
    const worker = project.start(["worker"], { env });
    await worker.until("worker for desk");
    await project.start(["run", fixture("desk.ts"), '{"orderId":"A7","cents":42}'], { env }).ended;
    await expect.poll(() => receiver.received.length).toBe(1);
    worker.child.kill("SIGTERM");
    expect((await worker.ended).code).toBe(0);
  });
});

describe("a config that cannot be used", () => {
  it.each([
    [{ channels: [{ type: "pigeon" }] }, "channels"],
    [{ channels: [{ type: "webhook", url: "https://example.com", secret: "whsec_x" }] }, "channels"],
    [{ people: [{ name: "nobody" }] }, "people.0.id"],
  ])("%j is told by name", async (config, where) => {
    const project = newProject();
    project.write("holdpoint.config.json", JSON.stringify({ agents: [fixture("desk.ts")], ...config }));
    const { code, document } = await project.json("worker", "--once");
    expect({ code, error: document.error }).toMatchObject({
      code: 2,
      error: { code: "usage", message: expect.stringContaining(where) },
    });
  });

  it("and so is a variable that is not set, by the commands that need it only", async () => {
    const project = newProject();
    project.write("holdpoint.config.json", jsonConfig("http://127.0.0.1:1"));
    await project.json("run", fixture("desk.ts"), '{"orderId":"A7","cents":42}');
    expect(await project.json("worker", "--once")).toMatchObject({
      code: 2,
      document: { error: { message: expect.stringContaining("HOOK_SECRET") } },
    });
    expect((await project.json("threads")).code).toBe(0);
  });
});

it("keeps a webhook's key out of the log, also without the prefix that makes it a secret", async () => {
  const project = newProject();
  project.write("holdpoint.config.json", jsonConfig("http://127.0.0.1:9/"));
  const key = secret.replace("whsec_", "");
  const input = JSON.stringify({ orderId: key, cents: 42 });
  const { ended } = project.start(["run", fixture("desk.ts"), input, "--json"], { env });
  const { stdout } = await ended;
  const { threadId } = JSON.parse(stdout);
  const shown = await project.run("show", threadId, "--json");
  expect(shown.stdout).toContain("[secret HOOK_SECRET key]");
  expect(shown.stdout).not.toContain(key);
});
