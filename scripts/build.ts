// Builds dist/ from src/: the compiled modules, and the files beside them that the code reads (SQL, prompts).
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, rmSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = new URL("../", import.meta.url);
const source = fileURLToPath(new URL("src", root));
const target = fileURLToPath(new URL("dist", root));
const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));

rmSync(target, { recursive: true, force: true }); // a module removed from src must not be published
execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
cpSync(source, target, { recursive: true, filter: (path) => !/\.ts$/.test(path) });
chmodSync(new URL("dist/cli/main.js", root), statSync(new URL("dist/cli/main.js", root)).mode | 0o111);
