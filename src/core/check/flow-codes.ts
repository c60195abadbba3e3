import type { CodeRow } from "./code-row.ts";

export type FlowCode =
  | "limit_off"
  | "limit_steps_low"
  | "limit_tokens_low"
  | "limit_time_low"
  | "gate_allows_everything"
  | "risky_tool_allowed"
  | "risk_low_by_name"
  | "high_risk_unmatched"
  | "rule_tool_unknown"
  | "rule_pattern_unmatched"
  | "rule_shadowed"
  | "decide_shadowed"
  | "cumulative_tool_unknown"
  | "cumulative_never_asked"
  | "approvers_anyone"
  | "approvers_by_rule"
  | "approver_unknown"
  | "approver_unreachable"
  | "approver_without_address"
  | "approvers_not_told"
  | "quorum_unreachable"
  | "quorum_needs_requester"
  | "requester_decides"
  | "no_escalation"
  | "escalation_late"
  | "escalation_same_people"
  | "reminder_late"
  | "deadline_short"
  | "deadline_far"
  | "channel_unusable"
  | "probe_channel_failed"
  | "own_check_failed"
  | "agent_invalid";

export const flowCodes: { readonly [Code in FlowCode]: CodeRow } = {
  limit_off: {
    level: "warning",
    area: "control flow",
    what: "a limit is off, or so high that it limits nothing (over 1,000 steps, 50 million tokens, 24 h, 100 failures or equal calls)",
    why: "Nothing but its bill stops a model that goes in circles.",
    fix: "Set it to what a thread needs at most; at a limit a person is asked, nothing is lost.",
  },
  limit_steps_low: {
    level: "warning",
    area: "control flow",
    what: "an agent with tools may decide only once (`limits.steps: 1`)",
    why: "The step is used up by its first call, so a person is asked before it can answer.",
    fix: "Allow two steps at least.",
  },
  limit_tokens_low: {
    level: "warning",
    area: "control flow",
    what: "the limit on tokens is less than one full window and its answer",
    why: "A person is asked after the first large call.",
    fix: "Raise `limits.tokens`, or lower the window's budget.",
  },
  limit_time_low: {
    level: "warning",
    area: "control flow",
    what: "the limit on active time is less than one model call or tool may take",
    why: "One slow call uses it up, and a person is asked.",
    fix: "Raise `limits.activeTime`, or lower `modelTimeout` and the tools' timeouts.",
  },
  gate_allows_everything: {
    level: "warning",
    area: "control flow",
    what: "a rule allows every tool, and nothing before it holds or denies",
    why: "High and undeclared risks run without a person, and so do tools that are added later.",
    fix: "Name the tools that it is meant for, or say `when`.",
  },
  risky_tool_allowed: {
    level: "warning",
    area: "control flow",
    what: "a rule allows a tool of high or undeclared risk whatever its arguments, and no cumulative limit bounds it",
    why: "Nothing stands between a wrong decision of the model and its effect.",
    fix: "Say `when` it is allowed, or give it a limit on its sum.",
  },
  risk_low_by_name: {
    level: "warning",
    area: "control flow",
    what: "a tool whose name is on the list of high risks declares a low or medium risk",
    why: "What is declared counts, so it runs without a person.",
    fix: 'Declare `risk: "high"`, or rename the tool if it does no such thing.',
  },
  high_risk_unmatched: {
    level: "warning",
    area: "control flow",
    what: "a pattern of the gate's `highRisk` fits no tool, or only tools that declare a lower risk",
    why: "It holds nothing, and reads as if it did.",
    fix: "Correct the pattern, or declare the tool's risk.",
  },
  rule_tool_unknown: {
    level: "warning",
    area: "control flow",
    what: "a rule names a tool that the agent does not have",
    why: "It never fits, so what it was to hold or deny runs.",
    fix: "Correct the tool's name.",
  },
  rule_pattern_unmatched: {
    level: "note",
    area: "control flow",
    what: "a rule's pattern fits none of the agent's tools, or its `agent` is another",
    why: "It does nothing here; it may be meant for tools to come, or for other agents.",
    fix: "Nothing, if that is meant.",
  },
  rule_shadowed: {
    level: "warning",
    area: "control flow",
    what: "a rule is never asked: earlier rules without `when` decide about all of its tools",
    why: "The first rule that fits decides.",
    fix: "Move it before the rule that decides first, or remove it.",
  },
  decide_shadowed: {
    level: "warning",
    area: "control flow",
    what: "the gate's `decide` is never asked: rules without `when` decide about all tools",
    why: "What stands in it has no effect.",
    fix: "Narrow the rules, or remove it.",
  },
  cumulative_tool_unknown: {
    level: "warning",
    area: "control flow",
    what: "a cumulative limit names a tool that the agent does not have",
    why: "It counts nothing, so it never triggers.",
    fix: "Correct the tool's name.",
  },
  cumulative_never_asked: {
    level: "warning",
    area: "control flow",
    what: "a cumulative limit is about tools that the rest of the gate never allows",
    why: "A person is asked about each action anyway, also beyond the limit: it never triggers.",
    fix: "Let a rule allow the tool up to some amount, or remove the limit.",
  },
  approvers_anyone: {
    level: "note",
    area: "control flow",
    what: "the gate names no approvers",
    why: "Anybody with access to the store may approve, also who started the thread.",
    fix: "Name principals or roles in `approvers`.",
  },
  approvers_by_rule: {
    level: "note",
    area: "control flow",
    what: "the approvers are named by a function",
    why: "Whether they can be reached is known only when an action is held; for one for which it names nobody, it is denied.",
    fix: "Nothing, if the function always names somebody of the directory.",
  },
  approver_unknown: {
    level: "warning",
    area: "control flow",
    what: "an approver is in no people directory and holds no token",
    why: "Nobody is sent the request on their behalf, and a role that nobody has decides nothing.",
    fix: "Add them to `people` in the config, or correct the name.",
  },
  approver_unreachable: {
    level: "error",
    area: "control flow",
    what: "all approvers are roles, and nobody in the directory or with a token has one of them",
    why: "Every request is rejected at its deadline.",
    fix: "Give somebody the role in `people` of the config, or correct it in the gate.",
  },
  approver_without_address: {
    level: "warning",
    area: "control flow",
    what: "channels are configured, and none of them reaches any of the approvers",
    why: "They are not told, and find a request only where they look for it.",
    fix: "Give an approver an address for one of the channels (`email`, `slack`) in `people`.",
  },
  approvers_not_told: {
    level: "note",
    area: "control flow",
    what: "approvers are named who may be asked, and no channel is configured",
    why: "They find requests in `holdpoint inbox` or on the service's page, when they look.",
    fix: "Add a channel to the config, so that they are told.",
  },
  quorum_unreachable: {
    level: "error",
    area: "control flow",
    what: "an action takes more approvals than there are people who may give one",
    why: "Every request is rejected at its deadline.",
    fix: "Lower `quorum`, or name more approvers who are in `people` or hold a token.",
  },
  quorum_needs_requester: {
    level: "warning",
    area: "control flow",
    what: "without whoever starts the thread there are too few approvers",
    why: "Who starts a thread may not decide its requests, so nobody can.",
    fix: "Name another approver, or say `requesterMayDecide: true`.",
  },
  requester_decides: {
    level: "warning",
    area: "control flow",
    what: "approvers are named, and whoever starts a thread may decide its requests (`requesterMayDecide: true`)",
    why: "An approver who starts a thread approves what they asked for themselves.",
    fix: "Leave it out; then it takes another approver.",
  },
  no_escalation: {
    level: "note",
    area: "control flow",
    what: "actions are held, approvers are named, and there is no step of escalation",
    why: "When they do not answer, the request is rejected at its deadline.",
    fix: "Say in `escalate` who else may decide, and after how long.",
  },
  escalation_late: {
    level: "warning",
    area: "control flow",
    what: "a step of escalation comes at the deadline or after it",
    why: "It never happens.",
    fix: "Let it come before `expiresIn`.",
  },
  escalation_same_people: {
    level: "warning",
    area: "control flow",
    what: "a step of escalation names only those who were asked before",
    why: "Nobody else may decide after it.",
    fix: "Name others; to ask the same people again there is `remindAfter`.",
  },
  reminder_late: {
    level: "warning",
    area: "control flow",
    what: "a reminder comes at the deadline or after it",
    why: "It never happens.",
    fix: "Let it come before `expiresIn`.",
  },
  deadline_short: {
    level: "warning",
    area: "control flow",
    what: "requests are open for less than five minutes",
    why: "Most are rejected before somebody has seen them.",
    fix: "Raise `expiresIn`; a waiting thread costs nothing.",
  },
  deadline_far: {
    level: "warning",
    area: "control flow",
    what: "requests are open for more than 30 days",
    why: "Threads wait for answers that nobody remembers being asked for, and what they were to do is out of date.",
    fix: "Lower `expiresIn`; no answer by then is a rejection, which the agent sees.",
  },
  channel_unusable: {
    level: "error",
    area: "control flow",
    what: "a channel of the config cannot be made: a variable is not set, or an option cannot be used (command line only)",
    why: "Approvers are told nothing, and `worker` and `serve` do not start.",
    fix: "Set the variable or the option that the message names.",
  },
  probe_channel_failed: {
    level: "error",
    area: "control flow",
    what: "with `--probe`: a channel's other side cannot be reached",
    why: "Approvers are told nothing.",
    fix: "Mend its address, its login, or the network.",
  },
  own_check_failed: {
    level: "error",
    area: "control flow",
    what: "a check of the config threw, gave what are no findings, or gave nothing within 60 s",
    why: "What it was to look at was not looked at.",
    fix: "Mend the check: it returns a list of { code, level, area, message, why, fix }.",
  },
  agent_invalid: {
    level: "error",
    area: "control flow",
    what: "the agent's file cannot be loaded (command line only)",
    why: "None of its agents can run.",
    fix: "Correct the file where the message says.",
  },
};
