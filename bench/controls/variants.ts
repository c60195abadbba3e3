// What is compared, and by what each control is switched off: by the product's own options where there are any, and where
// there are none by an adapter, said here and in docs/controls.md.
import { z } from "zod";
import { HoldpointError } from "../../src/core/errors.ts";
import {
  type GatedAction,
  type GateOutcome,
  type GatePolicy,
  isHoldpointError,
  type Json,
  type LimitOptions,
  type Model,
  type ModelOutput,
  type Schema,
  type Tool,
  type WindowOptions,
} from "../../src/index.ts";
import { Killed } from "./task-run.ts";

export type VariantName =
  | "bare loop"
  | "no gate"
  | "no validation"
  | "no window"
  | "no error compaction"
  | "no limits"
  | "no durability"
  | "all on";

/** How the agent of a variant differs from that with all controls on. */
export interface Variant {
  readonly name: VariantName;
  /** A process that is killed goes on from its log; else the task begins again. */
  readonly resumes: boolean;
  readonly gate: GatePolicy;
  readonly limits: LimitOptions;
  readonly window: WindowOptions;
  /** Bytes from which a value is kept beside the log. */
  readonly artifactBytes?: number;
  readonly answer: Schema;
  readonly adapt: (model: Model) => Model;
  readonly change: (tool: Tool) => Tool;
}

/** Refunds up to this are made without asking, as at the example's desk. */
export const smallRefundCents = 2_000;

function decideRefund({ tool, args }: GatedAction): GateOutcome | undefined {
  if (tool !== "issue_refund") return undefined; // as its risk says
  const cents = typeof args === "object" && args !== null && "cents" in args ? args.cents : null;
  return typeof cents === "number" && cents <= smallRefundCents
    ? { kind: "allow" }
    : { kind: "hold", reason: "a large refund" };
}

export const answerSchema = z.object({
  outcome: z.enum(["resolved", "needs_person"]),
  summary: z.string().min(1).max(500),
});

const allOn: Variant = {
  name: "all on",
  resumes: true,
  gate: { approvers: ["role:support-lead"], expiresIn: "30d", decide: decideRefund },
  limits: { steps: 30 },
  window: {},
  answer: answerSchema,
  adapt: (model) => model,
  change: (tool) => tool,
};

const endless = 1e12;

/** All but the bare loop, which is no agent of Holdpoint's. */
export const variants: readonly Variant[] = [
  { ...allOn, name: "no gate", gate: { decide: () => ({ kind: "allow" }) } },
  {
    ...allOn,
    name: "no validation",
    answer: anything(z.toJSONSchema(answerSchema, { io: "input" })),
    adapt: takingAll,
    change: (tool) => ({ ...tool, input: anything(tool.inputSchema), inputSchema: open(tool.inputSchema) }),
  },
  {
    ...allOn,
    name: "no window",
    window: { budget: endless, shrink: [] },
    artifactBytes: endless,
    adapt: notRecognisingOverflow,
  },
  { ...allOn, name: "no error compaction", change: tellingErrors },
  {
    ...allOn,
    name: "no limits",
    limits: {
      steps: endless,
      tokens: endless,
      activeTime: endless,
      attemptsPerTool: endless,
      identicalCalls: endless,
      invalidOutputs: endless,
      modelFailures: endless,
    },
  },
  { ...allOn, name: "no durability", resumes: false },
  allOn,
];

export const variantNames: readonly VariantName[] = ["bare loop", ...variants.map(({ name }) => name)];

/** A schema that describes and accepts whatever comes. */
function anything(described: unknown): Schema {
  return {
    "~standard": {
      version: 1,
      vendor: "none",
      validate: (value) => ({ value }),
      jsonSchema: { input: () => open(described) as Record<string, unknown> }, // a JSON Schema of an object
    },
  };
}

/** What a model adds is let through as well. */
function open(schema: unknown): Json {
  return { ...(schema as { readonly [name: string]: Json }), additionalProperties: true }; // of an object
}

/**
 * Takes what comes as a loop does: cut-off and refused outputs as whole ones, text as the answer, calls beside an answer
 * first. What is no JSON, and tools that do not exist, Holdpoint refuses all the same: there is nothing to run.
 */
function takingAll(model: Model): Model {
  return {
    id: model.id,
    generate: async (input, options) => {
      const output = await model.generate(input, options);
      return input.tools.length === 0 ? output : { ...output, ...taken(output), finish: "calls" };
    },
  };
}

function taken({ text, calls }: ModelOutput): Pick<ModelOutput, "text" | "calls"> {
  if (calls.length === 0) {
    const args = { outcome: "resolved", summary: text };
    return { text: "", calls: [{ callId: "text", tool: "answer", args }] };
  }
  const actions = calls.filter(({ tool }) => tool !== "answer");
  const used = actions.length > 0 ? actions : calls.slice(0, 1);
  return { text, calls: used.map((call, index) => ({ ...call, callId: `${call.callId}_${index}` })) };
}

/** An overflow is an error like any other, and what was read is not reported: nothing makes the window smaller. */
function notRecognisingOverflow(model: Model): Model {
  return {
    id: model.id,
    generate: async (input, options) => {
      try {
        const { usage: _, ...output } = await model.generate(input, options);
        return output;
      } catch (error) {
        if (isHoldpointError(error, "model_overflow"))
          throw new HoldpointError("model_failed", error.message);
        throw error;
      }
    },
  };
}

/** A tool that fails gives its stack as its result, as tools with a `catch` of their own do: it counts as no failure. */
function tellingErrors(tool: Tool): Tool {
  return {
    ...tool,
    run: async (args, context) => {
      try {
        return await tool.run(args, context);
      } catch (error) {
        if (error instanceof Killed || !(error instanceof Error)) throw error;
        return { error: error.stack };
      }
    },
  };
}
