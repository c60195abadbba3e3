// The examples of the documentation are what people copy: each is type-checked, and run in a folder of its own.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parsePrompt, renderPrompt } from "../../src/index.ts";

const project = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "docs-examples-"));
const pages = [
  "docs/testing.md",
  "docs/prompts.md",
  "docs/artifacts.md",
  "docs/window.md",
  "docs/triggers.md",
  "docs/people.md",
  "docs/gate.md",
  "docs/http.md",
  "docs/channels.md",
  "docs/stats.md",
  "docs/check.md",
  "docs/eval.md",
];

const examples = pages.flatMap((page) =>
  Array.from(
    readFileSync(join(project, page), "utf8").matchAll(/^```ts\n(.*?)^```$/gms),
    ([, code = ""], index) => {
      const own = join(folder, `${page.replaceAll(/\W/g, "-")}-${index + 1}`);
      return { name: `${page}, example ${index + 1}`, own, code };
    },
  ),
);

writeFileSync(join(folder, "package.json"), '{"type":"module"}');
symlinkSync(join(project, "node_modules"), join(folder, "node_modules"));
for (const { own, code } of examples) {
  mkdirSync(own);
  writeFileSync(join(own, "example.ts"), onSources(code));
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Examples import the package by its name; here that is its sources. */
function onSources(code: string): string {
  return code
    .replaceAll('from "holdpoint/testing"', `from ${JSON.stringify(join(project, "src/testing/index.ts"))}`)
    .replaceAll('from "holdpoint/server"', `from ${JSON.stringify(join(project, "src/server/index.ts"))}`)
    .replaceAll('from "holdpoint/client"', `from ${JSON.stringify(join(project, "src/client/index.ts"))}`)
    .replaceAll('from "holdpoint"', `from ${JSON.stringify(join(project, "src/index.ts"))}`);
}

function run(
  cwd: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

describe("the documentation's prompt file", () => {
  test("renders as the page says", () => {
    const [, file = ""] =
      /^```md\n(.*?)^```$/ms.exec(readFileSync(join(project, "docs/prompts.md"), "utf8")) ?? [];
    const input = { orders: [{ id: "A7", note: "fragile" }, { id: "B2" }] };
    const { text } = renderPrompt(parsePrompt(file), { input });
    expect(text).toContain("for lamps. Be kind.\n\nStop and ask a person when\n- the customer");
    expect(text).toMatch(/\n- order A7, note: fragile\n- order B2\n$/);
  });
});

describe("the documentation's examples", () => {
  test("are there", () => expect(examples.length).toBeGreaterThan(4));

  test("compile", () => {
    const settings = {
      extends: join(project, "tsconfig.json"),
      compilerOptions: { rewriteRelativeImportExtensions: false }, // the sources are named by their whole path
      include: ["*/example.ts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    const compiler = join(project, "node_modules/typescript/bin/tsc");
    expect(run(folder, compiler, "--noEmit", "-p", folder)).toEqual({ status: 0, output: "" });
  }, 120_000);

  test.each(examples)("$name runs", ({ own }) => {
    expect(run(own, "--disable-warning=ExperimentalWarning", "example.ts")).toEqual({
      status: 0,
      output: "",
    });
  });
});
