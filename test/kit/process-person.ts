// The person who answers: by a rule that depends on the request alone, so that whoever asks again gets the same answer.
import { hash } from "node:crypto";
import {
  decideRequest,
  isHoldpointError,
  type Json,
  type RequestRow,
  type Runtime,
  type Verdict,
} from "../../src/index.ts";
import type { Books } from "./process-world.ts";

const person = "dana@example.com";

/** Answers every open request once. @returns how many there were. */
export async function answerRequests(runtime: Runtime, books: Books, seed: number): Promise<number> {
  const { rows } = await runtime.store.requests({ status: "open", limit: 1_000 });
  for (const request of rows) await answer(runtime, request, verdictOn(request, books, seed));
  return rows.length;
}

async function answer(runtime: Runtime, { requestId }: RequestRow, verdict: Verdict): Promise<void> {
  try {
    await decideRequest(runtime, requestId, { verdict, by: person, roles: ["support-lead"], via: "test" });
  } catch (error) {
    if (!isHoldpointError(error, "request_already_decided")) throw error; // its thread ended meanwhile
  }
}

/** Approves most, edits and rejects some; looks into the books before settling what is in doubt. */
function verdictOn({ requestId, opened }: RequestRow, books: Books, seed: number): Verdict {
  if (opened.kind === "question") return { kind: "answer", value: "done by hand" };
  if (opened.kind === "escalation")
    return opened.reason === "in_doubt" ? settle(opened, books) : { kind: "continue" };
  const dice = Number.parseInt(hash("sha256", `${seed} ${requestId}`).slice(0, 8), 16) % 100;
  if (dice < 15) return { kind: "reject", why: "not this one" };
  const edited = dice < 30 ? editOf(opened.action?.args) : null;
  return edited === null ? { kind: "approve" } : { kind: "edit", args: edited };
}

function settle({ question, action }: RequestRow["opened"], books: Books): Verdict {
  const key = /idempotency key ([^)]+)\)/.exec(question)?.[1];
  if (key === undefined || action === undefined)
    throw new Error(`this request does not say what is in doubt: ${question}`);
  return books.has(action.tool, key)
    ? { kind: "done", value: action.args }
    : { kind: "not_done", why: "it is not in the books" };
}

function editOf(args: Json | undefined): Json | null {
  if (typeof args !== "object" || args === null || Array.isArray(args)) return null;
  const { body } = args as { readonly body?: Json };
  return typeof body === "string" ? { ...args, body: `${body}\n\n(read by Dana)` } : null;
}
