// The published test kit, "holdpoint/testing": what agents, stores and dispatchers are tested with.

export { evalSuite } from "../eval/eval-suite.ts";
export type {
  ActionExpectation,
  EvalCase,
  EvalLimits,
  EvalSetup,
  EvalSuite,
  EvaluatedThread,
  Expectations,
  Never,
  Pattern,
  PersonRule,
  TrialSetup,
  TrialWorld,
} from "../eval/suite.ts";
export type { TrialNumbers } from "../eval/trial-numbers.ts";
export {
  type ApprovalCase,
  type ApprovalParts,
  approvalCases,
  type OpenVerdictPath,
  openDirectPath,
  type VerdictAnswer,
  type VerdictAttempt,
  type VerdictPath,
} from "./approval-contract.ts";
export {
  type DispatcherCase,
  dispatcherCases,
  type OpenDispatcher,
  type OpenedDispatcher,
} from "./dispatcher-contract.ts";
export {
  type FaultPoint,
  type FaultPoints,
  type Faults,
  faultPoints,
  type PortCall,
  ProcessStopped,
} from "./fault-points.ts";
export {
  type FaultKind,
  type FaultName,
  type FaultyCall,
  type FaultyModel,
  type FaultyModelOptions,
  faultKinds,
  faultyModel,
} from "./faulty-model.ts";
export { inputDigest } from "./input-digest.ts";
export { type ManualClock, manualClock } from "./manual-clock.ts";
export { type RecordOptions, recordModel } from "./record-model.ts";
export { type RecordedModel, type RecordedModelOptions, recordedModel } from "./recorded-model.ts";
export {
  type Script,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedOutput,
  type ScriptedTurn,
  scriptedModel,
} from "./scripted-model.ts";
export {
  type OpenStore,
  outboxCases,
  type StoreCase,
  type StoreWithOutbox,
  type StoreWithSchedules,
  type StoreWithTokens,
  scheduleCases,
  storeCases,
  tokenCases,
} from "./store-contract.ts";
