import type { VerdictKind } from "../core/events.ts";
import type { RequestRow } from "../ports/store.ts";
import { formatDistance, formatJson, formatTime, line, shellWord } from "./format.ts";
import type { Paint } from "./screen.ts";

export interface RequestView {
  readonly paint: Paint;
  readonly now: number;
  /** Options to repeat in the commands shown. */
  readonly sameOptions: string;
}

/** A person decides on what is shown, so the arguments are shown whole, up to what a screen can hold. */
const argumentsLength = 4_000;

/** A request for people: what is asked, why, until when, and the commands that answer it. */
export function describeRequest(row: RequestRow, view: RequestView): readonly string[] {
  const { opened, requestId, threadId, agent } = row;
  const { paint, now } = view;
  const { action, approvers, expiresAt, why } = opened;
  const details = [
    ...(action ? [`${line(action.tool, 80)} ${formatJson(action.args, argumentsLength)}`] : []),
    `why: ${line(why, 400)}${action?.risk === undefined ? "" : `; risk ${action.risk}`}`,
    `thread ${threadId}, agent ${line(agent, 80)}, asked ${formatDistance(opened.at, now)}${deadline(expiresAt, now)}`,
    ...(approvers.length > 0 ? [`for ${approvers.map((approver) => line(approver, 80)).join(", ")}`] : []),
    ...(opened.answerSchema === undefined ? [] : [`the answer must fit ${formatJson(opened.answerSchema, 400)}`]),
    ...answers(row).map((command) => paint("cyan", `holdpoint ${command}${view.sameOptions}`)),
  ];
  const head = `${paint("bold", requestId)}  ${paint("yellow", opened.kind)}  ${line(opened.question, 1_000)}`;
  return [head, ...details.map((detail) => `    ${detail}`)];
}

function deadline(expiresAt: string | null, now: number): string {
  return expiresAt === null ? "" : `, no answer by ${formatTime(expiresAt)} UTC (${formatDistance(expiresAt, now)}) is a rejection`;
}

/** The commands that give each verdict which the request takes. */
function answers({ requestId, threadId, opened }: RequestRow): readonly string[] {
  const action = shellWord(opened.key);
  const commands: { readonly [Kind in VerdictKind]: string } = {
    approve: `approve ${requestId}`,
    edit: `approve ${requestId} --edit '{…}'`,
    reject: `reject ${requestId} --why '…'`,
    answer: `answer ${requestId} '…'`,
    continue: `answer ${requestId} continue`,
    stop: `answer ${requestId} stop`,
    done: `resolve ${threadId} ${action} --done '{…}'`,
    not_done: `resolve ${threadId} ${action} --not-done --why '…'`,
  };
  return opened.choices.map((choice) => commands[choice]);
}
