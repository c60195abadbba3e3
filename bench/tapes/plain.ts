// The modes that run in one process: plain, with a small window, and with an approver who follows the gold actions.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { runAll } from "./desk-runtime.ts";
import {
  compareLedger,
  countWrong,
  endOf,
  ledgerWrites,
  logOf,
  readLogs,
  recordedWrites,
  stepDifferences,
  withoutRecord,
} from "./judge.ts";
import { openModelServer } from "./model-server.ts";
import type { Recording } from "./recordings.ts";
import type { Report } from "./report.ts";
import { startTools } from "./tool-process.ts";

/** Room for every recording whole; gpt-4o and gpt-4.1 take more. */
export const wholeBudget = 100_000;
const smallBudget = 8_000;

export interface ModeOptions {
  /** Where the store and the ledger go; made when missing. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Every recording to its end, with everything approved. */
export async function runPlain(recordings: readonly Recording[], options: ModeOptions): Promise<Report> {
  const { report } = await run(recordings, {
    ...options,
    mode: "plain",
    budget: wholeBudget,
    approver: "all",
  });
  return report;
}

/** The same with the window at 8,000 tokens. */
export async function runSmallWindow(
  recordings: readonly Recording[],
  options: ModeOptions,
): Promise<Report> {
  const { report } = await run(recordings, {
    ...options,
    mode: "window",
    budget: smallBudget,
    approver: "all",
  });
  return report;
}

/** Writes are approved when the task's author wants them; the first rejection ends a thread. */
export async function runGold(recordings: readonly Recording[], options: ModeOptions): Promise<Report> {
  const { report, ledger, ends } = await run(recordings, {
    ...options,
    mode: "gold",
    budget: wholeBudget,
    approver: "gold",
  });
  const gated = countWrong(recordings, ledgerWrites(ledger));
  const ungated = countWrong(recordings, recordedWrites(recordings));
  const figures = [
    { what: "wrong writes executed, approver follows the gold actions", value: gated.wrong, want: 0 },
    { what: "wrong writes executed, every write allowed (the recording)", value: ungated.wrong },
    { what: "  of them, those that the desk did not refuse itself", value: ungated.effective },
    { what: "right writes executed, approver follows the gold actions", value: gated.right },
    { what: "right writes executed, every write allowed", value: ungated.right },
    { what: "threads that end at a rejection, where the recording cannot go on", value: ends.rejected },
    { what: "threads that reach the recorded end", value: ends.recorded },
  ];
  return { ...report, figures: [...figures, ...report.figures] };
}

interface RunOptions extends ModeOptions {
  readonly mode: "plain" | "window" | "gold";
  readonly budget: number;
  readonly approver: "all" | "gold";
}

async function run(recordings: readonly Recording[], { mode, budget, approver, folder, signal }: RunOptions) {
  mkdirSync(folder, { recursive: true });
  const startedAt = performance.now();
  const [matching, most] =
    mode === "window" ? (["compacted", budget] as const) : (["whole", undefined] as const);
  await using tools = disposing(await startTools(folder, recordings));
  await using model = disposing(
    await openModelServer(recordings, { matching, ...(most && { budget: most }) }),
  );
  const path = join(folder, "holdpoint.db");
  const urls = { toolsUrl: tools.url, modelUrl: model.url };
  await runAll(recordings, { path, ...urls, budget, approver, signal });
  const ledger = tools.ledger();
  const logs = await readLogs(path, recordings);
  const threadEnds = recordings.map((recording) => endOf(logOf(logs, recording).events));
  const ends = {
    recorded: threadEnds.filter((end) => end === "recorded end").length,
    rejected: threadEnds.filter((end) => end === "rejected").length,
  };
  return { report: reportOf(), ledger, ends };

  function reportOf(): Report {
    const isGold = mode === "gold";
    const written = compareLedger(recordings, ledger, !isGold);
    const differing = isGold ? [] : stepDifferences(recordings, logs);
    const events = recordings.reduce((sum, recording) => sum + logOf(logs, recording).events.length, 0);
    const failed = recordings.length - ends.recorded - ends.rejected;
    const unrecorded = withoutRecord(model.compacted, logs);
    const windows = [
      {
        what: `requests over ${budget} tokens, by the model's own tokenizer`,
        value: model.overBudget,
        want: 0,
      },
      { what: "largest request, tokens", value: model.largestTokens },
      { what: "requests in which something is compacted", value: model.compacted.length },
      { what: "  of them, without a record of what was left out", value: unrecorded.length, want: 0 },
      { what: "  of them, with everything so far told in short", value: model.toldWholly },
      { what: "results shown by reference to exactly what was recorded", value: model.referenced },
    ];
    return {
      mode,
      seconds: (performance.now() - startedAt) / 1_000,
      figures: [
        { what: "recorded runs", value: recordings.length },
        { what: "threads that did not end", value: failed, want: 0 },
        ...(isGold
          ? []
          : [{ what: "threads with another result sequence", value: differing.length, want: 0 }]),
        { what: "requests that differ from the recording", value: model.differences.length, want: 0 },
        { what: "model calls", value: model.asked },
        { what: "model calls asked again", value: model.askedAgain, want: 0 },
        { what: "events", value: events },
        { what: "writes in the ledger", value: written.lines },
        { what: "  of them refused by the desk", value: written.refused },
        { what: "ledgers that differ from the recorded writes", value: written.differences.length, want: 0 },
        { what: "writes that took place twice", value: written.twice.length, want: 0 },
        ...(mode === "window" ? windows : []),
      ],
      problems: [...model.differences, ...differing, ...written.differences, ...written.twice],
    };
  }
}

function disposing<T extends { close(): Promise<void> }>(resource: T): T & AsyncDisposable {
  return Object.assign(resource, { [Symbol.asyncDispose]: () => resource.close() });
}
