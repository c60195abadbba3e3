import { type Runtime, settleThreads, startThread } from "../../src/index.ts";
import { answerRequests } from "./process-person.ts";
import { type Books, mailsOf } from "./process-world.ts";

export interface SettleMails {
  readonly mails: number;
  readonly seed: number;
  readonly books: Books;
  /** How often people are asked. Default: until there is nothing to ask. */
  readonly rounds?: number;
}

/** Handles so many mails of the inbox to their end, answering whatever is asked: a shop's day in one call. */
export async function settleMails(
  runtime: Runtime,
  { mails, seed, books, rounds = Number.POSITIVE_INFINITY }: SettleMails,
): Promise<void> {
  const keep = new AbortController().signal;
  const started = await Promise.all(
    mailsOf(mails).map(({ file, key }) =>
      startThread(runtime, "support-desk", { file }, { by: "inbox", key }),
    ),
  );
  const threadIds = started.map(({ threadId }) => threadId);
  for (let round = 1; ; round++) {
    await settleThreads(runtime, threadIds, { signal: keep });
    if (round > rounds || (await answerRequests(runtime, books, seed)) === 0) return;
  }
}
