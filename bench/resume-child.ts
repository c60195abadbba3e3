// Run by resume.ts in a process of its own: prints the milliseconds from opening the file until the approved action
// runs. Start-up and imports come before the clock.
import { approvedAction, openBench } from "./bench-runtime.ts";

const [path = "", threadId = ""] = process.argv.slice(2);
const startedAt = performance.now();
const bench = await openBench(path);
await bench.settle(threadId);
const row = (await bench.runtime.store.threads({ threadId })).rows[0];
if (row?.status !== "completed") throw new Error(`the thread is ${row?.status}`);
process.stdout.write(String(approvedAction.ranAtMs - startedAt));
await bench.close();
