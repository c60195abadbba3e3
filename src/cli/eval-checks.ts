// What is looked at before the first trial, so that it is not found out in each.
import { defaultFlow } from "../core/default-flow.ts";
import { agentProblems } from "../eval/agent-problems.ts";
import type { EvalCase } from "../eval/suite.ts";
import type { SuiteProblem } from "../eval/suite-problems.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { validateWithin } from "../runtime/validate-within.ts";
import type { Context } from "./context.ts";
import type { EvalModels } from "./eval-models.ts";
import type { ChosenSuite } from "./eval-suite.ts";
import type { LookedAt } from "./eval-worlds.ts";

/** Agents, tools and inputs, before anything runs. @throws `suite_invalid` */
export async function checkSuite(
  { signal }: Context,
  { suite, whole, refuse }: ChosenSuite,
  { agents, agentOf }: LookedAt,
): Promise<void> {
  const problems: SuiteProblem[] = [...agentProblems(whole, agentOf, agents)];
  for (const each of suite.cases) {
    const agent = agentOf(each);
    if (!agent?.input) continue;
    const validation = await validateWithin(systemClock, signal)(agent.input, each.input);
    if (validation.ok) continue;
    const path = ["cases", whole.cases.indexOf(each), "input"];
    problems.push({
      path,
      message: `the input is not valid for agent ${agent.name}: ${validation.why}`,
      fix: "Give input that fits the agent's input schema.",
    });
  }
  if (problems.length > 0) throw refuse(problems);
}

/** @throws `model_unavailable`, `model_not_installed`: before the first trial, and not in each. */
export async function checkModels(
  models: EvalModels,
  { agentOf }: LookedAt,
  cases: readonly EvalCase[],
): Promise<void> {
  for (const agent of new Set(cases.map(agentOf))) {
    if (!agent || (agent.model === undefined && agent.flow !== defaultFlow)) continue;
    if (models.called === "own") await models.resolver.check(agent.model);
    if (models.called === "named") await models.resolver.check(models.name);
  }
}
