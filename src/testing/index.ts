// The published test kit, "holdpoint/testing": what agents, stores and dispatchers are tested with.
export {
  type Script,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedTurn,
  scriptedModel,
} from "../models/scripted.ts";
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
export { type ManualClock, manualClock } from "./manual-clock.ts";
export { type OpenStore, type StoreCase, storeCases } from "./store-contract.ts";
