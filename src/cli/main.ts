#!/usr/bin/env node
import "./silence-warnings.ts";
import { enableCompileCache } from "node:module";

enableCompileCache(); // before the rest is loaded: a command then starts in less than half the time
const { runProcess } = await import("./run-process.ts");
await runProcess(process.argv.slice(2));
