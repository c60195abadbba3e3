import type { ThreadEvent } from "../../core/events.ts";
import type { RequestRow, Store } from "../../ports/store.ts";
import { reportThread, requestDocument, threadDocument } from "../../runtime/thread-report.ts";
import type { AddCommand } from "../command-line.ts";
import { withStore } from "../context.ts";
import { requestView } from "../describe-request.ts";
import { describeHead, describeOutcome } from "../describe-thread.ts";
import { describeMissing } from "../missing-agents.ts";
import { withNearIds } from "../near-ids.ts";
import { type LogTree, renderLog } from "../render-log.ts";

export const addShow: AddCommand = (program, run) => {
  program
    .command("show")
    .description("show a thread's log as a tree, and what it waits for (times are UTC)")
    .argument("<thread>", "the thread's id")
    .action(
      run((context, [threadId = ""]) =>
        withStore(context, "read", async (store) => {
          const report = await withNearIds(store, { threadId }, () => reportThread(store, threadId));
          const log = await loadLog(store, threadId);
          const { paint, json } = context.screen;
          const missing = json ? [] : await describeMissing(report, context.settings, paint);
          return {
            document: { thread: threadDocument(report), ...(await logDocument(store, threadId, log)) },
            lines: [
              describeHead(report, paint),
              "",
              ...renderLog(log, paint),
              "",
              ...describeOutcome(report, requestView(context), { lines: missing }),
            ],
          };
        }),
      ),
    );
};

/** A thread's events, and those of its children. */
async function loadLog(store: Store, threadId: string): Promise<LogTree> {
  const events = await store.read(threadId);
  const children = new Map<string, LogTree>();
  for (const childId of childIds(events)) children.set(childId, await loadLog(store, childId));
  return { events, children };
}

function childIds(events: readonly ThreadEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === "child_started" ? [event.childId] : []));
}

async function logDocument(
  store: Store,
  threadId: string,
  { events, children }: LogTree,
): Promise<Readonly<Record<string, unknown>>> {
  const childDocuments: unknown[] = [];
  for (const [childId, log] of children)
    childDocuments.push({ threadId: childId, ...(await logDocument(store, childId, log)) });
  return {
    events,
    requests: (await allRequests(store, threadId)).map(requestDocument),
    children: childDocuments,
  };
}

/** Every request that a thread ever made. */
export async function allRequests(store: Store, threadId: string): Promise<readonly RequestRow[]> {
  const all: RequestRow[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Awaited<ReturnType<Store["requests"]>> = await store.requests({
      threadId,
      limit: 1_000,
      ...(cursor && { cursor }),
    });
    all.push(...page.rows);
    cursor = page.nextCursor;
  }
  return all;
}
