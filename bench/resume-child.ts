// Run by resume.ts in a process of its own: prints the milliseconds from opening the file until the action that waited
// for approval has run, as an approver would see it. Start-up and imports come before the clock.
import { decideRequest } from "../src/index.ts";
import { openBench } from "./bench-runtime.ts";

const [path = "", threadId = ""] = process.argv.slice(2);
const startedAt = performance.now();
const bench = await openBench(path);
const [request] = (await bench.runtime.store.requests({ threadId, status: "open" })).rows;
await decideRequest(bench.runtime, request?.requestId ?? "", {
  verdict: { kind: "approve" },
  by: "bench",
  via: "bench",
});
await bench.settle(threadId);
const tookMs = performance.now() - startedAt;
const row = (await bench.runtime.store.threads({ threadId })).rows[0];
if (row?.status !== "completed") throw new Error(`the thread is ${row?.status}`);
process.stdout.write(String(tookMs));
await bench.close();
