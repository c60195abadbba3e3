import type { Verdict } from "../../core/events.ts";
import type { Json } from "../../core/json.ts";
import type { RequestRow } from "../../ports/store.ts";
import { lookAtAnswers } from "../../runtime/answer-schema.ts";
import type { AddCommand } from "../command-line.ts";
import { addNoRun, giveVerdict, type RunOnOptions } from "../give-verdict.ts";
import { jsonOrText } from "../json-argument.ts";

interface Options extends RunOnOptions {
  readonly text?: boolean;
  readonly why?: string;
}

export const addAnswer: AddCommand = (program, run) => {
  const command = program
    .command("answer")
    .description("answer a question, or tell a thread that asks for help to continue or to stop")
    .argument("<request>", "its id, from `holdpoint inbox`")
    .argument("<value>", "JSON or text; for an escalation: continue or stop")
    .option("--text", "take the value as text, also when it reads like JSON")
    .option("--why <reason>", "with continue or stop: why, for the log");
  addNoRun(command).action(
    run<Options>((context, [requestId = "", value = ""], options) =>
      giveVerdict(context, requestId, options, (request) => verdictFrom(request, value, options)),
    ),
  );
};

async function verdictFrom(
  { opened }: RequestRow,
  value: string,
  { text = false, why }: Options,
): Promise<Verdict> {
  const because = why === undefined ? {} : { why };
  if (!opened.choices.includes("answer") && (value === "continue" || value === "stop"))
    return { kind: value, ...because };
  return {
    kind: "answer",
    value: text ? value : await jsonOrText(value, "the answer", acceptedBy(opened.answerSchema)),
  };
}

function acceptedBy(schema: Json | undefined): ((value: Json) => Promise<boolean>) | null {
  const look = lookAtAnswers(schema);
  return look && (async (value) => look(value) === null);
}
