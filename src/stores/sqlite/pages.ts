import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { decodeEvent } from "../../core/codec.ts";
import { HoldpointError } from "../../core/errors.ts";
import type { EventOf } from "../../core/events.ts";
import { standingAgent } from "../../core/standing.ts";
import type {
  Page,
  RequestQuery,
  RequestRow,
  RequestStatus,
  ThreadQuery,
  ThreadRow,
  ThreadStatus,
} from "../../ports/store.ts";
import { columnText } from "./columns.ts";
import { dueTime, toIso } from "./dispatch-time.ts";
import { allRows } from "./rows.ts";

export interface Pages {
  threads(query: ThreadQuery): Page<ThreadRow>;
  requests(query: RequestQuery): Page<RequestRow>;
}

const defaultLimit = 50;
const maxLimit = 1_000;

export function createPages(database: DatabaseSync): Pages {
  const select = createSelect(database);
  return {
    threads: (query) => threadsPage(select, query),
    requests: (query) => requestsPage(select, query),
  };
}

/** Runs a query with those of its conditions that are asked for. */
type Select = <Row>(query: {
  readonly from: string;
  readonly where: readonly (readonly [condition: string, ...values: (SQLInputValue | undefined)[]])[];
  readonly end: string;
  readonly limit: number;
}) => Row[];

/** Each combination of conditions is prepared once. There are few: they come from our types, not from users. */
function createSelect(database: DatabaseSync): Select {
  const prepared = new Map<string, StatementSync>();
  return <Row>({ from, where, end, limit }: Parameters<Select>[0]) => {
    const asked = where.filter(([, ...values]) => values.every((value) => value !== undefined));
    const conditions = asked.map(([condition]) => condition).join(" AND ") || "true";
    const sql = `${from} WHERE ${conditions} ${end} LIMIT ?`;
    const statement = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, statement);
    const values = asked.flatMap(([, ...given]) => given.filter((value) => value !== undefined));
    return allRows<Row>(statement, ...values, limit);
  };
}

interface ThreadColumns extends Omit<ThreadRow, "waits" | "dueAt" | "status"> {
  readonly threadNum: number;
  readonly status: ThreadStatus;
  readonly waits: string;
  readonly dueAt: number | null;
}

const threadColumns = `SELECT t.thread_num AS threadNum, thread_id AS threadId, agent, agent_version AS agentVersion, status,
  title, parent_id AS parentId, head_seq AS headSeq, decisions, input_tokens AS inputTokens, output_tokens AS outputTokens,
  (SELECT count(*) FROM requests r WHERE r.thread_num = t.thread_num AND r.status = 'open') AS openRequests,
  (SELECT json_group_array(key ORDER BY seq, key) FROM waits w WHERE w.thread_num = t.thread_num) AS waits,
  created_at AS createdAt, updated_at AS updatedAt, due_at AS dueAt
  FROM threads t JOIN heads USING (thread_num)`;

function threadsPage(select: Select, query: ThreadQuery): Page<ThreadRow> {
  const limit = limitOf(query.limit);
  const rows = select<ThreadColumns>({
    from: isOpenStanding(query) ? standingColumns : threadColumns,
    where: [
      ["thread_id = ?", asColumn(query.threadId)],
      ...(isOpenStanding(query)
        ? [[standingCondition] as const]
        : ([
            ["agent = ?", asColumn(query.agent)],
            ["status = ?", query.status],
          ] as const)),
      ["agent <> ?", asColumn(query.exceptAgent)],
      ["parent_id = ?", asColumn(query.parentId)],
      ["t.thread_num < ?", query.cursor === undefined ? undefined : threadCursor(query.cursor)],
    ],
    end: "ORDER BY t.thread_num DESC",
    limit: limit + 1,
  });
  return pageOf(rows, limit, toThreadRow, (row) => String(row.threadNum));
}

/** Open standing approvals have an index of their own, which SQLite takes only where its condition stands word for word. */
const standingCondition = `agent = '${standingAgent}' AND status = 'running'`;
const standingColumns = threadColumns.replace("FROM threads t", "FROM threads t INDEXED BY threads_standing");

function isOpenStanding({ agent, status }: ThreadQuery): boolean {
  return agent === standingAgent && status === "running";
}

function toThreadRow({ threadNum: _, waits, dueAt, ...row }: ThreadColumns): ThreadRow {
  return {
    ...row,
    waits: JSON.parse(waits) as string[], // made by json_group_array of a text column
    dueAt: dueAt === null ? null : toIso(dueTime(dueAt)),
  };
}

/** Rows hold what columns can, so that is what is looked for. */
function asColumn(text: string | undefined): string | undefined {
  return text === undefined ? undefined : columnText(text);
}

function threadCursor(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw badCursor(cursor);
  return Number(cursor);
}

interface RequestColumns {
  readonly eventId: number;
  readonly requestId: string;
  readonly threadId: string;
  readonly agent: string;
  readonly headSeq: number;
  readonly status: RequestStatus;
  readonly openedAt: string;
  readonly seq: number;
  readonly body: string;
  readonly dueAt: number | null;
  readonly closingSeq: number | null;
  readonly closingBody: string | null;
}

/** What was asked and what was decided is read from the log itself: each event is written once. */
const requestColumns = `SELECT event_id AS eventId, request_id AS requestId, thread_id AS threadId, agent, head_seq AS headSeq, r.status,
  opened_at AS openedAt, expires_at AS dueAt, opened.seq, opened.body, closing.seq AS closingSeq, closing.body AS closingBody
  FROM requests r JOIN threads USING (thread_num) JOIN heads USING (thread_num) JOIN events opened ON opened.id = event_id
  LEFT JOIN events closing ON closing.id = closing_id`;

function requestsPage(select: Select, query: RequestQuery): Page<RequestRow> {
  const limit = limitOf(query.limit);
  const after = query.cursor === undefined ? [undefined] : requestCursor(query.cursor);
  const isNarrow = query.requestId !== undefined || query.threadId !== undefined;
  const rows = select<RequestColumns>({
    from: requestColumns,
    where: [
      ["request_id = ?", asColumn(query.requestId)],
      ["thread_id = ?", asColumn(query.threadId)],
      [isNarrow ? "+r.status = ?" : "r.status = ?", query.status], // the plus: else all that are open are gone through
      ["(opened_at, event_id) > (?, ?)", ...after],
    ],
    end: "ORDER BY opened_at, event_id",
    limit: limit + 1,
  });
  return pageOf(rows, limit, toRequestRow, (row) => `${row.eventId} ${row.openedAt}`);
}

function toRequestRow(row: RequestColumns): RequestRow {
  const { requestId, threadId, agent, headSeq, status, closingBody, closingSeq } = row;
  const opened = decodeEvent(row.body, row.seq, threadId) as EventOf<"request_opened">; // the projection names only these
  const closing = closingBody === null ? null : decodeEvent(closingBody, closingSeq ?? 0, threadId);
  const decided = closing?.type === "request_decided" ? closing : null;
  const deciders = closing && "deciders" in closing ? closing.deciders : undefined;
  return {
    requestId,
    threadId,
    agent,
    headSeq,
    status,
    opened,
    approvers: deciders?.approvers ?? opened.approvers,
    votes: deciders?.votes ?? [],
    dueAt: status === "open" && row.dueAt !== null ? toIso(row.dueAt) : null,
    verdict: decided?.verdict ?? null,
    by: decided?.by ?? null,
    via: decided?.via ?? null,
    decidedAt: status === "decided" || status === "expired" ? (closing?.at ?? null) : null,
  };
}

function requestCursor(cursor: string): [openedAt: string, eventId: number] {
  const [, eventId, openedAt] = /^(\d{1,15}) (.+)$/.exec(cursor) ?? [];
  if (eventId === undefined || openedAt === undefined) throw badCursor(cursor);
  return [openedAt, Number(eventId)];
}

/** One row more than `limit` was asked for: it tells whether there is a next page. */
function pageOf<Columns, Row>(
  rows: readonly Columns[],
  limit: number,
  toRow: (columns: Columns) => Row,
  cursorOf: (last: Columns) => string,
): Page<Row> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { rows: shown.map(toRow), nextCursor: rows.length > limit && last ? cursorOf(last) : null };
}

function limitOf(limit = defaultLimit): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxLimit) return limit;
  throw new HoldpointError("usage", `a page has 1 to ${maxLimit} rows, not ${limit}`);
}

function badCursor(cursor: string): HoldpointError {
  return new HoldpointError("usage", `${JSON.stringify(cursor)} is no cursor of this list`, {
    fix: "Pass on `nextCursor` of the page before.",
  });
}
