// The people of the simulation. They know the truth, also what has happened by now, and err at a given rate: better
// informed than real ones, and never tired.
import { isDeepStrictEqual } from "node:util";
import type { RequestRow, Verdict } from "../../src/index.ts";
import { isWanted } from "./judge.ts";
import { countUp, type TaskRun } from "./task-run.ts";

/** So often a person says `continue`, or denies a call that goes in a circle; then they stop the thread. */
const patience = 2;
/** How long they take: 5 minutes, two thirds of the times between 2 and 14. */
const [medianMs, spread] = [300_000, 1];

export function thinkingMs({ task, draws, asked }: TaskRun): number {
  return draws.takesMs(draws.key(task.number, `person ${asked}`), medianMs, spread);
}

export function verdictOn(run: TaskRun, { opened }: Pick<RequestRow, "opened">): Verdict {
  if (opened.kind === "question") return { kind: "answer", value: "Please end with needs_person." };
  if (opened.kind === "escalation") return escalated(run, opened);
  const { tool = "", args } = opened.action ?? {};
  return judged(run, { tool, args });
}

function escalated(run: TaskRun, { reason, choices }: RequestRow["opened"]): Verdict {
  const times = countUp(run.requests, `escalation ${reason}`);
  if (run.isRunaway || times > patience) return { kind: "stop", why: "enough" };
  return choices.includes("reject") ? { kind: "reject", why: "this was done before" } : { kind: "continue" };
}

function judged(run: TaskRun, action: { readonly tool: string; readonly args: unknown }): Verdict {
  const { task, draws, effects, requests, approved } = run;
  const what = `${action.tool} ${JSON.stringify(action.args)}`;
  const errs = draws.approverErrs(task.number, what, countUp(requests, what));
  if (isWanted(task.wanted, effects, action) === errs)
    return { kind: "reject", why: "not what was asked for" };
  approved.push(action);
  return { kind: "approve" };
}

/** Takes one approval of exactly this, when there is one. */
export function useApproval(
  approved: TaskRun["approved"],
  action: { readonly tool: string; readonly args: unknown },
): boolean {
  const place = approved.findIndex(
    ({ tool, args }) => tool === action.tool && isDeepStrictEqual(args, action.args),
  );
  if (place >= 0) approved.splice(place, 1);
  return place >= 0;
}
