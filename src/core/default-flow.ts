import { HoldpointError } from "./errors.ts";
import type { FlowContext } from "./flow.ts";

/**
 * The whole agent loop, for an agent without a flow of its own: the model decides, code acts, until there is an
 * answer. Copy it and change it: checks between steps, several prompts, questions to people, other ends.
 *
 * What bounds it is not here: `limits` end in a question to a person, the gate holds what is risky, failed and denied
 * actions come back as results that the model sees.
 */
export async function defaultFlow(t: FlowContext, _input: unknown): Promise<unknown> {
  for (;;) {
    const next = await t.decide();
    switch (next.kind) {
      case "answer":
        return next.value; // validated by the agent's `output`
      case "calls":
        await t.act(next.calls);
        break;
      default:
        throw new HoldpointError(
          "internal",
          `a decision of an unknown kind: ${JSON.stringify(next satisfies never)}`,
        );
    }
  }
}
