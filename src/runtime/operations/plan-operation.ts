import type { PendingOperation } from "../../core/flow.ts";
import { planAct } from "./act.ts";
import { planAsk } from "./ask.ts";
import { planCall } from "./call.ts";
import { planDecide } from "./decide.ts";
import { planNote } from "./note.ts";
import type { Plan, PlanContext } from "./plan.ts";
import { planRecorded, planStep } from "./step.ts";
import { planSleep, planWait } from "./wait.ts";

/** What to do next for an operation that the flow waits for. */
export function planOperation(context: PlanContext, operation: PendingOperation): Plan | Promise<Plan> {
  const known = context.state.operations.get(operation.key);
  switch (operation.kind) {
    case "step":
      return planStep(context, operation, known);
    case "now":
    case "random":
    case "uuid":
      return planRecorded(context, operation);
    case "note":
      return planNote(operation);
    case "decide":
      return planDecide(context, operation, known);
    case "act":
      return planAct(context, operation, known);
    case "ask":
      return planAsk(context, operation, known);
    case "sleep":
      return planSleep(context, operation, known);
    case "wait":
      return planWait(context, operation, known);
    case "call":
      return planCall(context, operation, known);
    default:
      return operation satisfies never;
  }
}
