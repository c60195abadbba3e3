import { z } from "zod";
import {
  HoldpointError,
  type Json,
  type RequestRow,
  type Store,
  type ThreadEvent,
  type ThreadStatus,
} from "../../src/index.ts";

/** What became of one e-mail, read from its thread's log. */
export interface ThreadSummary {
  readonly threadId: string;
  readonly file: string;
  readonly status: ThreadStatus;
  /** What it ended with; `null` while it is open. */
  readonly outcome: string | null;
  readonly summary: string | null;
  /** What was done to the world, in order. */
  readonly done: readonly string[];
  readonly requests: readonly RequestRow[];
}

export async function summarizeThread(store: Store, threadId: string): Promise<ThreadSummary> {
  const row = (await store.threads({ threadId })).rows[0];
  if (!row) throw new HoldpointError("thread_not_found", `there is no thread ${threadId}`);
  const events = await store.read(threadId);
  const requests = await store.requests({ threadId, status: "open" });
  return {
    threadId,
    file: fileOf(events),
    status: row.status,
    ...endOf(events),
    done: doneIn(events),
    requests: requests.rows,
  };
}

function fileOf(events: readonly ThreadEvent[]): string {
  const started = events.find((event) => event.type === "thread_started");
  return z.object({ file: z.string() }).safeParse(started?.input.value).data?.file ?? "?";
}

function endOf(events: readonly ThreadEvent[]): {
  readonly outcome: string | null;
  readonly summary: string | null;
} {
  const last = events.at(-1);
  switch (last?.type) {
    case "thread_completed":
      return z.object({ outcome: z.string(), summary: z.string() }).parse(last.output.value);
    case "thread_failed":
      return { outcome: "failed", summary: last.error.message };
    case "thread_cancelled":
      return { outcome: "cancelled", summary: last.why };
    default:
      return { outcome: null, summary: null };
  }
}

function doneIn(events: readonly ThreadEvent[]): readonly string[] {
  const args = new Map(
    events.flatMap((event) => (event.type === "action_proposed" ? [[event.key, event] as const] : [])),
  );
  return events.flatMap((event) => {
    const proposal = event.type === "action_completed" ? args.get(event.key) : undefined;
    return proposal && proposal.effect !== "read" ? [describeDone(proposal.tool, proposal.args)] : [];
  });
}

const argsSchema = z
  .object({ cents: z.number(), orderId: z.string(), to: z.string(), customerId: z.string() })
  .partial();

/** An action in the past, in a few words. */
function describeDone(tool: string, args: Json): string {
  const { cents = 0, orderId, to, customerId } = argsSchema.safeParse(args).data ?? {};
  switch (tool) {
    case "issue_refund":
      return `refunded ${formatEuro(cents)} for ${orderId}`;
    case "send_email":
      return `wrote to ${to}`;
    case "add_note":
      return `noted for ${orderId ?? customerId}`;
    case "delete_account":
      return `deleted account ${customerId}`;
    default:
      return tool;
  }
}

export function formatEuro(cents: number): string {
  return `EUR ${(cents / 100).toFixed(2)}`;
}
