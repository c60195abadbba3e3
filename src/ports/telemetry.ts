import type { Agent } from "../core/agent.ts";
import type { EventBody, ThreadEvent } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import type { Tool } from "../core/tool.ts";
import type { ModelInput, ModelOutput } from "../core/window/model-input.ts";

/** A turn of a thread, as it begins. */
export interface TurnFacts {
  readonly threadId: string;
  readonly agent: Agent;
  /** The whole log so far. */
  readonly events: readonly ThreadEvent[];
  /** Takes declared secrets out of a value: whatever is told of content goes through it (I11). */
  readonly clean: <T>(value: T) => T;
}

/** An effect, as it begins: one try of an operation. */
export type EffectFacts = {
  readonly key: string;
  /** From 1, over the operation's life. */
  readonly attempt: number;
} & (
  | {
      readonly kind: "model";
      /** `provider/model`; `null` when that is not known before the call. */
      readonly model: string | null;
      readonly input: ModelInput;
    }
  | {
      /** `verify`: an action in doubt is asked about, and not run. */
      readonly kind: "tool" | "verify";
      readonly tool: Tool;
      readonly callId: string;
      readonly args: Json;
    }
  | { readonly kind: "step" }
);

/** How an effect ended. */
export type EffectEnd =
  /** With the events that say so, before they are appended and redacted; none when it was stopped. */
  | {
      readonly events: readonly EventBody[];
      /** What a model put out. */
      readonly output?: ModelOutput;
    }
  /** The store, or Holdpoint itself, failed. */
  | { readonly thrown: unknown };

/** How a turn ended: with its thread; waiting; stopped by the caller; without the lease; or by an error. */
export type TurnEnd = "ended" | "parked" | "stopped" | "lost";

/** Something during which code runs. */
export interface TelemetryScope {
  /** Calls `action`, once and at once, in such a way that what it does can be told to belong here. */
  within<T>(action: () => T): T;
}

export interface EffectTelemetry extends TelemetryScope {
  end(how: EffectEnd): void;
}

export interface TurnTelemetry extends TelemetryScope {
  /** `null`: nobody wants to know of this effect. */
  startEffect(effect: EffectFacts): EffectTelemetry | null;
  /** Events of this turn, and those that others appended meanwhile. */
  appended(events: readonly ThreadEvent[]): void;
  end(how: TurnEnd | { readonly thrown: unknown }): void;
}

/**
 * Where it is told what runs do, besides the log. Nothing leaks through: whatever it throws is ignored, nothing waits
 * for it, and it changes neither an event nor what runs.
 */
export interface Telemetry {
  /** `null`: nobody wants to know of this turn, and nothing more is told of it. */
  startTurn(turn: TurnFacts): TurnTelemetry | null;
  /** Sends what has been told and not sent yet. */
  flush?(): Promise<void>;
}
