// What a person is shown before they decide: the same facts on every channel, from the very bytes that will run.
import type { EventOf, RequestKind, VerdictKind } from "./events.ts";
import { visible } from "./visible.ts";

/** A request as lists and channels have it. */
export interface ViewedRequest {
  readonly requestId: string;
  readonly threadId: string;
  readonly agent: string;
  readonly opened: EventOf<"request_opened">;
}

export interface RequestField {
  readonly label: string;
  /** One line, or several; nothing in it is invisible or obeyed by a terminal. Markup is for the channel to escape. */
  readonly text: string;
}

export interface RequestView {
  /** Such as `Approval needed`. */
  readonly title: string;
  readonly question: string;
  readonly fields: readonly RequestField[];
  readonly choices: readonly { readonly kind: VerdictKind; readonly label: string }[];
}

const titles: { readonly [Kind in RequestKind]: string } = {
  approval: "Approval needed",
  question: "Question",
  escalation: "Help needed",
};

const atDeadline: { readonly [Kind in RequestKind]: string } = {
  approval: "without an answer by then it is rejected",
  question: "without an answer by then it goes unanswered",
  escalation: "without an answer by then the thread fails",
};

const choiceLabels: { readonly [Kind in VerdictKind]: string } = {
  approve: "Approve: run exactly this, once",
  edit: "Edit the arguments, then run it",
  reject: "Reject",
  answer: "Answer",
  continue: "Continue",
  stop: "Stop the thread",
  done: "It happened",
  not_done: "It did not happen",
};

/** A request for people: what is asked, of whom, why, until when, and exactly what would run. */
export function viewRequest({ requestId, threadId, agent, opened }: ViewedRequest): RequestView {
  const { kind, approvers, expiresAt, evidence } = opened;
  return {
    title: titles[kind],
    question: visible(opened.question),
    fields: [
      field("agent", agent),
      field("thread", threadId),
      field("request", requestId),
      field("why", opened.why),
      ...(evidence === undefined ? [] : [field("evidence", evidence)]),
      ...(approvers.length === 0 ? [] : [field("approvers", approvers.join(", "))]),
      field("deadline", expiresAt === null ? "none" : `${expiresAt}; ${atDeadline[kind]}`),
      ...actionFields(opened.action),
    ],
    choices: opened.choices.map((choice) => ({ kind: choice, label: choiceLabels[choice] })),
  };
}

function actionFields(action: EventOf<"request_opened">["action"]): readonly RequestField[] {
  if (action === undefined) return [];
  const { tool, toolVersion, risk, args, digest } = action;
  return [
    field("tool", `${tool}, version ${toolVersion}, risk ${risk ?? "not declared"}`),
    field("digest", digest),
    field("arguments", JSON.stringify(args, null, 2)),
  ];
}

function field(label: string, text: string): RequestField {
  return { label, text: visible(text) };
}
