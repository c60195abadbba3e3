import type { Json } from "../../core/json.ts";
import type { Problem, Store } from "../../ports/store.ts";
import { allTextsOf } from "../../runtime/artifacts.ts";
import { logDamage } from "../../runtime/log-damage.ts";
import { requestDocument, threadRow } from "../../runtime/thread-report.ts";
import type { AddCommand } from "../command-line.ts";
import { withStore } from "../context.ts";
import { line, plural } from "../format.ts";
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
          const damage = await logDamage(store, threadId);
          if (damage.length > 0) context.screen.warn(describeDamage(threadId, damage));
          const result = jsonl ? asLines(exported) : asDocument(exported);
          return { ...result, exitCode: damage.length > 0 ? 1 : 0 };
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

/** It is written all the same: what there is of a damaged log is worth keeping, and must not pass for the log. */
function describeDamage(threadId: string, damage: readonly Problem[]): string {
  const first = line(damage[0]?.message ?? "", 400);
  return `the log of ${threadId} is damaged, and written as it was found: ${plural(damage.length, "problem")}, first: ${first} (\`holdpoint verify ${threadId}\`)`;
}

function asDocument(exported: Exported): CommandResult {
  return { document: exported, lines: [JSON.stringify(exported, null, 2)] };
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
