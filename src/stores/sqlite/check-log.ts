import { chainNext, chainStart, decodeEvent } from "../../core/codec.ts";
import { isHoldpointError } from "../../core/errors.ts";
import type { ThreadEvent } from "../../core/events.ts";
import type { Problem, ProblemKind } from "../../ports/store.ts";

/** One row of `events`. */
export interface EventRow {
  readonly id: number;
  readonly seq: number;
  readonly prev: number;
  readonly body: string;
  readonly link: string;
}

/** A thread's log as it was found: `rows` are those that can be reached from the head, in order. */
export interface FoundLog {
  readonly threadId: string;
  readonly headSeq: number;
  readonly rows: readonly EventRow[];
}

export interface CheckedLog {
  readonly problems: readonly Problem[];
  readonly events: readonly (readonly [eventId: number, event: ThreadEvent])[];
}

/** Checks one log: nothing missing, nothing moved, every link of the chain right, every event readable. */
export function checkLog(log: FoundLog): CheckedLog {
  const { threadId, rows } = log;
  const problems: Problem[] = [];
  const events: (readonly [number, ThreadEvent])[] = [];
  const report = (kind: ProblemKind, seq: number, message: string) =>
    problems.push({ kind, threadId, seq, message });

  checkEnds(log, report);
  let bases: readonly string[] | null = rows[0]?.seq === 1 ? [chainStart(threadId)] : null;
  let previous: EventRow | null = null;
  for (const row of rows) {
    if (previous && row.seq !== previous.seq + 1) {
      report("sequence", previous.seq + 1, `event ${row.seq} follows event ${previous.seq}`);
      bases = null;
    }
    bases = checkLink(row, bases, report);
    decode(row, threadId, events, report);
    previous = row;
  }
  return { problems, events };
}

type Report = (kind: ProblemKind, seq: number, message: string) => void;

function checkEnds({ headSeq, rows }: FoundLog, report: Report): void {
  const first = rows[0];
  const last = rows.at(-1);
  if (last?.seq !== headSeq) {
    const found = last ? `the last one found is event ${last.seq}` : "its last event is missing";
    report("sequence", headSeq, `the log had ${headSeq} events, but ${found}`);
  }
  if (first && first.seq > 1) {
    report(
      "sequence",
      first.seq - 1,
      `event ${first.seq - 1} is missing; the events before it were not checked`,
    );
  }
}

/**
 * @param bases what the link before may be: as stored, and as computed when that differs, so that one changed event or
 *   link is one problem. `null` after a gap, when nothing can be said.
 */
function checkLink(
  { seq, body, link }: EventRow,
  bases: readonly string[] | null,
  report: Report,
): readonly string[] {
  const links = bases?.map((base) => chainNext(base, seq, body)) ?? [link];
  if (links.includes(link)) return [link];
  report("chain", seq, `event ${seq} is not what was appended: its text or its link was changed`);
  return [link, ...links];
}

function decode(
  row: EventRow,
  threadId: string,
  events: (readonly [number, ThreadEvent])[],
  report: Report,
): void {
  try {
    events.push([row.id, decodeEvent(row.body, row.seq, threadId)]);
  } catch (error) {
    if (!isHoldpointError(error)) throw error;
    report("event", row.seq, error.message);
  }
}
