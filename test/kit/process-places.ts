// Places in a process's work where something can be made to happen: a pause, a stop, a wait for the test. They are
// reached by wrapping what the runtime is given (model, tools, store, hints); the runtime itself knows nothing of them.
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import {
  type Agent,
  actionDigest,
  type Hint,
  isHoldpointError,
  type Model,
  type RunContext,
  type Store,
  type Tool,
} from "../../src/index.ts";

/**
 * Called at a place: `model`, `effect:before`, `effect:after`, `verify`, `append:<type>`, `appended:<type>`,
 * `commit:<number>`; and `fenced`, when the store refused this process an append or a renewal for want of the lease.
 */
export type AtPlace = (place: string) => void | Promise<void>;

/** A line that the wrapper writes before a tool runs: what is about to run, exactly. The tool's own lines follow. */
export interface CalledLine {
  readonly phase: "called";
  readonly tool: string;
  readonly digest: string;
  readonly idempotencyKey: string;
  readonly attempt: number;
  readonly pid: number;
}

export interface PlaceOptions {
  readonly at: AtPlace;
  readonly ledgerPath: string;
  /** Tools lose their `verify`: what is in doubt then goes to a person. */
  readonly withoutVerify: boolean;
}

/** The same agent, whose model and tools pass through places and whose effects are in the ledger before they happen. */
export function agentWithPlaces(agent: Agent, options: PlaceOptions): Agent {
  const tools = [...agent.tools].map(([name, tool]) => [name, toolWithPlaces(tool, options)] as const);
  return { ...agent, tools: new Map(tools), model: modelWithPlaces(agent.model as Model, options.at) }; // our agents carry a Model
}

function modelWithPlaces(model: Model, at: AtPlace): Model {
  return {
    id: model.id,
    async generate(input, options) {
      await at("model");
      return model.generate(input, options);
    },
  };
}

function toolWithPlaces(tool: Tool, { at, ledgerPath, withoutVerify }: PlaceOptions): Tool {
  if (tool.effect === "read") return tool;
  return {
    ...tool,
    verify: withoutVerify ? undefined : verifyWithPlace(tool, at),
    async run(args, context) {
      const digest = actionDigest({ tool: tool.name, toolVersion: tool.version, args });
      appendLine(ledgerPath, calledLine(tool.name, digest, context));
      await at("effect:before");
      const value = await tool.run(args, context);
      await at("effect:after");
      return value;
    },
  };
}

function verifyWithPlace({ verify }: Tool, at: AtPlace): Tool["verify"] {
  return (
    verify &&
    (async (args, context) => {
      await at("verify");
      return verify(args, context);
    })
  );
}

function calledLine(tool: string, digest: string, { idempotencyKey, attempt }: RunContext): CalledLine {
  return { phase: "called", tool, digest, idempotencyKey, attempt, pid: process.pid };
}

/** Appends a line of JSON that is on disk when the call returns. */
function appendLine(path: string, line: unknown): void {
  const file = openSync(path, "a");
  try {
    writeSync(file, `${JSON.stringify(line)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function storeWithPlaces(store: Store, at: AtPlace): Store {
  return {
    ...store,
    async append(append) {
      for (const { body } of append.events) await at(`append:${body.type}`);
      try {
        return await store.append(append);
      } catch (error) {
        if (isHoldpointError(error, "lease_lost")) await at("fenced");
        throw error;
      }
    },
    async lease(request) {
      const lease = await store.lease(request);
      if (lease === null && request.number !== undefined) await at("fenced");
      return lease;
    },
  };
}

/** What was appended is a place as well; nothing can be awaited there, only a stop works. */
export function visitHint(hint: Hint, at: AtPlace): void {
  if (hint.kind === "appended") for (const { type } of hint.events) void at(`appended:${type}`);
}
