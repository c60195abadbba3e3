import { type ErrorCode, isHoldpointError } from "../core/errors.ts";

/** 0 ok, 1 failed, 2 usage, 3 try again, 4 not allowed (design §7). */
export type ExitCode = 0 | 1 | 2 | 3 | 4;

/** The one table from error to exit code. */
const exitCodes: { readonly [Code in ErrorCode]: ExitCode } = {
  usage: 2,
  invalid_input: 2,
  invalid_json: 2,
  agent_not_found: 2,
  agent_invalid: 2,
  tool_invalid: 2,
  prompt_invalid: 2,
  thread_not_found: 2,
  request_not_found: 2,
  operation_not_found: 2,
  request_already_decided: 4,
  verdict_invalid: 4,
  thread_ended: 4,
  append_conflict: 3,
  tally_exceeded: 3,
  lease_lost: 3,
  store_busy: 3,
  store_unavailable: 3,
  store_full: 3,
  store_corrupt: 1,
  store_newer: 1,
  store_read_only: 1,
  event_unknown: 1,
  not_json: 1,
  artifact_missing: 1,
  flow_changed: 1,
  flow_stuck: 1,
  flow_failed: 1,
  operation_ambiguous: 1,
  crash_loop: 1,
  step_failed: 1,
  tool_unknown: 1,
  tool_failed: 1,
  tool_timeout: 1,
  tool_aborted: 1,
  invalid_arguments: 1,
  result_not_json: 1,
  result_too_large: 1,
  did_not_happen: 1,
  model_unavailable: 1,
  model_not_installed: 1,
  model_failed: 1,
  model_timeout: 1,
  model_throttled: 3,
  model_overflow: 1,
  model_interrupted: 3,
  model_circuit_open: 3,
  wire_mismatch: 1,
  invalid_decision: 1,
  window_over_budget: 1,
  window_failed: 1,
  limit_reached: 1,
  child_failed: 1,
  stopped_by_person: 1,
  internal: 1,
};

/** The exit code that tells a script what kind of error this is. */
export function exitCodeOf(error: unknown): ExitCode {
  return isHoldpointError(error) ? exitCodes[error.code] : 1;
}
