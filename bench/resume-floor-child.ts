// Run by resume.ts in a process of its own: prints the milliseconds that the least a resume can do takes on bare
// SQLite. It opens the file, commits (as a lease does), reads and parses the log, and commits again (as an intent does).
import { openFloor } from "./floor.ts";

const [path = ""] = process.argv.slice(2);
const startedAt = performance.now();
const floor = openFloor(path);
floor.commit("{}");
const events = floor.readLog();
floor.commit("{}");
const endedAt = performance.now();
if (events.length < 800) throw new Error(`the log has ${events.length} events`);
process.stdout.write(String(endedAt - startedAt));
floor.close();
