// For tests of one agent, "a": a runtime that has it, a thread of it run as far as it goes, its events of one type.
import { type AgentDefinition, agent } from "../../src/core/agent.ts";
import type { EventOf, EventType } from "../../src/core/events.ts";
import { startThread } from "../../src/runtime/commands.ts";
import { runtimesOfEachTest, type TestRuntime, type TestRuntimeOptions } from "./runtime.ts";

type Definition = Partial<AgentDefinition<unknown, unknown, unknown>>;

/** Opens a runtime on a file of the test's own with the agent "a"; all are closed after the test. */
export function oneAgentOfEachTest(): (
  definition: Definition,
  options?: Partial<TestRuntimeOptions>,
) => Promise<TestRuntime> {
  const openRuntime = runtimesOfEachTest();
  return (definition, options = {}) =>
    openRuntime({ agents: [agent({ name: "a", prompt: "Work.", ...definition })], ...options });
}

/** Starts a thread of it and runs it until it ended or is parked. */
export async function runAgent(opened: TestRuntime, input: unknown = "hello"): Promise<string> {
  const { threadId } = await startThread(opened.runtime, "a", input, { by: "test" });
  await opened.settle(threadId);
  return threadId;
}

export async function eventsOf<Type extends EventType>(
  opened: TestRuntime,
  threadId: string,
  type: Type,
): Promise<readonly EventOf<Type>[]> {
  const events = await opened.events(threadId);
  return events.filter((event): event is EventOf<Type> => event.type === type);
}
