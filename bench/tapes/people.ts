// The people of a recording: its customer, who says what was recorded, and a supervisor. Each answers by the request
// alone, so that whoever asks again gets the same answer.
import {
  canonicalJson,
  decideRequest,
  isHoldpointError,
  type RequestRow,
  type Runtime,
  type Verdict,
} from "../../src/index.ts";
import { customer, supervisor, threadIdOf } from "./desk-agent.ts";
import { type Recording, writeKey } from "./recordings.ts";

/** `all`: whatever is asked for. `gold`: what the task's author says is right, each once. */
export type Approver = "all" | "gold";

/** @returns how many requests were open. */
export async function answerRequests(
  runtime: Runtime,
  recording: Recording,
  approver: Approver,
): Promise<number> {
  const threadId = threadIdOf(recording);
  const { rows } = await runtime.store.requests({ threadId, status: "open" });
  for (const request of rows) {
    const given = await verdictOn(runtime, recording, request, approver);
    try {
      await decideRequest(runtime, request.requestId, { ...given, via: "bench" });
    } catch (error) {
      if (!isHoldpointError(error, "request_already_decided")) throw error; // its thread ended meanwhile
    }
  }
  return rows.length;
}

interface Given {
  readonly verdict: Verdict;
  readonly by: string;
  readonly roles?: readonly string[];
}

async function verdictOn(
  runtime: Runtime,
  recording: Recording,
  { opened }: RequestRow,
  approver: Approver,
): Promise<Given> {
  const boss = { by: supervisor, roles: ["supervisor"] };
  if (opened.kind === "question")
    return { verdict: { kind: "answer", value: said(recording, opened.key) }, by: customer };
  if (opened.kind === "escalation")
    return { verdict: { kind: "stop", why: "a recording has no way on" }, ...boss };
  const isRight = approver === "all" || (await isGold(runtime, recording, opened));
  const why = "the task's author does not want this";
  return { verdict: isRight ? { kind: "approve" } : { kind: "reject", why }, ...boss };
}

/** What the customer answered to this question: the n-th of the thread is the n-th of the recording. */
function said({ id, turns }: Recording, key: string): string {
  const replies = turns.filter((turn) => turn.kind === "reply");
  const next = replies[Number(/#(\d+)$/.exec(key)?.[1]) - 1]?.next;
  if (next == null) throw new Error(`${id} has no answer to ${key}`);
  return next;
}

/** True as often as the task wants it: what was approved and done before in this thread counts. */
async function isGold(
  runtime: Runtime,
  recording: Recording,
  { action, key }: RequestRow["opened"],
): Promise<boolean> {
  if (!action) return false;
  const asked = writeKey(action.tool, action.args);
  const wanted = recording.gold.filter((gold) => gold === asked).length;
  const events = await runtime.store.read(threadIdOf(recording));
  const proposed = events.filter((event) => event.type === "action_proposed");
  const before = proposed.filter(
    (event) =>
      event.key !== key &&
      canonicalJson(event.args) === canonicalJson(action.args) &&
      event.tool === action.tool,
  );
  return before.length < wanted;
}
