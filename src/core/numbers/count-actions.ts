// I5, checked from outside: of every critical action the log must hold an approval of exactly what started.
import type { EventOf } from "../events.ts";
import type { CountedAction } from "./counted-action.ts";
import type { Fact, FactKind } from "./facts.ts";

type ActionEvent = EventOf<
  "action_proposed" | "action_denied" | "action_started" | "action_flagged" | "request_decided"
>;

/** What an event about an action adds. `at` is its time in milliseconds since the epoch. */
export function countAction(
  actions: Map<string, CountedAction>,
  event: ActionEvent,
  at: number,
): readonly Fact[] {
  const action = actions.get(event.key);
  switch (event.type) {
    case "action_proposed":
      return propose(actions, action, event, at);
    case "action_denied":
      return [{ seq: event.seq, at, kind: `denied_${event.deniedBy}`, amount: 1 }];
    case "request_decided":
      if (action && (event.verdict.kind === "approve" || event.verdict.kind === "edit"))
        action.approval = { digest: event.digest, isUsed: false };
      return [];
    case "action_started":
      return action ? start(action, event, at) : [];
    case "action_flagged":
      return [{ seq: event.seq, at, kind: "flagged", amount: 1 }, ...(action ? misoperation(action) : [])];
    default:
      return event satisfies never;
  }
}

function propose(
  actions: Map<string, CountedAction>,
  known: CountedAction | undefined,
  { key, seq, gate, risk }: EventOf<"action_proposed">,
  at: number,
): readonly Fact[] {
  const isHeld = gate.kind === "hold";
  if (!known && !isHeld && risk !== "high") return [];
  const wasHeld = known?.isHeld ?? false;
  const action = known ?? newAction(key);
  actions.set(key, action);
  action.isHeld ||= isHeld;
  action.isAllowed = gate.kind === "allow";
  return isHeld && !wasHeld ? [{ seq, at, kind: "held", amount: 1 }] : [];
}

function newAction(key: string): CountedAction {
  const facts = { firstStart: null, isUnapproved: false, isMisoperation: false };
  return { key, isHeld: false, isAllowed: false, approval: null, ...facts };
}

function start(
  action: CountedAction,
  { seq, attempt, digest }: EventOf<"action_started">,
  at: number,
): readonly Fact[] {
  const isFirst = action.firstStart === null;
  action.firstStart ??= { seq, at };
  const { approval } = action;
  const isApproved = approval !== null && approval.digest === digest && (!approval.isUsed || attempt > 1);
  if (approval && isApproved) approval.isUsed = true;
  const isAllowed = !isApproved && action.isAllowed;
  return [
    ...(isFirst ? startFact(action, "critical") : []),
    ...(isFirst && isAllowed ? startFact(action, "critical_allowed") : []),
    ...(isApproved || isAllowed ? [] : unapproved(action)),
  ];
}

function unapproved(action: CountedAction): readonly Fact[] {
  if (action.isUnapproved) return [];
  action.isUnapproved = true;
  return [...startFact(action, "critical_unapproved"), ...misoperation(action)];
}

/** Once for an action, however many reasons there are: it counts where the action does. */
function misoperation(action: CountedAction): readonly Fact[] {
  if (action.isMisoperation || action.firstStart === null) return [];
  action.isMisoperation = true;
  return startFact(action, "misoperation");
}

function startFact({ firstStart }: CountedAction, kind: FactKind): readonly Fact[] {
  return firstStart === null ? [] : [{ ...firstStart, kind, amount: 1 }];
}
