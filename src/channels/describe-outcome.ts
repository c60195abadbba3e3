import type { VerdictKind } from "../core/events.ts";
import { utcTime } from "../core/utc-time.ts";
import { visible } from "../core/visible.ts";
import type { RequestRow } from "../ports/store.ts";

const did: { readonly [Kind in VerdictKind]: string } = {
  approve: "Approved",
  edit: "Approved with edited arguments",
  reject: "Rejected",
  answer: "Answered",
  continue: "Continued",
  stop: "Stopped",
  done: "Settled as done",
  not_done: "Settled as not done",
};

/** What stands, for whoever asks or clicks late: who decided what, when and how. Nothing in it is invisible. */
export function describeOutcome({ status, verdict, by, via, decidedAt, opened }: RequestRow): string {
  switch (status) {
    case "open":
      return "It is still open.";
    case "expired":
      return `It expired at ${opened.expiresAt === null ? "its deadline" : utcTime(opened.expiresAt)}: nobody answered in time.`;
    case "withdrawn":
      return "It was withdrawn: its thread has ended, and there is nothing left to decide.";
    case "decided":
      return `${verdict ? did[verdict.kind] : "Decided"} by ${visible(by ?? "somebody")} at ${decidedAt === null ? "some time" : utcTime(decidedAt)}, via ${visible(via ?? "")}${reasonOf(verdict)}`;
    default:
      return status satisfies never;
  }
}

/** What to tell whoever has just decided. A request that needs several approvals stays open until the last one. */
export function describeRecorded(request: RequestRow): string {
  if (request.status === "open") return "Recorded. It stays open until enough others have approved, too.";
  return `Recorded. ${describeOutcome(request)}`;
}

/** To the end of the sentence. */
function reasonOf(verdict: RequestRow["verdict"]): string {
  if (!verdict || !("why" in verdict) || !verdict.why) return ".";
  return `: ${visible(verdict.why)}${/[.!?]$/.test(verdict.why) ? "" : "."}`;
}
