// What each code means and the way out: for the reference, and for errors that say no `fix` of their own. A code that is
// missing here does not compile.
import type { ErrorCode } from "../core/errors.ts";

interface Meaning {
  readonly what: string;
  /** Markdown of a page in `docs/reference`. */
  readonly wayOut: string;
}

interface Group {
  readonly title: string;
  readonly codes: readonly string[];
}

const mistakes = {
  usage: {
    what: "What was asked for cannot be done as it was put: an option, a name, a file.",
    wayOut: "Do what the message says; `--help` shows the options.",
  },
  invalid_input: {
    what: "The input does not fit the agent's schema.",
    wayOut: "Send what the schema takes; `holdpoint check` shows it.",
  },
  invalid_json: {
    what: "The text is no JSON, or holds a member twice or a number with more digits than are kept.",
    wayOut: "Correct the text.",
  },
  agent_not_found: {
    what: "No agent of this name is at hand.",
    wayOut: "Name its file: `--agent <file>`, or `agents` in the config.",
  },
  agent_invalid: {
    what: "The agent's definition, or its file, cannot be used.",
    wayOut: "Correct what the message names; files run by type stripping, without enums and namespaces.",
  },
  tool_invalid: {
    what: "A tool's definition cannot be used.",
    wayOut: "Correct its name, schema, risk, effect or hook.",
  },
  suite_invalid: {
    what: "A suite of `holdpoint eval` cannot be read, or names what is not there; with its line.",
    wayOut: "Correct that line.",
  },
  prompt_invalid: {
    what: "A prompt file cannot be read, or names what is not there; with its line.",
    wayOut: "Correct that line.",
  },
  thread_not_found: { what: "There is no thread of this id.", wayOut: "`holdpoint threads` lists them." },
  request_not_found: {
    what: "There is no request of this id.",
    wayOut: "`holdpoint inbox` lists the open ones.",
  },
  operation_not_found: {
    what: "The thread has no operation of this key.",
    wayOut: "`holdpoint show <thread>` lists them.",
  },
  standing_not_found: {
    what: "There is no standing approval of this id.",
    wayOut: "`holdpoint standing list --all` lists them.",
  },
  standing_invalid: {
    what: "A standing approval without bounds, or beyond what may be granted.",
    wayOut: "Give uses, an end within 90 days, a reason, and a condition.",
  },
  token_not_found: { what: "There is no token of this id.", wayOut: "`holdpoint token list` lists them." },
  route_not_found: { what: "The service has nothing at this address.", wayOut: "See `/openapi.json`." },
  method_not_allowed: {
    what: "The address takes other methods.",
    wayOut: "Use one of those named in `Allow`.",
  },
  media_type_unsupported: {
    what: "The body is not JSON in UTF-8.",
    wayOut: "Send `Content-Type: application/json`.",
  },
  body_too_large: {
    what: "The body, or what is in it, is larger than is taken.",
    wayOut: "Send less, or a reference to it.",
  },
  body_too_slow: { what: "The body did not arrive in time.", wayOut: "Send it again." },
  delivery_not_found: {
    what: "There is no delivery of this id.",
    wayOut: "`holdpoint deliveries` lists them.",
  },
} as const;

const refusals = {
  request_already_decided: {
    what: "Somebody decided differently before; the message says who and when.",
    wayOut: "Nothing: the first verdict stands.",
  },
  verdict_invalid: {
    what: "The request does not take this verdict, or the edited arguments or the answer do not validate.",
    wayOut: "Give one of the verdicts that it lists, with what the schema takes.",
  },
  not_an_approver: {
    what: "This principal may not decide this request, or asked for it themselves.",
    wayOut: "Let one of its approvers decide; `--as` says who you are.",
  },
  thread_ended: { what: "The thread has ended; nothing can be added.", wayOut: "Fork it before its end." },
  digest_mismatch: {
    what: "What would run is not what was shown.",
    wayOut: "Look at the request again, then decide.",
  },
  key_conflict: {
    what: "The same idempotency key came with another body or input.",
    wayOut: "Use a new key for new work.",
  },
  unauthenticated: {
    what: "No token, or one that is unknown, expired or revoked.",
    wayOut: "Send a good one: `holdpoint token create`.",
  },
  scope_missing: {
    what: "The token does not have the scope that this needs.",
    wayOut: "Use one that has it.",
  },
  origin_refused: {
    what: "The request came from another site's page, or under a foreign host name.",
    wayOut: "Use the public URL; see `allowedHosts`.",
  },
} as const;

const temporary = {
  append_conflict: {
    what: "Somebody else appended first.",
    wayOut: "Read again, and decide again. The runtime does so by itself.",
  },
  tally_exceeded: {
    what: "An action would go beyond a limit on a sum that others have used up meanwhile.",
    wayOut: "Nothing: the action is judged again.",
  },
  lease_lost: { what: "Another worker has the thread by now.", wayOut: "Nothing: the other one goes on." },
  rate_limited: {
    what: "More requests than the rate allows.",
    wayOut: "Wait for as long as `Retry-After` says.",
  },
  too_many_streams: {
    what: "A token holds as many event streams as it may.",
    wayOut: "End streams that nobody reads, or read pages of events.",
  },
  service_busy: {
    what: "The service holds as many streams as it can.",
    wayOut: "Come back later, or read pages instead.",
  },
  store_busy: {
    what: "Another process keeps the store locked.",
    wayOut: "Try again; if it stays so, look for a transaction that is left open.",
  },
  store_unavailable: {
    what: "The file cannot be opened, read or written.",
    wayOut: "Check the disk and the path, then read again what was written.",
  },
  store_full: {
    what: "There is no space left.",
    wayOut: "Free some; the store goes on by itself. See the [runbook](../operations.md#the-disk-is-full).",
  },
  channel_unavailable: {
    what: "The other side of a channel cannot be reached.",
    wayOut: "Nothing: it is sent again, with growing waits.",
  },
} as const;

const broken = {
  store_corrupt: {
    what: "The file, a chain or a row is not what was written.",
    wayOut: "Run `holdpoint verify`, and follow the [runbook](../operations.md#store_corrupt).",
  },
  store_newer: {
    what: "A newer Holdpoint wrote the file.",
    wayOut: "Use that version, or restore the back-up made before the upgrade.",
  },
  store_read_only: {
    what: "This user cannot write the file or its folder.",
    wayOut: "Give them the permission for both.",
  },
  event_unknown: {
    what: "The log holds an event that this version does not know, or in a form it does not know.",
    wayOut: "Use the Holdpoint that wrote it.",
  },
  not_json: {
    what: "A value cannot be held in JSON.",
    wayOut: "Give plain data: no functions, dates as text, no cycles.",
  },
  artifact_missing: {
    what: "A reference names a value that this thread has not.",
    wayOut: "Use the references that the window shows.",
  },
  channel_refused: {
    what: "The other side of a channel refused the message for good.",
    wayOut: "See `holdpoint deliveries --failed`; correct the address, and send it again.",
  },
  check_failed: {
    what: "The agent's check found an error, so no thread is started.",
    wayOut: "Correct what `holdpoint check` names, or say why not: `--unchecked`.",
  },
} as const;

const recorded = {
  flow_changed: {
    what: "The agent's code no longer matches the log; the message names the operation.",
    wayOut: "Run the old version, fork, or mark it handled: see [Upgrade](../operations.md#upgrade).",
  },
  flow_stuck: { what: "The flow awaits something that is no operation.", wayOut: "Put it into `t.step`." },
  flow_failed: { what: "The flow threw.", wayOut: "Correct it; fork the thread before its end." },
  operation_ambiguous: {
    what: "Two operations of one kind and name run in parallel.",
    wayOut: "Give them different names.",
  },
  crash_loop: {
    what: "Workers died in a row while they ran this thread.",
    wayOut: "Look at its last operation, and at memory limits; then continue or stop.",
  },
  step_failed: {
    what: "A step failed in all of its tries.",
    wayOut: "Catch it in the flow, or correct the cause and fork.",
  },
  tool_unknown: {
    what: "The model, or the flow, called a tool that is not offered.",
    wayOut: "Nothing: the model is told. In a flow, correct the name.",
  },
  tool_failed: {
    what: "A tool threw.",
    wayOut: "The model is shown the cause in short; `explain` says it better.",
  },
  tool_timeout: {
    what: "A tool gave no answer in time.",
    wayOut: "Raise its `timeout`; a `once` tool is in doubt then.",
  },
  tool_aborted: { what: "A tool was told to stop.", wayOut: "Nothing, if the thread was cancelled." },
  invalid_arguments: {
    what: "A call's arguments do not fit the tool's schema.",
    wayOut: "Nothing: the model is told. Describe the schema better if it stays so.",
  },
  result_not_json: { what: "What code returned cannot be kept as JSON.", wayOut: "Return plain data." },
  result_too_large: {
    what: "A value is larger than is kept.",
    wayOut: "Return less, or keep it elsewhere and return where.",
  },
  did_not_happen: {
    what: "A person said of an action in doubt that it did not happen.",
    wayOut: "Nothing: the model sees it.",
  },
  model_unavailable: {
    what: "The model cannot be called: no key, no such host, none named.",
    wayOut: "Set what the message names.",
  },
  model_not_installed: {
    what: "The provider's package is not installed.",
    wayOut: "`npm install` the package that the message names.",
  },
  model_failed: {
    what: "The provider failed or refused; `details.kind` says which.",
    wayOut: "The thread asks when it stays so. See [Models](../models.md#when-a-call-fails).",
  },
  model_timeout: {
    what: "The model gave no answer in time.",
    wayOut: "Nothing: tried again. Raise `modelTimeout` for slow models.",
  },
  model_throttled: {
    what: "Too many calls or tokens for now.",
    wayOut: "Nothing: tried again when the provider says. Set limits, or ask it for more.",
  },
  model_overflow: {
    what: "The input did not fit the model's context.",
    wayOut: "Lower the window's budget; the thread is tried again with less.",
  },
  model_interrupted: { what: "An answer broke off.", wayOut: "Nothing: tried again." },
  model_circuit_open: {
    what: "The model failed so often in a row that it is left alone for a while.",
    wayOut: "Nothing: tried again after that.",
  },
  wire_mismatch: {
    what: "What the provider's package would send is not what the window made.",
    wayOut: "Correct the setting that the message names, or allow it with `strict: false`.",
  },
  invalid_decision: {
    what: "A model's output could not be used.",
    wayOut: "Nothing: asked again, then a person is. See the request's evidence.",
  },
  window_over_budget: {
    what: "What has to stand in the window does not fit its budget; the message names parts and sizes.",
    wayOut: "Raise the budget, or make the prompt, the tools or pinned parts smaller.",
  },
  window_failed: {
    what: "Code of your window (a section, a rendering, a note) threw, or gave nothing that can be shown.",
    wayOut: "Correct it; continue the thread.",
  },
  limit_reached: {
    what: "A limit of the agent is reached.",
    wayOut: "Continue (the same again) or stop, in the inbox.",
  },
  child_failed: {
    what: "A child thread failed or was cancelled.",
    wayOut: "Catch it in the flow; `holdpoint show` names the child.",
  },
  stopped_by_person: { what: "A person stopped the thread.", wayOut: "Nothing." },
  internal: {
    what: "A fault of Holdpoint, or of something it relies on.",
    wayOut: "Report it, with the message and the log (`holdpoint export`).",
  },
} as const;

/** By code. */
export const meanings: { readonly [Code in ErrorCode]: Meaning } = {
  ...mistakes,
  ...refusals,
  ...temporary,
  ...broken,
  ...recorded,
};

/** The way out where no page is around it: links name the file in the package. */
export function wayOutOf(code: ErrorCode): string {
  return meanings[code].wayOut.replace(/\[([^\]]+)\]\(\.\.\/([^)]+)\)/g, "$1 (docs/$2)");
}

export const meaningGroups: readonly Group[] = [
  { title: "A caller's mistake", codes: Object.keys(mistakes) },
  { title: "Refused", codes: Object.keys(refusals) },
  { title: "Try again", codes: Object.keys(temporary) },
  { title: "A broken dependency, or a corrupt log", codes: Object.keys(broken) },
  { title: "Recorded in the log, as data", codes: Object.keys(recorded) },
];
