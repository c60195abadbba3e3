import { randomBytes, randomUUID } from "node:crypto";
import type { Agent } from "../core/agent.ts";
import { HoldpointError } from "../core/errors.ts";
import type { ThreadEvent, Unchecked } from "../core/events.ts";
import type { Clock } from "../ports/clock.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Model, ModelFacts, ModelProgress } from "../ports/model.ts";
import type { Store } from "../ports/store.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { TokenCounter } from "../ports/token-counter.ts";
import { type Redactor, redactor } from "./redact.ts";
import { guardedTelemetry } from "./telemetry.ts";

/** What happened in a thread, for displays. Hints only: the log is the truth. */
export type Hint =
  | { readonly kind: "appended"; readonly threadId: string; readonly events: readonly ThreadEvent[] }
  | { readonly kind: "performing"; readonly threadId: string; readonly key: string }
  /** A model puts something out. Void as soon as its try is rejected. */
  | {
      readonly kind: "progress";
      readonly threadId: string;
      readonly key: string;
      readonly attempt: number;
      readonly progress: ModelProgress;
    }
  | { readonly kind: "problem"; readonly threadId: string; readonly error: unknown };

export interface RuntimeOptions {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly counter: TokenCounter;
  /** The agents that this process can run. */
  readonly agents: readonly Agent[];
  /** Finds the model that an agent names (or carries); `null` asks for the default model. */
  readonly resolveModel: (model: unknown) => Promise<Model>;
  /** What is known of a model by its id: its limits and prices. Default: nothing. */
  readonly modelFacts?: (modelId: string) => ModelFacts | undefined;
  /** Models stream their output where they can, for displays and for the time to the first token. Default true. */
  readonly stream?: boolean;
  /** Values, by name, that must never reach the log (I11). */
  readonly secrets?: ReadonlyMap<string, string>;
  /** Agents that are started although their check failed, by name: recorded with each of their threads. Default: none. */
  readonly unchecked?: ReadonlyMap<string, Unchecked>;
  /**
   * Agents that start no new thread here, because their check failed: by name, with the codes of its errors. Threads that
   * are there go on. Default: none.
   */
  readonly unready?: ReadonlyMap<string, readonly string[]>;
  readonly observe?: (hint: Hint) => void;
  /** Told what runs do, see `openTelemetry`. Default: nobody is. */
  readonly telemetry?: Telemetry;
  /** How long a worker may be silent before another takes its threads. Default 30 s. */
  readonly leaseMs?: number;
  /** How long a graceful stop waits for effects that are under way. Default 10 s. */
  readonly graceMs?: number;
  /** Values over this many bytes of JSON become artifacts. Default 64 KiB. */
  readonly artifactBytes?: number;
  /** Largest value that a step, a tool or an input may be. Default 16 MiB. */
  readonly maxValueBytes?: number;
  readonly random?: () => number;
  readonly uuid?: () => string;
}

/** The ports and settings that running threads needs. Plain data: the functions of `runtime/` take it first. */
export interface Runtime {
  readonly store: Store;
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly counter: TokenCounter;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly resolveModel: (model: unknown) => Promise<Model>;
  readonly modelFacts: (modelId: string) => ModelFacts | undefined;
  readonly stream: boolean;
  readonly redact: Redactor;
  readonly unchecked: ReadonlyMap<string, Unchecked>;
  readonly unready: ReadonlyMap<string, readonly string[]>;
  readonly observe: (hint: Hint) => void;
  readonly telemetry: Telemetry | null;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly artifactBytes: number;
  readonly maxValueBytes: number;
  readonly random: () => number;
  readonly uuid: () => string;
  /** Names this process among those that share the store. */
  readonly owner: string;
}

export function createRuntime(options: RuntimeOptions): Runtime {
  return {
    ...options,
    agents: new Map(options.agents.map((agent) => [agent.name, agent])),
    modelFacts: options.modelFacts ?? (() => undefined),
    stream: options.stream ?? true,
    redact: redactor(options.secrets ?? new Map()),
    unchecked: options.unchecked ?? new Map(),
    unready: options.unready ?? new Map(),
    observe: guarded(options.observe ?? (() => {})),
    telemetry: options.telemetry ? guardedTelemetry(options.telemetry) : null,
    leaseMs: options.leaseMs ?? 30_000,
    graceMs: options.graceMs ?? 10_000,
    artifactBytes: options.artifactBytes ?? 64 * 1024,
    maxValueBytes: options.maxValueBytes ?? 16 * 1024 * 1024,
    random: options.random ?? Math.random,
    uuid: options.uuid ?? randomUUID,
    owner: `w_${process.pid}_${randomBytes(6).toString("hex")}`,
  };
}

/** A display that breaks must not break a thread. */
function guarded(observe: (hint: Hint) => void): (hint: Hint) => void {
  return (hint) => {
    try {
      observe(hint);
    } catch {
      // Hints are lost with their display; the log has it all.
    }
  };
}

/** @throws `agent_not_found`, naming those there are. */
export function agentNamed(runtime: Runtime, name: string): Agent {
  const agent = runtime.agents.get(name);
  if (agent) return agent;
  const known = [...runtime.agents.keys()].join(", ");
  throw new HoldpointError("agent_not_found", `there is no agent "${name}" here`, {
    fix: known === "" ? "Name the agent's file." : `Known agents: ${known}.`,
  });
}
