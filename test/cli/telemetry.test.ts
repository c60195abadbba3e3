import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture, newProject, type Project, root } from "./command.ts";

/** What a user preloads: the SDK in batches, here into a file. */
const preloaded = `
import { appendFileSync } from "node:fs";
import { trace } from "@opentelemetry/api";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
const exporter = {
  export(spans, done) {
    for (const { name, attributes } of spans) appendFileSync("spans.jsonl", JSON.stringify({ name, attributes }) + "\\n");
    done({ code: 0 });
  },
  shutdown: async () => {},
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }));
`;

const preload = { env: { NODE_OPTIONS: "--import ./telemetry.mjs" } };

async function runWith(project: Project, config?: object) {
  project.write("telemetry.mjs", preloaded);
  if (config) project.write("holdpoint.config.json", JSON.stringify(config));
  const args = ["run", fixture("desk.ts"), '{"orderId":"A7","cents":42}'];
  const { code, stderr } = await project.start(args, preload).ended;
  expect([code, stderr.includes("Error")]).toEqual([0, false]);
  if (!project.exists("spans.jsonl")) return [];
  const lines = readFileSync(join(project.folder, "spans.jsonl"), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as { name: string; attributes: Record<string, unknown> });
}

describe("telemetry", () => {
  it("leaves by the file that the page shows", async () => {
    const page = readFileSync(join(root, "docs/telemetry.md"), "utf8");
    const [, code = ""] = /^```js\n(.*?)^```$/ms.exec(page) ?? [];
    const project = newProject();
    project.write("telemetry.mjs", code);
    const args = ["run", `${fixture("flows.ts")}#echo`, "hello"];
    const { code: exit, stderr } = await project.start(args, preload).ended;
    expect([exit, /name: 'invoke_agent echo'/.test(stderr)]).toEqual([0, true]);
  });

  it("leaves by the SDK that the user preloads, all of it before the process ends, and without content", async () => {
    const spans = await runWith(newProject());
    expect(spans.map(({ name }) => name)).toEqual([
      "chat rules",
      "execute_tool find_order",
      "chat rules",
      "invoke_agent desk",
    ]);
    expect(JSON.stringify(spans)).not.toContain("A7");
  });

  it("that could not be sent is told once on stderr, and harms no run", async () => {
    const project = newProject();
    const failing = 'throw new Error("no collector at 127.0.0.1");';
    project.write("telemetry.mjs", preloaded.replace(/for \(const \{ name, .*/, failing));
    project.write(
      "rejecting.mjs",
      preloaded.replace(
        /for \(const \{ name, .*\n.*/,
        "done({ code: 1, error: new Error('no collector') });",
      ),
    );
    for (const file of ["telemetry.mjs", "rejecting.mjs"]) {
      const env = { NODE_OPTIONS: `--import ./${file}` };
      const args = ["run", `${fixture("flows.ts")}#echo`, "hello"];
      const { code, stdout, stderr } = await project.start(args, { env }).ended;
      expect([code, stdout.trimEnd().endsWith("hello")]).toEqual([0, true]);
      expect(stderr.match(/warning: spans were not sent: no collector/g)).toHaveLength(1);
    }
  });

  it("tells content, or nothing at all, as the config says", async () => {
    expect(JSON.stringify(await runWith(newProject(), { telemetry: { content: true } }))).toContain("A7");
    expect(await runWith(newProject(), { telemetry: false })).toEqual([]);
    const project = newProject();
    project.write("holdpoint.config.json", '{"telemetry":{"share":2}}');
    const refused = await project.run("threads");
    expect([refused.code, refused.stderr.includes("telemetry")]).toEqual([2, true]);
  });
});
