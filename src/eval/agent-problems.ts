// What a suite says of agents and tools that are not there.
import type { Agent } from "../core/agent.ts";
import { readerName } from "../core/artifact-ref.ts";
import { globPattern } from "../core/glob-pattern.ts";
import { nearest } from "../core/nearest.ts";
import type { ActionExpectation, EvalCase, EvalSuite } from "./suite.ts";
import type { SuitePath, SuiteProblem } from "./suite-problems.ts";

/** @param agentOf the agent of a case; `null` for none. */
export function agentProblems(
  suite: EvalSuite,
  agentOf: (each: EvalCase) => Agent | null,
  known: readonly Agent[],
): readonly SuiteProblem[] {
  const tools = new Set(known.flatMap((agent) => [...agent.tools.keys()]));
  const unknownIn = (
    named: string | undefined,
    path: SuitePath,
    own: Iterable<string>,
  ): readonly SuiteProblem[] => unknownTool(named, path, [...own, ...tools]);
  const ofParts = (
    { people = [], never = [] }: Pick<EvalSuite, "people" | "never">,
    path: SuitePath,
    own: Iterable<string>,
  ): readonly SuiteProblem[] => [
    ...people.flatMap((rule, index) => unknownIn(rule.tool, [...path, "people", index, "tool"], own)),
    ...never.flatMap((rule, index) =>
      unknownIn("tool" in rule ? rule.tool : undefined, [...path, "never", index, "tool"], own),
    ),
  ];
  return [
    ...ofParts(suite, [], []),
    ...suite.cases.flatMap((each, index) => {
      const path = ["cases", index];
      const agent = agentOf(each);
      if (!agent)
        return [
          unknownAgent(
            each.agent ?? suite.agent ?? "",
            each.agent === undefined ? ["agent"] : [...path, "agent"],
            known,
          ),
        ];
      const own = agent.tools.keys();
      return [
        ...ofParts(each, path, own),
        ...(each.expect?.actions ?? []).flatMap((action, at) =>
          actionTools(action, [...path, "expect", "actions", at], unknownIn),
        ),
      ];
    }),
  ];
}

function actionTools(
  action: ActionExpectation,
  path: SuitePath,
  unknownIn: (named: string | undefined, path: SuitePath, own: readonly string[]) => readonly SuiteProblem[],
): readonly SuiteProblem[] {
  return (["tool", "before", "after"] as const).flatMap((member) =>
    unknownIn(action[member], [...path, member], []),
  );
}

/** Built in: offered to agents whose windows show values by reference. */
const builtIn = [readerName];

function unknownTool(
  named: string | undefined,
  path: SuitePath,
  tools: readonly string[],
): readonly SuiteProblem[] {
  if (named === undefined) return [];
  const all = [...new Set([...tools, ...builtIn])];
  if (all.some((tool) => globPattern(named).test(tool))) return [];
  const near = nearest(named, all);
  const hint = near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : "";
  return [
    {
      path,
      message: `no agent here has a tool ${JSON.stringify(named)}`,
      fix: `${hint}There are: ${all.join(", ")}.`,
    },
  ];
}

function unknownAgent(named: string, path: SuitePath, known: readonly Agent[]): SuiteProblem {
  const names = known.map(({ name }) => name);
  const near = nearest(named, names);
  return {
    path,
    message: `there is no agent ${JSON.stringify(named)} here`,
    fix: `${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}${names.length > 0 ? `There are: ${names.join(", ")}.` : "Name its file, such as agent: ./agent.ts."}`,
  };
}
