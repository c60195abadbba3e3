// What a person is shown before they decide: the same facts on every channel, from the very bytes that will run.
import { mostLeaves } from "./argument-sources.ts";
import type { ArgumentSource, EventOf, RequestKind, VerdictKind, Vote } from "./events.ts";
import { lookAlikes, mostWords } from "./look-alikes.ts";
import { utcTime } from "./utc-time.ts";
import { visible } from "./visible.ts";

/** A request as lists and channels have it. */
export interface ViewedRequest {
  readonly requestId: string;
  readonly threadId: string;
  readonly agent: string;
  readonly opened: EventOf<"request_opened">;
  /** Who may decide by now. Default: those of the opening. */
  readonly approvers?: readonly string[];
  readonly votes?: readonly Vote[];
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

/**
 * A request for people, in the order in which they need it: why they are asked, exactly what would run, what led to it,
 * who decides until when; ids come last.
 */
export function viewRequest(request: ViewedRequest): RequestView {
  const { requestId, threadId, agent, opened } = request;
  const { kind, expiresAt, evidence, again, soFar } = opened;
  return {
    title: titles[kind],
    question: visible(opened.question),
    fields: [
      field("why", opened.why),
      ...(again === undefined ? [] : [field("again", `it was decided before; ${again}`)]),
      ...(evidence === undefined ? [] : [field("evidence", evidence)]),
      ...actionFields(opened),
      ...(soFar === undefined ? [] : [field("so far", soFar.join("\n"))]),
      ...requesterFields(opened),
      ...approverFields(request),
      field("deadline", expiresAt === null ? "none" : `${utcTime(expiresAt)}; ${atDeadline[kind]}`),
      field("agent", agent),
      field("thread", threadId),
      field("request", requestId),
      ...(opened.action === undefined ? [] : [field("digest", opened.action.digest)]),
    ],
    choices: opened.choices.map((choice) => ({ kind: choice, label: choiceLabels[choice] })),
  };
}

type Opened = EventOf<"request_opened">;

function requesterFields({ requesters = [], requesterMayDecide = true }: Opened): readonly RequestField[] {
  if (requesters.length === 0) return [];
  return [field("requester", `${requesters.join(", ")}${requesterMayDecide ? "" : "; may not decide"}`)];
}

function approverFields({
  opened,
  approvers = opened.approvers,
  votes = [],
}: ViewedRequest): readonly RequestField[] {
  const { quorum = 1 } = opened;
  const given = votes.length === 0 ? "none yet" : votes.map(({ by, via }) => `${by} (${via})`).join(", ");
  return [
    ...(approvers.length === 0 ? [] : [field("approvers", approvers.join(", "))]),
    ...(quorum === 1 ? [] : [field("approvals", `${votes.length} of ${quorum}: ${given}`)]),
  ];
}

function actionFields({ action, preview, sources, byCode = false }: Opened): readonly RequestField[] {
  if (action === undefined) return [];
  const { tool, toolVersion, risk, args } = action;
  const json = JSON.stringify(args, null, 2);
  const alike = lookAlikes(json);
  return [
    field("tool", `${tool}, version ${toolVersion}, risk ${risk ?? "not declared"}`),
    field("arguments", json),
    ...(alike.length === 0 ? [] : [field("look-alikes", listed(alike, mostWords, "words are listed"))]),
    ...(preview === undefined ? [] : [field("effect", preview.text ?? `no preview: ${preview.failed}`)]),
    ...(sources === undefined
      ? []
      : [field("sources", listed(sources.map(sourceLine(byCode)), mostLeaves, "values are looked up"))]),
  ];
}

/** Nothing hides behind as many decoys as a list takes. */
function listed(lines: readonly string[], most: number, what: string): string {
  return [...lines, ...(lines.length < most ? [] : [`… only the first ${most} ${what}`])].join("\n");
}

function sourceLine(byCode: boolean): (source: ArgumentSource) => string {
  const author = byCode ? "the agent's code" : "the model";
  return ({ path, found, filledIn = false }) => {
    if (found) return `${pathText(path)}: event ${found.seq}, ${oneLine(found.from)}`;
    return `${pathText(path)}: ${filledIn ? "filled in by the tool's schema" : `not found in the log: ${author} wrote it`}`;
  };
}

/** A name with a colon in it must not say where it comes from. */
function pathText(path: string): string {
  return /^[\p{L}\p{N}_.()[\]-]+$/u.test(path) ? path : JSON.stringify(path);
}

/** A name with a line break in it must not make a line of its own. */
function oneLine(text: string): string {
  return text.replaceAll("\n", "\\n");
}

function field(label: string, text: string): RequestField {
  return { label, text: visible(text) };
}
