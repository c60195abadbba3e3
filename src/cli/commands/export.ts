import type { Json } from "../../core/json.ts";
import type { Store } from "../../ports/store.ts";
import { allTextsOf } from "../../runtime/artifacts.ts";
import { requestDocument, threadRow } from "../../runtime/thread-report.ts";
import type { AddCommand } from "../command-line.ts";
import { withStore } from "../context.ts";
import { withNearIds } from "../near-ids.ts";
import { type CommandResult, usageError } from "../screen.ts";
import { allRequests } from "./show.ts";

interface Options {
  readonly jsonl?: boolean;
  readonly json?: boolean;
}

export const addExport: AddCommand = (program, run) => {
  program
    .command("export")
    .description("write a thread as one JSON document: its events, artifacts and requests")
    .argument("<thread>", "the thread's id")
    .option("--jsonl", "one JSON document per line instead: the thread, its events, artifacts and requests")
    .action(
      run<Options>((context, [threadId = ""], { jsonl = false }) => {
        if (jsonl && context.screen.json)
          throw usageError("--json promises one document and --jsonl gives many", "Leave one out.");
        return withStore(context, "read", async (store) => {
          const exported = await withNearIds(store, { threadId }, () => exportThread(store, threadId));
          return jsonl
            ? asLines(exported)
            : { document: exported, lines: [JSON.stringify(exported, null, 2)] };
        });
      }),
    );
};

interface Exported {
  readonly format: "holdpoint-thread";
  readonly v: 1;
  readonly thread: unknown;
  readonly events: readonly unknown[];
  /** Large values, and the texts of what models were shown, by the digest that events name them with. */
  readonly artifacts: Readonly<Record<string, Json>>;
  readonly requests: readonly unknown[];
}

async function exportThread(store: Store, threadId: string): Promise<Exported> {
  const thread = await threadRow(store, threadId);
  const events = await store.read(threadId);
  const texts = [...(await allTextsOf(store, events))];
  return {
    format: "holdpoint-thread",
    v: 1,
    thread,
    events,
    artifacts: Object.fromEntries(texts.map(([digest, text]) => [digest, JSON.parse(text) as Json])),
    requests: (await allRequests(store, threadId)).map(requestDocument),
  };
}

function asLines({ format, v, thread, events, artifacts, requests }: Exported): CommandResult {
  const documents = [
    { format, v, thread },
    ...events.map((event) => ({ event })),
    ...Object.entries(artifacts).map(([digest, value]) => ({ artifact: { digest, value } })),
    ...requests.map((request) => ({ request })),
  ];
  return { document: null, lines: documents.map((document) => JSON.stringify(document)) };
}
