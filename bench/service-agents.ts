// The agent of the service under load: each thread asks for ten approvals, one after the other, and runs what was
// approved. Loaded by `holdpoint serve`; it also tells the load how much memory the service takes.
import { monitorEventLoopDelay } from "node:perf_hooks";
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
process.on("message", () => {
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
process.channel?.unref(); // a service that is told to stop stops
