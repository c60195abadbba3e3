import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { main, newProject, root } from "./command.ts";

const files = [
  ".gitignore",
  "README.md",
  "agent.ts",
  "holdpoint.config.json",
  "package.json",
  "shop-helper.prompt.md",
  "stand-in-model.ts",
  "tsconfig.json",
];

describe("init", () => {
  it("makes a project in a new folder, named after it, and says what is next", async () => {
    const { run, folder } = newProject();
    const { code, stdout } = await run("init", "My Shop");
    expect(code).toBe(0);
    expect(stdout).toContain("cd 'My Shop'\n  npm install\n  npm start\n");
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    for (const text of [stdout, readFileSync(join(folder, "My Shop/README.md"), "utf8")])
      expect(text).toContain(`npm install <clone>/holdpoint-${version}.tgz`); // it may be on no registry
    expect(readdirSync(join(folder, "My Shop")).sort()).toEqual(files);
    const { name, type, dependencies } = JSON.parse(
      readFileSync(join(folder, "My Shop/package.json"), "utf8"),
    );
    expect({ name, type }).toEqual({ name: "my-shop", type: "module" });
    expect(Object.keys(dependencies)).toEqual(["holdpoint", "zod"]);
    for (const file of files)
      expect(readFileSync(join(folder, "My Shop", file), "utf8")).not.toMatch(/\{\{(name|version)/);
  });

  it("gives an agent that runs without a key, holds the refund, and pays it after the approval", async () => {
    const { json } = newProject();
    expect((await json("init", "shop")).document.files).toHaveLength(files.length);
    const shop = ["--config", "shop/holdpoint.config.json"];
    const { document } = await json(
      "run",
      "shop-helper",
      "My order A7 arrived broken, I want a refund.",
      ...shop,
    );
    expect(document.requests).toMatchObject([
      { action: { tool: "issue_refund", args: { orderId: "A7", cents: 4200 } } },
    ]);
    const { document: approved } = await json("approve", document.requests[0].requestId, ...shop);
    expect(approved.thread).toMatchObject({ status: "completed", output: "Your money is on its way back." });
    const { document: question } = await json("run", "shop-helper", "Where is B2?", ...shop);
    expect(question).toMatchObject({ status: "completed", output: expect.stringContaining("on its way") });
  });

  it("gives files that type-check, also with what Node brings, by the compiler that Holdpoint is made with", async () => {
    const { run, folder } = newProject();
    await run("init", "shop");
    const { devDependencies } = JSON.parse(readFileSync(join(folder, "shop/package.json"), "utf8"));
    const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies;
    expect(devDependencies).toEqual({ "@types/node": own["@types/node"], typescript: own.typescript });
    const node = 'import { existsSync } from "node:fs";\nexport const isHere = existsSync(process.cwd());\n';
    writeFileSync(join(folder, "shop/node.ts"), node);
    const paths = { holdpoint: [join(root, "src/index.ts")] };
    const config = { extends: "./tsconfig.json", compilerOptions: { paths } };
    writeFileSync(join(folder, "shop/tsconfig.test.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const check = (): string =>
      execFileSync(process.execPath, [tsc, "-p", "tsconfig.test.json"], {
        cwd: join(folder, "shop"),
        encoding: "utf8",
      });
    expect(check).not.toThrow();
  });

  it.each([
    { name: "has files", prepare: (path: string) => writeFileSync(join(path, "notes.txt"), "") },
    { name: "has hidden files", prepare: (path: string) => writeFileSync(join(path, ".env"), "") },
  ])("refuses a folder that $name, and writes nothing", async ({ prepare }) => {
    const { json, folder } = newProject();
    mkdirSync(join(folder, "shop"));
    prepare(join(folder, "shop"));
    const { code, document } = await json("init", "shop");
    expect(code).toBe(2);
    expect(document.error).toMatchObject({
      code: "usage",
      message: expect.stringContaining("shop is not empty"),
    });
    expect(readdirSync(join(folder, "shop"))).toHaveLength(1);
  });

  it("leaves no part of a project behind when a file cannot be written", () => {
    const { folder } = newProject();
    const limited = `ulimit -f 1; exec "$0" "$1" init shop`; // a disk that is full after 512 bytes or 1 KiB
    const init = () =>
      execFileSync("sh", ["-c", limited, process.execPath, main], { cwd: folder, stdio: "pipe" });
    expect(init).toThrow();
    expect(readdirSync(folder)).not.toContain("shop");
  });

  it("takes a repository without files as empty, and a file for no folder", async () => {
    const { json, folder } = newProject();
    mkdirSync(join(folder, "shop/.git"), { recursive: true });
    expect((await json("init", "shop")).code).toBe(0);
    expect(await json("init", "shop/agent.ts")).toMatchObject({
      code: 2,
      document: { error: { code: "usage" } },
    });
  });
});
