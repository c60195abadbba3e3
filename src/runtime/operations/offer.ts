import type { Agent } from "../../core/agent.ts";
import { readerName } from "../../core/artifact-ref.ts";
import type { Offer } from "../../core/encodings/encoding.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { DecideOptions } from "../../core/flow.ts";
import { jsonSchemaOf } from "../../core/schema.ts";
import type { ModelTool } from "../../core/window/model-input.ts";
import { toolNamed } from "../built-in-tools.ts";
import type { Redactor } from "../redact.ts";

/** By agent, or by the schema of one decision's answer: the same object each time is put into words and counted once. */
type Offers = WeakMap<object, Map<string, Offer>>;

/** Of each runtime, which has secrets of its own. */
const known = new WeakMap<Redactor, Offers>();

/**
 * What a model may do at one decision: call the tools that the options name, or all of the agent's, or answer; from the
 * first value on that a thread's windows show by reference, also read it, unless the options name the tools. A decision with an `output` of its own is an answer and nothing else.
 *
 * @throws `tool_unknown`
 */
export function offerFor(
  agent: Agent,
  { output, tools }: DecideOptions,
  { readsReferences, redact }: { readonly readsReferences: boolean; readonly redact: Redactor },
): Offer {
  if (output) {
    return kept(redact, output, "", () => ({
      tools: [],
      answer: jsonSchemaOf(output, "the output of t.decide()"),
    }));
  }
  const own = [...agent.tools.keys()];
  const names = tools ?? (readsReferences && !agent.tools.has(readerName) ? [...own, readerName] : own);
  return kept(redact, agent, names.join(" "), () => ({
    tools: names.map((name) => modelTool(agent, name)),
    answer: agent.outputSchema ?? null,
  }));
}

/** I11. What tools and schemas say of themselves goes out and into the log: without secrets. */
function kept(redact: Redactor, owner: object, id: string, make: () => Offer): Offer {
  const offers: Offers = known.get(redact) ?? new WeakMap();
  known.set(redact, offers);
  const byId = offers.get(owner) ?? new Map<string, Offer>();
  offers.set(owner, byId);
  const offer = byId.get(id) ?? redact.value(make());
  byId.set(id, offer);
  return offer;
}

function modelTool(agent: Agent, name: string): ModelTool {
  const tool = toolNamed(agent, name);
  if (tool) return { name, description: tool.description, inputSchema: tool.inputSchema };
  throw new HoldpointError(
    "tool_unknown",
    `t.decide() offers "${name}", which agent ${agent.name} does not have`,
    { fix: `Tools of ${agent.name}: ${[...agent.tools.keys()].join(", ") || "none"}.` },
  );
}
