import type { AddCommand } from "./command-line.ts";
import { addAnswer } from "./commands/answer.ts";
import { addApprove } from "./commands/approve.ts";
import { addBackup } from "./commands/backup.ts";
import { addCancel } from "./commands/cancel.ts";
import { addCheck } from "./commands/check.ts";
import { addDeliveries } from "./commands/deliveries.ts";
import { addEval } from "./commands/eval.ts";
import { addExport } from "./commands/export.ts";
import { addFlag } from "./commands/flag.ts";
import { addFork } from "./commands/fork.ts";
import { addInbox } from "./commands/inbox.ts";
import { addInit } from "./commands/init.ts";
import { addPrompt } from "./commands/prompt.ts";
import { addPrune } from "./commands/prune.ts";
import { addReject } from "./commands/reject.ts";
import { addResolve } from "./commands/resolve.ts";
import { addRun } from "./commands/run.ts";
import { addSchedules } from "./commands/schedules.ts";
import { addServe } from "./commands/serve.ts";
import { addShow } from "./commands/show.ts";
import { addSignal } from "./commands/signal.ts";
import { addStanding } from "./commands/standing.ts";
import { addStats } from "./commands/stats.ts";
import { addThreads } from "./commands/threads.ts";
import { addToken } from "./commands/token.ts";
import { addVerify } from "./commands/verify.ts";
import { addWorker } from "./commands/worker.ts";

/** Every command, in the order of `holdpoint --help`. */
export const commands: readonly AddCommand[] = [
  addInit,
  addRun,
  addCheck,
  addThreads,
  addShow,
  addPrompt,
  addInbox,
  addDeliveries,
  addApprove,
  addReject,
  addAnswer,
  addResolve,
  addStanding,
  addSignal,
  addCancel,
  addFork,
  addFlag,
  addStats,
  addEval,
  addWorker,
  addSchedules,
  addServe,
  addToken,
  addBackup,
  addExport,
  addPrune,
  addVerify,
];
