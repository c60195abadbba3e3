// The public API of Holdpoint. Test helpers are in "holdpoint/testing".
export { type Agent, type AgentDefinition, agent, isAgent, type Prompt } from "./core/agent.ts";
export { defaultFlow } from "./core/default-flow.ts";
export { actionDigest } from "./core/digest.ts";
export type { Duration } from "./core/duration.ts";
export { type ErrorCode, type ErrorInfo, HoldpointError, isHoldpointError } from "./core/errors.ts";
export type {
  ArtifactRef,
  Call,
  Cost,
  Decision,
  Effect,
  EventBody,
  EventOf,
  EventType,
  GateOutcome,
  Reasoning,
  RequestKind,
  Risk,
  Stored,
  ThreadEvent,
  Usage,
  Verdict,
  VerdictKind,
  WindowRecord,
  WireRecord,
} from "./core/events.ts";
export type {
  ActionResult,
  AskOptions,
  AskResult,
  CallOf,
  CallOptions,
  DecideOptions,
  DecisionOf,
  Flow,
  FlowContext,
  PendingOperation,
  StepContext,
  StepOptions,
  WaitResult,
} from "./core/flow.ts";
export { type Gate, type GatedAction, type GatePolicy, gate, highRiskNames } from "./core/gate.ts";
export { canonicalJson, type Json } from "./core/json.ts";
export type { LimitOptions } from "./core/limits.ts";
export { type Rest, replay } from "./core/replay.ts";
export type { Schema } from "./core/schema.ts";
export { evolve, initialState, type ThreadState } from "./core/state.ts";
export {
  type RunContext,
  type Tool,
  type ToolDefinition,
  type TypedTool,
  tool,
  type Verification,
} from "./core/tool.ts";
export { type WindowOptions, type WindowSettings, window } from "./core/window/window.ts";
export { localDispatcher } from "./dispatch/local.ts";
export { closeRuntime, type EmbeddedOptions, openEmbedded } from "./embedded.ts";
export { modelResolver } from "./models/resolve-model.ts";
export { tokenEstimator } from "./models/token-estimator.ts";
export type { Channel, ChannelVerdict } from "./ports/channel.ts";
export type { Clock } from "./ports/clock.ts";
export type { Dispatcher, Message, MessageHandler } from "./ports/dispatcher.ts";
export type {
  GenerateOptions,
  Model,
  ModelCall,
  ModelFacts,
  ModelInput,
  ModelMessage,
  ModelOutput,
  ModelPrice,
  ModelProgress,
  ModelTool,
} from "./ports/model.ts";
export type {
  Lease,
  Page,
  Problem,
  RequestRow,
  Store,
  ThreadRow,
  ThreadStatus,
  VerifyReport,
} from "./ports/store.ts";
export type { TokenCounter } from "./ports/token-counter.ts";
export {
  cancelThread,
  handleOperation,
  type Signal,
  type Started,
  type StartOptions,
  sendSignal,
  settleAction,
  startThread,
} from "./runtime/commands.ts";
export { forkThread } from "./runtime/fork.ts";
export { createRuntime, type Hint, type Runtime, type RuntimeOptions } from "./runtime/runtime.ts";
export { systemClock } from "./runtime/system-clock.ts";
export { type Decided, decideRequest } from "./runtime/verdicts.ts";
export { type SettleOptions, settleThreads, startWorker, type Worker } from "./runtime/worker.ts";
export { openSqliteStore } from "./stores/sqlite/store.ts";
