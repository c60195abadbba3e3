// What every way that verdicts take must hold (I4 to I6), as cases for any test framework:
//   for (const { name, run } of approvalCases) test(name, () => run({ openStore, openPath }));
// Each case needs a place of its own with nothing in it; `openStore` opens one more store there, as another process
// would, and `openPath` the way from a person to the runtime: a channel, a service, or the runtime's own function.
import { batchCases } from "./approval-contract/batches.ts";
import type { ApprovalCase } from "./approval-contract/case.ts";
import { changeCases } from "./approval-contract/changes.ts";
import { verdictCases } from "./approval-contract/verdicts.ts";

export type {
  ApprovalCase,
  ApprovalParts,
  OpenVerdictPath,
  VerdictAnswer,
  VerdictAttempt,
  VerdictPath,
} from "./approval-contract/case.ts";
export { openDirectPath } from "./approval-contract/case.ts";

export const approvalCases: readonly ApprovalCase[] = [...verdictCases, ...changeCases, ...batchCases];
