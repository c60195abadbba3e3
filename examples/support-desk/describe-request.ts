import { z } from "zod";
import type { RequestRow } from "../../src/index.ts";
import { formatEuro } from "./summarize-thread.ts";

const mailSchema = z.object({ to: z.string(), subject: z.string(), body: z.string() });
const refundSchema = z.object({ orderId: z.string(), cents: z.number() });

/** What a request is about, on one line. */
export function describeRequest({ opened }: RequestRow): string {
  const { action, question, kind } = opened;
  if (kind !== "approval" || !action) return question;
  const refund = refundSchema.safeParse(action.args).data;
  const mail = mailSchema.safeParse(action.args).data;
  const detail = refund
    ? `${formatEuro(refund.cents)} for ${refund.orderId}`
    : mail
      ? `to ${mail.to}`
      : JSON.stringify(action.args);
  return `${action.tool} ${detail}`;
}

/** Exactly what would run: a person approves what is shown here, so nothing is left out. */
export function describeArguments({ opened }: RequestRow): readonly string[] {
  const args = opened.action?.args;
  if (args === undefined) return [];
  const { body, ...rest } = z.looseObject({}).parse(args);
  const lines = Object.entries(rest).map(
    ([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return typeof body === "string" ? [...lines, ...body.split("\n").map((line) => `| ${line}`)] : lines;
}

/** The commands that answer a request, to be copied. `options` lets them find the store and the agent. */
export function answerCommands(
  { requestId, threadId, opened }: RequestRow,
  options: string,
): readonly string[] {
  const resolve = `resolve ${threadId} '${opened.key}'`;
  const commands = {
    approve: `approve ${requestId}`,
    edit: null, // shown by `holdpoint inbox`
    reject: `reject ${requestId} --why '…'`,
    answer: `answer ${requestId} '…'`,
    continue: `answer ${requestId} continue`,
    stop: `answer ${requestId} stop`,
    done: `${resolve} --done '{…}'`,
    not_done: `${resolve} --not-done --why '…'`,
  };
  return opened.choices.flatMap((choice) =>
    commands[choice] === null ? [] : [`npm run holdpoint -- ${commands[choice]}${options}`],
  );
}
