import { event, type VerdictKind } from "../../core/events.ts";
import { type LimitHit, openAtLimit } from "../../core/limits.ts";
import { append, escalate, type Plan, type PlanContext, wait } from "./plan.ts";

/**
 * A limit is reached: the log says which, and a person says whether the same allotment is granted again. The active time
 * is the whole thread's: one request stands for all operations that it stops.
 */
export function limitReached(
  context: PlanContext,
  key: string,
  hit: LimitHit,
  choices: readonly VerdictKind[] = ["continue", "stop"],
): Plan {
  if (hit.limit === "activeTime") {
    if (context.askedLimits?.has(hit.limit) || openAtLimit(context.state, hit)) return wait;
    context.askedLimits?.add(hit.limit);
  }
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
