// What came of the threads, read from the log and the ledger alone, and compared with the recordings.
import { DatabaseSync } from "node:sqlite";
import {
  canonicalJson,
  type EventOf,
  type Json,
  openSqliteStore,
  type Stored,
  type ThreadEvent,
} from "../../src/index.ts";
import { type DeskEnd, threadIdOf } from "./desk-agent.ts";
import { isRefused, type Recording, resultOf, writeKey, writesOf } from "./recordings.ts";
import type { LedgerLine } from "./tool-server.ts";

/** The log of each recording's thread. */
export type Logs = ReadonlyMap<string, Log>;

interface Log {
  readonly events: readonly ThreadEvent[];
  /** The values of results, in the order of the log. */
  readonly steps: readonly string[];
}

/** @throws for a store that its own `verify` finds anything wrong with. */
export async function readLogs(path: string, recordings: readonly Recording[]): Promise<Logs> {
  const store = await openSqliteStore({ path });
  const { problems } = await store.verify({});
  if (problems.length > 0) throw new Error(`${path}: ${JSON.stringify(problems.slice(0, 3))}`);
  const logs = new Map<string, Log>();
  for (const recording of recordings) {
    const events = await store.read(threadIdOf(recording));
    logs.set(recording.id, { events, steps: await stepsOf(events, (digest) => store.artifact(digest)) });
  }
  await store.close();
  return logs;
}

/** How many decisions of a thread are in the log, read with plain SQL while nobody runs it. */
export function decisionsIn(path: string, threadId: string): number {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  const count =
    "SELECT count(*) AS decisions FROM thread_events WHERE thread_id = ? AND body ->> 'type' = 'decision_made'";
  const row = db.prepare(count).get(threadId);
  db.close();
  return Number(row?.decisions);
}

/** What happened in a run, a line each: what the model did, what tools gave, and what the customer said. */
async function stepsOf(
  events: readonly ThreadEvent[],
  artifact: (digest: string) => Promise<string>,
): Promise<readonly string[]> {
  const steps: string[] = [];
  const proposals = new Map<string, EventOf<"action_proposed">>();
  const whole = async (stored: Stored): Promise<Json> =>
    stored.artifact ? (JSON.parse(await artifact(stored.artifact.digest)) as Json) : (stored.value ?? null); // its JSON
  for (const event of events) {
    if (event.type === "action_proposed") proposals.set(event.key, event);
    else if (event.type === "action_completed")
      steps.push(actionStep(proposals.get(event.key), await whole(event.result)));
    else if (event.type === "decision_made") steps.push(decisionStep(event.decision));
    else if (event.type === "request_decided" && event.verdict.kind === "answer")
      steps.push(`customer: ${JSON.stringify(event.verdict.value)}`);
  }
  return steps;
}

function actionStep(proposal: EventOf<"action_proposed"> | undefined, value: Json): string {
  return `result of ${writeKey(proposal?.tool ?? "", proposal?.args ?? null)}: ${canonicalJson(value)}`;
}

function decisionStep(decision: EventOf<"decision_made">["decision"]): string {
  if (decision.kind === "answer") return `model: ${JSON.stringify(decision.value)}`;
  const calls = decision.calls.map(({ tool, args }) => writeKey(tool, args));
  return `model: ${JSON.stringify(decision.text ?? "")} ${calls.join(", ")}`;
}

/** The same, of the recording. */
function recordedSteps({ turns }: Recording): readonly string[] {
  return turns.flatMap((turn) => {
    if (turn.kind === "reply")
      return [`model: ${JSON.stringify(turn.text)}`, `customer: ${JSON.stringify(turn.next)}`];
    const calls = turn.calls.map(({ tool, args }) => writeKey(tool, args));
    return [
      `model: ${JSON.stringify(turn.text)} ${calls.join(", ")}`,
      ...turn.calls.map(
        (call) => `result of ${writeKey(call.tool, call.args)}: ${canonicalJson(resultOf(call))}`,
      ),
    ];
  });
}

/** Where threads differ from their recordings: not ended as expected, or with other steps. Calls of one turn end in any order. */
export function stepDifferences(recordings: readonly Recording[], logs: Logs): readonly string[] {
  return recordings.flatMap((recording) => {
    const { events, steps } = logOf(logs, recording);
    const end = endOf(events);
    if (end !== "recorded end") return [`${recording.id}: ${end}`];
    const [left, right] = [inTurns(steps), inTurns(recordedSteps(recording))];
    const at = right.findIndex((step, index) => step !== left[index]);
    const isEqual = at === -1 && left.length === right.length;
    return isEqual
      ? []
      : [`${recording.id}, step ${at}: ${left[at]?.slice(0, 300)} is not ${right[at]?.slice(0, 300)}`];
  });
}

/** Results of one turn sorted, since its calls run side by side. */
function inTurns(steps: readonly string[]): readonly string[] {
  const turns: string[][] = [];
  for (const step of steps) {
    const last = turns.at(-1);
    if (step.startsWith("result of ") && last?.[0]?.startsWith("result of ")) last.push(step);
    else turns.push([step]);
  }
  return turns.flatMap((turn) => turn.toSorted());
}

/** Of turns whose request was compacted: those whose decision does not say so in its record of the window (I8). */
export function withoutRecord(
  turns: readonly { readonly id: string; readonly turn: number }[],
  logs: Logs,
): readonly string[] {
  return turns
    .filter(({ id, turn }) => {
      const decisions = logs.get(id)?.events.filter((event) => event.type === "decision_made") ?? [];
      const record = decisions[turn]?.window;
      return !record || (record.dropped === 0 && record.view === undefined && !record.references);
    })
    .map(({ id, turn }) => `${id}, turn ${turn}: its record of the window says nothing of what was left out`);
}

/** Its output; or what it is instead. */
export function endOf(events: readonly ThreadEvent[]): DeskEnd | string {
  const last = events.at(-1);
  if (last?.type === "thread_completed") return String(last.output.value);
  return last?.type === "thread_failed" ? `failed: ${last.error.message}` : `not ended, last ${last?.type}`;
}

export interface LedgerFindings {
  readonly lines: number;
  readonly refused: number;
  /** Recordings whose ledger is not what they wrote, in order. */
  readonly differences: readonly string[];
  /** Writes that took place twice. */
  readonly twice: readonly string[];
}

/** @param isWhole - false where threads may have ended early: then what there is must be the recording's beginning. */
export function compareLedger(
  recordings: readonly Recording[],
  ledger: readonly LedgerLine[],
  isWhole = true,
): LedgerFindings {
  const byId = Map.groupBy(ledger, ({ id }) => id);
  const differences = recordings.flatMap((recording) => {
    const written = (byId.get(recording.id) ?? []).map(({ tool, args }) => writeKey(tool, args));
    const recorded = writesOf(recording).map(({ tool, args }) => writeKey(tool, args));
    const wanted = isWhole ? recorded : recorded.slice(0, written.length);
    return written.join("\n") === wanted.join("\n")
      ? []
      : [`${recording.id}: ledger has ${written.length} writes, the recording ${recorded.length}`];
  });
  const keys = ledger.map(({ idempotencyKey }) => idempotencyKey);
  return {
    lines: ledger.length,
    refused: ledger.filter(({ outcome }) => outcome === "refused").length,
    differences,
    twice: keys.filter((key, index) => keys.indexOf(key) !== index),
  };
}

export interface WrongWrites {
  /** Writes that the task's author does not want, or not so often. */
  readonly wrong: number;
  /** Of them, those that changed something; the others were refused by the desk's own rules. */
  readonly effective: number;
  readonly right: number;
}

export function countWrong(
  recordings: readonly Recording[],
  writes: readonly {
    readonly id: string;
    readonly tool: string;
    readonly args: Json;
    readonly isRefused: boolean;
  }[],
): WrongWrites {
  const left = new Map(recordings.map(({ id, gold }) => [id, [...gold]]));
  let [wrong, effective, right] = [0, 0, 0];
  for (const { id, tool, args, isRefused: refused } of writes) {
    const gold = left.get(id) ?? [];
    const at = gold.indexOf(writeKey(tool, args));
    if (at >= 0) {
      gold.splice(at, 1);
      right += 1;
    } else {
      wrong += 1;
      if (!refused) effective += 1;
    }
  }
  return { wrong, effective, right };
}

export function ledgerWrites(ledger: readonly LedgerLine[]) {
  return ledger.map((line) => ({ ...line, isRefused: line.outcome === "refused" }));
}

export function recordedWrites(recordings: readonly Recording[]) {
  return recordings.flatMap((recording) =>
    writesOf(recording).map((call) => ({ ...call, id: recording.id, isRefused: isRefused(resultOf(call)) })),
  );
}

export function logOf(logs: Logs, { id }: Recording): Log {
  const log = logs.get(id);
  if (!log) throw new Error(`no log of ${id} was read`);
  return log;
}
