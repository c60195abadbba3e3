import { event, type VerdictKind } from "../../core/events.ts";
import type { LimitHit } from "../../core/limits.ts";
import { append, escalate, type Plan, type PlanContext } from "./plan.ts";

/** A limit is reached: the log says which, and a person says whether the same allotment is granted again. */
export function limitReached(
  context: PlanContext,
  key: string,
  hit: LimitHit,
  choices: readonly VerdictKind[] = ["continue", "stop"],
): Plan {
  const why = `${hit.scope} reached ${hit.value} of ${hit.max}`;
  return append(
    event("limit_reached", { key, ...hit }),
    escalate(
      context,
      key,
      "limit",
      why,
      `The limit of ${hit.scope} (${hit.max}) is reached. Go on?`,
      choices,
    ),
  );
}
