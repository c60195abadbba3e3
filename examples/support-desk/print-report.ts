// The result, for people and for programs. What e-mails and models wrote is shown as text and never obeyed: a terminal
// gets no control character from it.
import { stripVTControlCharacters, styleText } from "node:util";
import type { ModelChoice } from "./choose-model.ts";
import { answerCommands, describeArguments, describeRequest } from "./describe-request.ts";
import type { InboxRun, MailResult } from "./process-inbox.ts";
import type { ThreadSummary } from "./summarize-thread.ts";

export interface ReportContext {
  readonly choice: ModelChoice;
  /** Actions that this run carried out. */
  readonly actionsNow: number;
  /** What to add to `holdpoint` commands so that they find the store and the agent. */
  readonly cliOptions: string;
  /** The command that goes on from here. */
  readonly again: string;
}

/** The one JSON document of `--json`. */
export function reportDocument(
  run: InboxRun,
  { choice, actionsNow, cliOptions, again }: ReportContext,
): unknown {
  return {
    model: { name: choice.name, isStandIn: choice.isStandIn },
    interrupted: run.interrupted,
    thisRun: { started: run.startedNow, actions: actionsNow },
    mails: run.mails,
    threads: run.threads.map((thread) => ({
      ...thread,
      requests: thread.requests.map((request) => ({
        requestId: request.requestId,
        kind: request.opened.kind,
        question: request.opened.question,
        why: request.opened.why,
        expiresAt: request.opened.expiresAt,
        action: request.opened.action ?? null,
        commands: answerCommands(request, cliOptions),
      })),
    })),
    next: again,
  };
}

export function printReport(run: InboxRun, context: ReportContext): string {
  const waiting = run.threads.filter((thread) => thread.requests.length > 0);
  return [
    ...waiting.flatMap((thread) => describeWaiting(thread, context)),
    ...table(["E-mail", "State", "What was done, and what comes next"], rowsFor(run)), // last: it stays on the screen
    "",
    ...closing(run, waiting.length, context),
    "",
  ].join("\n");
}

function rowsFor({ mails, threads }: InboxRun): readonly (readonly string[])[] {
  const byId = new Map(threads.map((thread) => [thread.threadId, thread]));
  const inInbox = new Set(mails.map((mail) => (mail.kind === "handled" ? mail.threadId : "")));
  const gone = threads.filter((thread) => !inInbox.has(thread.threadId));
  return [
    ...mails.map((mail) => rowForMail(mail, byId)),
    ...gone.map((thread) => rowForThread(thread.file, thread)),
  ];
}

function rowForMail(mail: MailResult, threads: ReadonlyMap<string, ThreadSummary>): readonly string[] {
  if (mail.kind === "unreadable")
    return [mail.file, "unreadable", `${mail.error.message}. ${mail.error.fix ?? ""}`];
  if (mail.copyOf !== null) return [mail.file, "copy", `the same e-mail as ${mail.copyOf}`];
  const thread = threads.get(mail.threadId);
  return thread ? rowForThread(mail.file, thread) : [mail.file, "?", ""];
}

function rowForThread(
  file: string,
  { status, outcome, summary, done, requests }: ThreadSummary,
): readonly string[] {
  const waits = requests.map((request) => `asks: ${describeRequest(request)}`);
  const later = status === "waiting" && requests.length === 0 ? ["goes on later"] : []; // a retry that is not due yet
  const state = outcome?.replaceAll("_", " ") ?? (requests.length > 0 ? "waits" : status);
  return [file, state, [...done, ...waits, ...later, ...(summary === null ? [] : [summary])].join("; ")];
}

function describeWaiting(
  { file, requests }: ThreadSummary,
  { cliOptions }: ReportContext,
): readonly string[] {
  return requests.flatMap((request) => {
    const { action, kind, why, question } = request.opened;
    return [
      `${bold(request.requestId)}  ${printable(file)}`,
      `    ${printable(action ? `${action.tool}: ${why}` : question)}${kind === "escalation" ? ` (${printable(why)})` : ""}`,
      ...describeArguments(request).map((line) => `      ${printable(line)}`),
      ...answerCommands(request, cliOptions)
        .slice(0, 1)
        .map((command) => `    ${styleText("cyan", command)}`),
      "",
    ];
  });
}

function closing(
  run: InboxRun,
  waiting: number,
  { choice, actionsNow, cliOptions, again }: ReportContext,
): readonly string[] {
  const unreadable = run.mails.filter((mail) => mail.kind === "unreadable").length;
  return [
    `This run: ${run.startedNow} new e-mails, ${actionsNow} actions. Open: ${waiting} wait for a person. Unreadable: ${unreadable}.`,
    ...(run.interrupted ? [`It was stopped before the end; nothing is lost. Go on with: ${again}`] : []),
    ...(waiting > 0
      ? [
          "Say yes with the commands above, or no:",
          `    npm run holdpoint -- reject <request> --why '…'${cliOptions}`,
          `After your answers, and for new e-mails: ${again}`,
        ]
      : []),
    choice.isStandIn
      ? `Model: ${choice.name}, an offline stand-in that follows rules. Set ANTHROPIC_API_KEY, OPENAI_API_KEY or GOOGLE_GENERATIVE_AI_API_KEY to use a real one.`
      : `Model: ${choice.name}`,
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => printable(cell)));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const format = (row: readonly string[]): string =>
    row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell)).join("  ");
  return [bold(format(head)), ...cells.map((row) => clip(format(row)))];
}

/** A row keeps to its line on a terminal; elsewhere nothing is left out. */
function clip(line: string): string {
  const { isTTY, columns } = process.stdout;
  return isTTY && line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
}

function bold(text: string): string {
  return styleText("bold", text);
}

export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}
