import { type EventBody, event, type ThreadEvent } from "../../src/core/events.ts";
import type { Json } from "../../src/core/json.ts";

/** Bodies as a thread's log: `seq` from 1, one second apart. */
export function log(...bodies: readonly EventBody[]): ThreadEvent[] {
  return bodies.map((body, index) => ({ ...body, seq: index + 1, at: at(index + 1) }) as ThreadEvent); // the spread loses the union
}

/** Time of day in seconds, on a day in the past. */
export function at(second: number): string {
  return new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();
}

export function started(input: Json = "go"): EventBody {
  return event("thread_started", {
    threadId: "th_1",
    agent: "a",
    agentVersion: "1",
    input: { value: input },
    by: "test",
  });
}

export function stepDone(key: string, value: Json): EventBody {
  return event("step_completed", { key, attempt: 1, durationMs: 1, result: { value } });
}

export function signal(name: string, value: Json): EventBody {
  return event("signal_received", { signalId: `sg_${name}`, signal: name, value, by: "test" });
}

export function waitStarted(name: string, occurrence = 1): EventBody {
  return event("wait_started", { key: `wait:${name}#${occurrence}`, signal: name, expiresAt: null });
}

export function proposed(key: string, args: Json, requested?: Json): EventBody {
  return event("action_proposed", {
    key,
    callId: key,
    tool: key.slice(4, key.indexOf("#")),
    toolVersion: "1",
    args,
    digest: "d".repeat(64),
    effect: "once",
    gate: { kind: "allow" },
    ...(requested === undefined ? {} : { requested }),
  });
}

export function actionDone(key: string, value: Json): EventBody {
  return event("action_completed", { key, attempt: 1, durationMs: 1, result: { value } });
}
