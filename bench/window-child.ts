// Run by window.ts in a process of its own: folds the log of the file and builds the next window, each for the first time
// in this process. Prints the milliseconds of both, and of writing the same messages as JSON.
import { readFileSync } from "node:fs";
import type { ThreadEvent } from "../src/core/events.ts";
import { evolve } from "../src/core/evolve.ts";
import { initialState } from "../src/core/state.ts";
import { buildFor } from "./window-thread.ts";

const [path = ""] = process.argv.slice(2);
const events = JSON.parse(readFileSync(path, "utf8")) as readonly ThreadEvent[]; // written by window.ts
const startedAt = performance.now();
const state = events.reduce(evolve, initialState());
const foldedAt = performance.now();
const { input } = buildFor(state);
const builtAt = performance.now();
JSON.stringify(input.messages);
const writtenAt = performance.now();
const times = { foldMs: foldedAt - startedAt, windowMs: builtAt - foldedAt, floorMs: writtenAt - builtAt };
process.stdout.write(JSON.stringify(times));
