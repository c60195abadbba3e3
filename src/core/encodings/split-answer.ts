import type { ModelCall } from "../window/model-input.ts";
import { answerName, type ReadOutput } from "./encoding.ts";

/** Tells an answer, which comes alone, from calls. */
export function splitAnswer(
  calls: readonly ModelCall[],
  text: string,
  repairs: readonly string[],
): ReadOutput {
  const answers = calls.filter((call) => call.tool === answerName);
  const [answer] = answers;
  if (!answer) return { kind: "calls", calls, text, repairs };
  if (calls.length === 1) return { kind: "answer", value: answer.args, repairs };
  const why =
    answers.length > 1
      ? `there are ${answers.length} answers; give one`
      : "an answer must come alone, without other calls";
  return { kind: "unreadable", why };
}
