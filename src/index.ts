// The public API of Holdpoint. Test helpers are in "holdpoint/testing".
export { type EmailChannelOptions, emailChannel } from "./channels/email/email.ts";
export type { SmtpOptions } from "./channels/email/send-mail.ts";
export { type SlackChannelOptions, slackChannel } from "./channels/slack/slack.ts";
export { type WebhookChannelOptions, webhookChannel } from "./channels/webhook.ts";
export { type CheckAgentOptions, checkAgent } from "./check-agent.ts";
export { type Accept, type Agent, type AgentDefinition, agent, isAgent } from "./core/agent.ts";
export { renderReference } from "./core/artifact-ref.ts";
export type { CodeRow } from "./core/check/code-row.ts";
export { type CheckCode, checkCodes } from "./core/check/codes.ts";
export type {
  Check,
  CheckContext,
  CheckedChannel,
  CheckedModel,
  Finding,
  FindingArea,
  FindingLevel,
  FindingPlace,
  FindingSubject,
} from "./core/check/finding.ts";
export { costOf, type TokenPrices } from "./core/cost.ts";
export { type Counted, type CumulativeLimit, cumulative } from "./core/cumulative.ts";
export { defaultFlow } from "./core/default-flow.ts";
export { describeValue } from "./core/describe-value.ts";
export { actionDigest } from "./core/digest.ts";
export type { Duration } from "./core/duration.ts";
export type { EncodingName, Rendering, RenderingName, Shown } from "./core/encodings/encoding.ts";
export { intentInstructions } from "./core/encodings/intents.ts";
export {
  type CompactError,
  compactError,
  type ErrorContext,
  failureKey,
} from "./core/error-compaction/compact-error.ts";
export type { ErrorKind } from "./core/error-compaction/error-kind.ts";
export { renderError } from "./core/error-compaction/render-error.ts";
export { type ErrorCode, type ErrorInfo, HoldpointError, isHoldpointError } from "./core/errors.ts";
export type {
  ArgumentSource,
  ArtifactRef,
  Call,
  Cost,
  Count,
  Deciders,
  Decision,
  Effect,
  EventBody,
  EventOf,
  EventType,
  GateOutcome,
  PromptRecord,
  Reasoning,
  RequestKind,
  Risk,
  ShadowOutcome,
  Stored,
  ThreadEvent,
  Unchecked,
  Usage,
  Verdict,
  VerdictKind,
  Vote,
  WireRecord,
} from "./core/events.ts";
export { evolve } from "./core/evolve.ts";
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
export type { FactKind, ThreadNumbers } from "./core/numbers/facts.ts";
export type { Spread } from "./core/numbers/spread.ts";
export type {
  Share,
  Stats,
  StatsGroup,
  StatsGrouping,
  StatsReport,
} from "./core/numbers/stats.ts";
export type { AgentTotals, EndedTotals, TimeName, TimeTotals } from "./core/numbers/totals.ts";
export { type OfficeHours, outsideHours, type Weekday } from "./core/office-hours.ts";
export { type Person, peopleFor, rolesOf } from "./core/person.ts";
export { previewOf } from "./core/preview.ts";
export {
  type Prompt,
  type PromptContext,
  type PromptTemplate,
  type PromptVariable,
  type RenderedPrompt,
  renderPrompt,
} from "./core/prompt/prompt.ts";
export type { TagName, TemplateNode } from "./core/prompt/template.ts";
export type { PartRequest } from "./core/read-part.ts";
export { type Rest, replay } from "./core/replay.ts";
export { type RequestField, type RequestView, type ViewedRequest, viewRequest } from "./core/request-view.ts";
export { type Rule, rule, type ToolPattern } from "./core/rule.ts";
export type { Schema } from "./core/schema.ts";
export { type SilentOverflow, type SilentOverflowCase, silentOverflow } from "./core/silent-overflow.ts";
export {
  type ArgumentCondition,
  type StandingApproval,
  type StandingGrant,
  type StandingStatus,
  standingAgent,
} from "./core/standing.ts";
export { initialState, type ThreadState } from "./core/state.ts";
export {
  type PreviewContext,
  type RunContext,
  type Tool,
  type ToolDefinition,
  type TypedTool,
  tool,
  type Verification,
} from "./core/tool.ts";
export {
  type SignatureCheck,
  type SignatureOptions,
  type SignedMessage,
  type TimedSignatureOptions,
  verifyGitHub,
  verifySlack,
  verifyStandardWebhook,
} from "./core/webhook-signature.ts";
export {
  type ExactInput,
  type ExactPart,
  exactInput,
  exactInputs,
  modelCallsOf,
} from "./core/window/exact-input.ts";
export type { AskOutcome, ShownNote } from "./core/window/render.ts";
export {
  cutEnd,
  cutMiddle,
  keepLastLines,
  keepSalient,
  type Section,
  type Shrinker,
} from "./core/window/section.ts";
export {
  type ShrinkStep,
  type SummaryOptions,
  summaryInstructions,
  type WindowOptions,
  type WindowSettings,
  window,
} from "./core/window/settings.ts";
export type { HistoryAction, HistoryEntry, ThreadView } from "./core/window/thread-view.ts";
export type { WindowRecord } from "./core/window/window-record.ts";
export { localDispatcher } from "./dispatch/local.ts";
export { closeRuntime, type EmbeddedOptions, openEmbedded } from "./embedded.ts";
export { jsonSchema } from "./json-schema.ts";
export { type AiSdkLanguageModel, type AiSdkModelOptions, aiSdkModel } from "./models/ai-sdk.ts";
export type { CircuitOptions } from "./models/circuit.ts";
export { type CountInputOptions, countInputTokens } from "./models/count-input-tokens.ts";
export type { ModelFailureKind } from "./models/failure-row.ts";
export { type ModelLimiterOptions, modelLimiter, type RateLimits } from "./models/limit-model.ts";
export { type ModelFactsLookup, modelFacts } from "./models/model-facts.ts";
export { type ClassifyOptions, classifyModelFailure, type ModelFailure } from "./models/model-failure.ts";
export type { ProviderSettings } from "./models/providers.ts";
export { type ModelResolver, type ModelResolverOptions, modelResolver } from "./models/resolve-model.ts";
export { soundCounter } from "./models/sound-counter.ts";
export { tokenEstimator } from "./models/token-estimator.ts";
export { type WireFetchOptions, wireFetch } from "./models/wire/wire-fetch.ts";
export type {
  Channel,
  ChannelVerdict,
  DeliveryChannel,
  Desk,
  Notice,
  NoticeKind,
} from "./ports/channel.ts";
export type { Clock } from "./ports/clock.ts";
export type { Dispatcher, Message, MessageHandler } from "./ports/dispatcher.ts";
export type { EventFeed, StoreCounts } from "./ports/event-feed.ts";
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
export type { Mount, MountContext } from "./ports/mount.ts";
export type {
  CountedAgent,
  CountedAnswer,
  CountedNumbers,
  CountedThread,
  FactCount,
  NumbersQuery,
  NumbersStore,
} from "./ports/numbers-store.ts";
export type {
  ClaimedDelivery,
  DeliveryOutcome,
  DeliveryQuery,
  DeliveryStatus,
  DeliveryTry,
  OutboxBatch,
  OutboxChange,
  OutboxDelivery,
  OutboxFact,
  OutboxStore,
} from "./ports/outbox.ts";
export type { ScheduleClaim, ScheduleRow, ScheduleStore, WaitingTick } from "./ports/schedule-store.ts";
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
export type {
  EffectEnd,
  EffectFacts,
  EffectTelemetry,
  Telemetry,
  TelemetryScope,
  TurnEnd,
  TurnFacts,
  TurnTelemetry,
} from "./ports/telemetry.ts";
export type { TokenCounter } from "./ports/token-counter.ts";
export type { TokenRow, TokenScope, TokenStore } from "./ports/token-store.ts";
export { parsePrompt } from "./prompts/parse-prompt.ts";
export { promptFile } from "./prompts/prompt-file.ts";
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
export { flagAction } from "./runtime/flag-action.ts";
export { forkThread } from "./runtime/fork.ts";
export { type ChannelMounts, channelMounts } from "./runtime/mounts.ts";
export { type Outbox, type OutboxOptions, settleOutbox, startOutbox } from "./runtime/outbox.ts";
export { type ReadArtifactArgs, type ReadArtifactOptions, readArtifact } from "./runtime/read-artifact.ts";
export { readStats, type StatsQuery } from "./runtime/read-stats.ts";
export { createRuntime, type Hint, type Runtime, type RuntimeOptions } from "./runtime/runtime.ts";
export { grantStanding, listStanding, revokeStanding, type StandingReport } from "./runtime/standing.ts";
export { systemClock } from "./runtime/system-clock.ts";
export { type Decided, type DecideRequest, decideRequest } from "./runtime/verdicts.ts";
export { type SettleOptions, settleThreads, startWorker, type Worker } from "./runtime/worker.ts";
export { type BackupOptions, type BackupReport, backupSqliteStore } from "./stores/sqlite/backup.ts";
export type { LeasedThread } from "./stores/sqlite/leases.ts";
export {
  type PruneOptions,
  type PruneProgress,
  type PruneReport,
  pruneSqliteStore,
} from "./stores/sqlite/prune.ts";
export type { KeptReason, KeptTree } from "./stores/sqlite/remove-tree.ts";
export { openSqliteStore, type SqliteStore } from "./stores/sqlite/store.ts";
export { type OpenTelemetryOptions, openTelemetry } from "./telemetry/open-telemetry.ts";
export { threadTrace } from "./telemetry/thread-trace.ts";
export type { Calendar } from "./triggers/calendar.ts";
export { type Fired, type FireOptions, fireSchedules } from "./triggers/fire-schedules.ts";
export {
  type MissedTicks,
  type Schedule,
  type ScheduleDefinition,
  schedule,
  type Tick,
} from "./triggers/schedule.ts";
export {
  registerSchedules,
  type ScheduleOptions,
  type Schedules,
  startSchedules,
} from "./triggers/start-schedules.ts";
export {
  type GitHubOptions,
  github,
  type SecretsOptions,
  type SignallingWebhook,
  type StartingWebhook,
  standardWebhook,
  type Webhook,
  type WebhookDefinition,
  type WebhookMessage,
  type WebhookSignal,
  type WebhookVerification,
  webhook,
  webhookSecrets,
} from "./triggers/webhook.ts";
export { type MountWebhooksOptions, mountWebhooks } from "./triggers/webhook-mount.ts";
