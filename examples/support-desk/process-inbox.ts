import {
  type Agent,
  closeRuntime,
  type ErrorInfo,
  type Hint,
  openEmbedded,
  type Runtime,
  settleThreads,
  startThread,
} from "../../src/index.ts";
import { type InboxFile, readInbox } from "./inbox.ts";
import { summarizeThread, type ThreadSummary } from "./summarize-thread.ts";

export interface InboxRun {
  /** One line for each file of the inbox, in their order. */
  readonly mails: readonly MailResult[];
  /** What became of each thread: those of the inbox first, then open ones of mails that are no longer there. */
  readonly threads: readonly ThreadSummary[];
  readonly startedNow: number;
  readonly interrupted: boolean;
}

export type MailResult = { readonly file: string } & (
  | { readonly kind: "handled"; readonly threadId: string; readonly copyOf: string | null }
  | { readonly kind: "unreadable"; readonly error: ErrorInfo }
);

export interface ProcessOptions {
  readonly store: string;
  readonly inbox: string;
  readonly agent: Agent;
  readonly secrets: ReadonlyMap<string, string>;
  /** Aborting it stops after what is under way; running again goes on from there. */
  readonly signal: AbortSignal;
  readonly observe: (hint: Hint) => void;
  readonly onStarted: (files: ReadonlyMap<string, string>) => void;
}

/** So many threads run at a time, and call a model. */
const concurrency = 16;
/** Someone is watching: after a `kill -9` the next run waits this long for the dead one's threads, not 30 s. */
const leaseMs = 10_000;

/**
 * Starts a thread for each e-mail that has none yet, runs every open thread until it ends or waits for a person, and
 * says what became of each. It may be stopped anywhere and run again: the store knows what was done.
 */
export async function processInbox(options: ProcessOptions): Promise<InboxRun> {
  const files = await readInbox(options.inbox);
  const { agent, secrets, observe, signal } = options;
  const runtime = await openEmbedded({ path: options.store, agents: [agent], secrets, observe, leaseMs });
  try {
    const { mails, startedNow } = await startThreads(runtime, agent, files);
    const ofInbox = mails.flatMap((mail) =>
      mail.kind === "handled" && mail.copyOf === null ? [[mail.threadId, mail.file] as const] : [],
    );
    options.onStarted(new Map(ofInbox));
    const threadIds = [
      ...new Set([...ofInbox.map(([threadId]) => threadId), ...(await openThreads(runtime, agent))]),
    ];
    await settleAll(runtime, threadIds, signal);
    const threads = await Promise.all(threadIds.map((threadId) => summarizeThread(runtime.store, threadId)));
    return { mails, threads, startedNow, interrupted: signal.aborted };
  } finally {
    await closeRuntime(runtime);
  }
}

async function startThreads(
  runtime: Runtime,
  agent: Agent,
  files: readonly InboxFile[],
): Promise<{ mails: MailResult[]; startedNow: number }> {
  const mails: MailResult[] = [];
  const firstFile = new Map<string, string>();
  let startedNow = 0;
  for (const file of files) {
    if (file.kind === "unreadable") {
      mails.push(file);
      continue;
    }
    const { threadId, created } = await startThread(
      runtime,
      agent.name,
      { file: file.file },
      { by: "inbox", key: file.key },
    );
    if (created) startedNow += 1;
    mails.push({ kind: "handled", file: file.file, threadId, copyOf: firstFile.get(threadId) ?? null });
    if (!firstFile.has(threadId)) firstFile.set(threadId, file.file);
  }
  return { mails, startedNow };
}

async function openThreads(runtime: Runtime, agent: Agent): Promise<readonly string[]> {
  const threadIds: string[] = [];
  for (const status of ["running", "waiting"] as const) {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await runtime.store.threads({
        agent: agent.name,
        status,
        limit: 1_000,
        ...(cursor === undefined ? {} : { cursor }),
      });
      threadIds.push(...page.rows.map((row) => row.threadId));
      cursor = page.nextCursor;
    }
  }
  return threadIds;
}

async function settleAll(runtime: Runtime, threadIds: readonly string[], signal: AbortSignal): Promise<void> {
  const queue = threadIds.values(); // shared: each takes the next
  const take = async (): Promise<void> => {
    for (const threadId of queue) {
      if (signal.aborted) return;
      await settleThreads(runtime, [threadId], { signal });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, take));
}
