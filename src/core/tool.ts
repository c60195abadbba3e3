import { type Duration, durationMs } from "./duration.ts";
import { answerName } from "./encodings/encoding.ts";
import { type ErrorInfo, HoldpointError } from "./errors.ts";
import type { Effect, Risk } from "./events.ts";
import type { Json } from "./json.ts";
import { jsonSchemaOf, type Schema } from "./schema.ts";

/** What a tool is handed besides its arguments. */
export interface RunContext {
  readonly threadId: string;
  /** From 1. Above 1 only for tools that may run again (I4). */
  readonly attempt: number;
  /** The same for every attempt of one action; hand it to services that know idempotency keys. */
  readonly idempotencyKey: string;
  /** Aborts on timeout, cancellation and shutdown. */
  readonly signal: AbortSignal;
  /** The value of this thread that a reference (`art_…`) names; the tool's own copy. @throws `artifact_missing` */
  readonly artifact: <T = Json>(ref: string) => Promise<T>;
}

/** What a preview is handed besides the arguments. */
export type PreviewContext = Pick<RunContext, "threadId" | "signal" | "artifact">;

/** What `verify` found out about an action in doubt. */
export type Verification =
  | { readonly happened: true; readonly value: unknown }
  | { readonly happened: false }
  | { readonly happened: "unknown"; readonly why?: string };

export interface ToolDefinition<Args, Name extends string = string, Input = unknown, Value = unknown> {
  /** Letters, digits, `_` and `-`; at most 64. Providers take no others. */
  readonly name: Name;
  readonly description: string;
  /** Change it when the tool comes to mean something else: open approvals are then asked for again (I5). Default "1". */
  readonly version?: string;
  readonly input: Schema<Args, Input>;
  /** Undeclared is held (I5). */
  readonly risk?: Risk;
  /** Default `once`, the careful one. */
  readonly effect?: Effect;
  /** Default 60 s. A `once` tool that times out is in doubt. */
  readonly timeout?: Duration;
  readonly run: (args: Args, context: RunContext) => Value | Promise<Value>;
  /**
   * What the model is shown of a result: text as it is, anything else as JSON. A pure function of the value as the log
   * keeps it (dates are strings there); it must not change it. What it leaves out stays in the log, within reach by
   * reference. Where it throws, or gives nothing that can be shown, the value itself is shown.
   */
  readonly show?: (value: Value, args: Args) => unknown;
  /**
   * Says what running it would do, for whoever is asked to approve it: text, or a value that is shown as JSON, of which
   * the first 1,000 characters are kept. It only reads, and has 5 s. When it fails the request says so, and is asked.
   */
  readonly preview?: (args: Args, context: PreviewContext) => unknown;
  /** Says after a crash whether an action took place (I4). */
  readonly verify?: (args: Args, context: RunContext) => Verification | Promise<Verification>;
  /**
   * Says in one sentence what a failure means, and what to do instead: it stands for cause and hint in what the model
   * sees. `null` leaves them as they are, and so does a hook that throws. Pure: it is called again for every window.
   */
  readonly explain?: (error: ErrorInfo, args: Args) => string | null;
}

/** A tool whose argument type is forgotten: what an agent holds. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly input: Schema;
  readonly inputSchema: Json;
  readonly risk: Risk | undefined;
  readonly effect: Effect;
  readonly timeoutMs: number;
  readonly run: (args: Json, context: RunContext) => unknown;
  readonly show: ((value: Json, args: Json) => unknown) | undefined;
  readonly preview: ((args: Json, context: PreviewContext) => unknown) | undefined;
  readonly verify: ((args: Json, context: RunContext) => Verification | Promise<Verification>) | undefined;
  readonly explain: ((error: ErrorInfo, args: Json) => string | null) | undefined;
}

/** A tool that remembers its name and what it takes, for `t.act(tool, args)` and for the calls of `t.decide()`. */
export interface TypedTool<Args, Name extends string = string, Input = unknown> extends Tool {
  readonly name: Name;
  readonly "~args"?: Args;
  /** The arguments as they are asked for, before defaults and coercion; `unknown` where the schema does not say. */
  readonly "~input"?: Input;
}

/**
 * Defines a tool. Its arguments are validated by `input` before anything else looks at them.
 *
 * @throws `tool_invalid` for a name that providers refuse, a schema without JSON Schema, a risk or an effect that does
 *   not exist, or a hook that is no function.
 */
export function tool<Args, const Name extends string = string, Input = unknown, Value = unknown>(
  definition: ToolDefinition<Args, Name, Input, Value>,
): TypedTool<Args, Name, Input> {
  const { name, description, input } = definition;
  const isTaken = name === answerName || name in Object.prototype; // providers' packages look names up in objects
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name) || isTaken) {
    throw new HoldpointError("tool_invalid", `"${name}" cannot be a tool's name`, {
      fix: `Use 1 to 64 letters, digits, _ and -, and neither "${answerName}" nor a word like "toString".`,
    });
  }
  checkWord(name, "risk", definition.risk, risks);
  checkWord(name, "effect", definition.effect, effects);
  checkHooks(definition);
  return Object.freeze({
    name,
    description,
    version: definition.version ?? "1",
    input,
    inputSchema: jsonSchemaOf(input, `tool ${name}`),
    risk: definition.risk,
    effect: definition.effect ?? "once",
    timeoutMs: durationMs(definition.timeout ?? "60s"),
    // The runtime calls these with arguments that `input` has validated, so they are an Args.
    run: definition.run as Tool["run"],
    show: definition.show as Tool["show"], // with a value that `run` returned, as JSON
    preview: definition.preview as Tool["preview"],
    verify: definition.verify as Tool["verify"],
    explain: definition.explain as Tool["explain"],
  });
}

const risks: readonly Risk[] = ["low", "medium", "high"];
const effects: readonly Effect[] = ["read", "repeatable", "once"];

/** Plain JavaScript has no types that would say so; a risk that is mistyped must not pass for a harmless one (I5). */
function checkWord(tool: string, member: string, given: string | undefined, known: readonly string[]): void {
  if (given === undefined || known.includes(given)) return;
  throw new HoldpointError("tool_invalid", `tool ${tool}: there is no ${member} ${JSON.stringify(given)}`, {
    fix: `Use one of: ${known.join(", ")}.`,
  });
}

function checkHooks<Args, Name extends string, Input, Value>(
  definition: ToolDefinition<Args, Name, Input, Value>,
): void {
  for (const hook of ["run", "show", "preview", "verify", "explain"] as const) {
    const given: unknown = definition[hook];
    if (typeof given === "function" || (given === undefined && hook !== "run")) continue;
    throw new HoldpointError("tool_invalid", `tool ${definition.name}: its ${hook} is no function`, {
      fix: hook === "run" ? "Give a function of the arguments." : "Give a function, or leave it out.",
    });
  }
}
