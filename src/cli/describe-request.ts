import { type Principal, whyNotApprover } from "../core/approvers.ts";
import type { RequestKind, VerdictKind } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import { viewRequest } from "../core/request-view.ts";
import type { RequestRow } from "../ports/store.ts";
import type { Context } from "./context.ts";
import { formatCount, formatDistance, formatJson, formatTime, line, shellWord } from "./format.ts";
import { ownCommand } from "./own-command.ts";
import type { Paint } from "./screen.ts";

export interface RequestView {
  readonly paint: Paint;
  readonly now: number;
  /** The options to repeat in the commands that are shown. */
  readonly sameOptions: string;
  /** Who runs this command. */
  readonly principal: Principal;
  /** They said so themselves. */
  readonly isNamed: boolean;
}

/** How requests are shown to whoever runs this command. */
export function requestView({ screen, settings }: Context): RequestView {
  const { sameOptions, principal, roles, isNamed } = settings;
  const { paint } = screen;
  return { paint, now: Date.now(), sameOptions, principal: { id: principal, roles }, isNamed };
}

/** A person decides on what is shown, so the arguments are shown whole, up to what a screen can hold. */
const argumentsLength = 4_000;

/** A request for people: what is asked, why, until when, and the commands that answer it. */
export function describeRequest(row: RequestRow, view: RequestView): readonly string[] {
  const { opened, requestId, threadId, agent } = row;
  const { paint, now } = view;
  const { action, why } = opened;
  const details = [
    ...(action ? shownAction(action.tool, action.args) : []),
    `why: ${line(why, 400)}${action?.risk === undefined || why.includes(`risk is ${action.risk}`) ? "" : `; risk ${action.risk}`}`,
    ...(opened.evidence === undefined
      ? []
      : opened.evidence.split("\n").map((text) => `| ${line(text, 1_000)}`)),
    `thread ${threadId}, agent ${line(agent, 80)}, asked ${formatDistance(opened.at, now)}${deadline(row, now)}`,
    ...(row.approvers.length > 0
      ? [`for ${row.approvers.map((approver) => line(approver, 80)).join(", ")}`]
      : []),
    ...facts(row),
    ...(opened.answerSchema === undefined
      ? []
      : [`the answer must fit ${formatJson(withoutDialect(opened.answerSchema), 400)}`]),
    ...answers(row).map((command) =>
      paint("cyan", ownCommand(`${command}${view.sameOptions}${asWhom(row, view)}`)),
    ),
  ];
  const head = `${paint("bold", requestId)}  ${paint("yellow", opened.kind)}  ${line(opened.question, 1_000)}`;
  return [head, ...details.map((detail) => `    ${detail}`)];
}

/** What every channel shows besides, in its words. */
const shownFacts = ["requester", "again", "approvals", "so far", "look-alikes", "effect", "sources"];

function facts(row: RequestRow): readonly string[] {
  return viewRequest(row)
    .fields.filter(({ label }) => shownFacts.includes(label))
    .flatMap(({ label, text }) => {
      const [first = "", ...more] = text.split("\n").map((shown) => line(shown, 1_000));
      return [`${label}: ${first}`, ...more.map((shown) => `${" ".repeat(label.length + 2)}${shown}`)];
    });
}

/** What to add so that the command is not refused: who they are, or a place to say it. */
function asWhom({ opened, approvers }: RequestRow, { principal, isNamed }: RequestView): string {
  if (whyNotApprover(opened, approvers, principal) !== null) return " --as '…'";
  return isNamed ? ` --as ${shellWord(principal.id)}` : "";
}

/** On one line what fits there, else a line for each argument. */
const lineLength = 120;

function shownAction(tool: string, args: Json): readonly string[] {
  const whole = `${line(tool, 80)} ${shownArguments(args)}`;
  const isPlain = typeof args !== "object" || args === null || Array.isArray(args);
  if (whole.length <= lineLength || whole.length > argumentsLength || isPlain) return [whole];
  return [
    line(tool, 80),
    ...Object.entries(args).map(
      ([name, value]) =>
        `  ${line(JSON.stringify(name), 200)}: ${formatJson(value, Number.POSITIVE_INFINITY)}`,
    ),
  ];
}

/** Nobody approves what they could not see: what is not shown is said. */
function shownArguments(args: Json): string {
  const shown = formatJson(args, Number.POSITIVE_INFINITY);
  if (shown.length <= argumentsLength) return shown;
  const hidden = formatCount(shown.length - argumentsLength);
  return `${shown.slice(0, argumentsLength)}… ${hidden} MORE CHARACTERS ARE NOT SHOWN HERE: see \`${ownCommand("inbox --json")}\``;
}

function deadline({ opened }: RequestRow, now: number): string {
  const { expiresAt, kind } = opened;
  if (expiresAt === null) return "";
  const effects: { readonly [Kind in RequestKind]: string } = {
    approval: "is a rejection",
    question: "leaves it unanswered",
    escalation: "stops the thread",
  };
  return `; no answer by ${formatTime(expiresAt)} UTC (${formatDistance(expiresAt, now)}) ${effects[kind]}`;
}

/** What a person need not read of a schema. */
function withoutDialect(schema: Json): Json {
  if (schema === null || typeof schema !== "object" || Array.isArray(schema)) return schema;
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== "$schema"));
}

/** The commands that give each verdict which the request takes. */
function answers({ requestId, threadId, opened }: RequestRow): readonly string[] {
  const action = line(shellWord(opened.key), 400);
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
