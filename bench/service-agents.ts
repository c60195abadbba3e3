// The agent of the service under load: each thread asks for ten approvals, one after the other, and runs what was
// approved. Loaded by `holdpoint serve`; it also tells the load how much memory the service takes.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { z } from "zod";
import { agent, tool } from "../src/index.ts";
import { approvalsOfThread, type ServiceSample } from "./service-load.ts";

const send = tool({
  name: "send",
  description: "Sends.",
  input: z.object({ to: z.string(), number: z.int() }),
  risk: "high",
  run: ({ number }) => ({ sent: number }),
});

export default agent({
  name: "sender",
  input: z.object({ to: z.string() }),
  tools: [send],
  limits: { steps: 1e9, identicalCalls: 1e9 },
  async flow(t, { to }) {
    for (let number = 0; number < approvalsOfThread; number++) await t.act(send, { to, number });
    return "done";
  },
});

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
process.on("message", (message) => {
  if (message === "collect") collect();
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const sample: ServiceSample = {
    rss,
    heapUsed,
    cpuMs: (user + system) / 1_000,
    loopDelayMs: delay.max / 1_000_000,
  };
  delay.reset();
  process.send?.(sample);
});
/** What is left in the heap then is held by something. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)(); // V8's, by its flag
}

process.channel?.unref(); // a service that is told to stop stops
