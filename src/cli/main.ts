#!/usr/bin/env node
import "./node-version.ts";
import "./silence-warnings.ts";

const { enableCompileCache } = await import("node:module"); // an older Node has none, and would say so with a stack
enableCompileCache(); // before the rest is loaded: a command then starts in less than half the time
const { runProcess } = await import("./run-process.ts");
await runProcess(process.argv.slice(2));
