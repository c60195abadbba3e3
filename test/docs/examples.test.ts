// The examples of the documentation are what people copy: each is type-checked, and run in a folder of its own.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parsePrompt, renderPrompt } from "../../src/index.ts";
import { fragments } from "./fragments.ts";
import { blocksOf, pages, project, readPage } from "./pages.ts";

const folder = mkdtempSync(join(tmpdir(), "docs-examples-"));

const examples = pages
  .flatMap(blocksOf)
  .filter(({ language }) => language === "ts")
  .map(({ page, number, text }) => {
    const name = `${page} ${number}`;
    const fragment = fragments.find(({ at }) => at === name);
    const own = join(folder, name.replaceAll(/\W+/g, "-"));
    return { name, page, own, code: fragment ? `${text}\n${fragment.around}` : text, isRun: !fragment };
  });
const whole = examples.filter(({ isRun }) => isRun);

/** Examples that begin with the name of their file, which others of their page import. */
const named = examples.flatMap(({ page, code }) => {
  const name = /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1];
  return name === undefined ? [] : [{ page, name, code }];
});

writeFileSync(join(folder, "package.json"), '{"type":"module"}');
symlinkSync(join(project, "node_modules"), join(folder, "node_modules"));
for (const { page, own, code } of examples) {
  mkdirSync(own);
  for (const file of named.filter((other) => other.page === page))
    writeFileSync(join(own, file.name), onSources(file.code));
  writeFileSync(join(own, "example.ts"), `${onSources(code)}\nexport {};\n`);
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Examples import the package by its name; here that is its sources. */
function onSources(code: string): string {
  return code.replaceAll(/(from |import\()"holdpoint(\/\w+)?"/g, (_, before: string, subpath = "") => {
    return `${before}${JSON.stringify(join(project, `src${subpath}/index.ts`))}`;
  });
}

function run(
  cwd: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

/** One process for all, one after the other: each says what became of it. It has to end by itself. */
const runAll = `
import { writeFileSync } from "node:fs";
for (const own of ${JSON.stringify(whole.map(({ own }) => own))}) {
  process.chdir(own);
  let problem = "";
  await import(own + "/example.ts").catch((error) => { problem = String(error?.stack ?? error); });
  writeFileSync("problem.txt", problem);
}`;

describe("the documentation's prompt file", () => {
  test("renders as the page says", () => {
    const [, file = ""] = /^```md\n(.*?)^```$/ms.exec(readPage("docs/prompts.md")) ?? [];
    const input = { orders: [{ id: "A7", note: "fragile" }, { id: "B2" }] };
    const { text } = renderPrompt(parsePrompt(file), { input });
    expect(text).toContain("for lamps. Be kind.\n\nStop and ask a person when\n- the customer");
    expect(text).toMatch(/\n- order A7, note: fragile\n- order B2\n$/);
  });
});

describe("the documentation's examples", () => {
  beforeAll(() => {
    writeFileSync(join(folder, "all.mjs"), runAll);
    expect(run(folder, "--disable-warning=ExperimentalWarning", "all.mjs")).toEqual({
      status: 0,
      output: "",
    });
  }, 120_000);

  test("are there, and so is every fragment", () => {
    expect(examples.length).toBeGreaterThan(30);
    const names = examples.map(({ name }) => name);
    expect(fragments.map(({ at }) => at).filter((at) => !names.includes(at))).toEqual([]);
  });

  test("compile", () => {
    const settings = {
      extends: join(project, "tsconfig.json"),
      compilerOptions: {
        rewriteRelativeImportExtensions: false, // the sources are named by their whole path
        noUnusedLocals: false, // an example may end where it gets interesting
        noUnusedParameters: false,
      },
      include: ["*/example.ts"],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    const compiler = join(project, "node_modules/typescript/bin/tsc");
    expect(run(folder, compiler, "--noEmit", "-p", folder)).toEqual({ status: 0, output: "" });
  }, 120_000);

  test.each(whole)("$name runs", ({ own }) => {
    expect(readFileSync(join(own, "problem.txt"), "utf8")).toBe("");
  });
});
