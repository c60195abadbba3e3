import type { CodeRow } from "./code-row.ts";

export type ToolCode =
  | "tool_name_invalid"
  | "tool_name_reserved"
  | "tool_names_alike"
  | "tool_name_provider"
  | "tools_too_many"
  | "tools_many"
  | "tool_description_missing"
  | "tool_description_long"
  | "tool_descriptions_equal"
  | "tool_risk_undeclared"
  | "tool_reads_once"
  | "tool_effect_doubtful"
  | "tool_once_unverified"
  | "tool_timeout_long"
  | "tool_timeout_short"
  | "tool_schema_invalid"
  | "tool_schema_top_level"
  | "tool_schema_union"
  | "tool_property_name"
  | "tool_list_untyped"
  | "tool_enum_not_text"
  | "tool_input_open";

export const toolCodes: { readonly [Code in ToolCode]: CodeRow } = {
  tool_name_invalid: {
    level: "error",
    area: "tools",
    what: "a tool's name is not 1 to 64 letters, digits, `_` and `-` (`tool()` refuses it, too)",
    why: "Providers refuse the request.",
    fix: "Rename it, such as `issue_refund`.",
  },
  tool_name_reserved: {
    level: "error",
    area: "tools",
    what: "a tool is called as a member of every object (`constructor`), or `answer` (`tool()` refuses it, too)",
    why: "Providers' packages look names up in objects, and a model answers by `answer`.",
    fix: "Rename it.",
  },
  tool_names_alike: {
    level: "warning",
    area: "tools",
    what: "two tools have names that differ in upper and lower case, `_` and `-` only",
    why: "Models mix them up, and patterns of the gate ignore case.",
    fix: "Give one of them a name that says how it differs.",
  },
  tool_name_provider: {
    level: "warning",
    area: "tools",
    what: "a tool's name is one that the provider may refuse (Google's begin with a letter or `_`)",
    why: "If it does, every call of the model fails.",
    fix: "Rename it, or let `check --probe` ask the provider.",
  },
  tools_too_many: {
    level: "warning",
    area: "tools",
    what: "there are more tools than the provider takes in a request (OpenAI: 128)",
    why: "A decision at which all are offered fails.",
    fix: "Offer fewer tools at a decision (`t.decide({ tools })`), or split the agent.",
  },
  tools_many: {
    level: "note",
    area: "tools",
    what: "there are more than 25 tools",
    why: "Models choose worse among many, and all are paid for at each decision.",
    fix: "Offer each decision the tools that it may need, or split the agent.",
  },
  tool_description_missing: {
    level: "warning",
    area: "tools",
    what: "a tool has no description",
    why: "The model guesses from its name what it does.",
    fix: "Say in a sentence what it does, and when it is the right one.",
  },
  tool_description_long: {
    level: "warning",
    area: "tools",
    what: "a tool's description is longer than 1,024 characters, and the model is one of OpenAI's",
    why: "Some models and proxies refuse such a request, and it is paid for at each decision.",
    fix: "Shorten it; what is seldom needed can be in the result.",
  },
  tool_descriptions_equal: {
    level: "warning",
    area: "tools",
    what: "two tools have the same description",
    why: "The model cannot tell which one it needs.",
    fix: "Say in each how it differs.",
  },
  tool_risk_undeclared: {
    level: "warning",
    area: "tools",
    what: "a tool declares no risk, and no rule, pattern of `highRisk` or name of the built-in list speaks of it",
    why: "It waits for a person each time.",
    fix: "Declare `risk`: low, medium or high.",
  },
  tool_reads_once: {
    level: "warning",
    area: "tools",
    what: "a tool that only reads, by its name, has the effect `once`",
    why: "When the process dies while it runs, a person has to settle whether it happened.",
    fix: 'Declare `effect: "read"`.',
  },
  tool_effect_doubtful: {
    level: "warning",
    area: "tools",
    what: "a tool that changes something, by its name, has the effect `read`",
    why: "It runs again after a crash, and its start is not recorded before it runs.",
    fix: 'Declare `effect: "once"`, or "repeatable" where a second run does no harm.',
  },
  tool_once_unverified: {
    level: "note",
    area: "tools",
    what: "a tool that may run only once has no `verify`",
    why: "When the process dies while it runs, a person is asked whether it happened.",
    fix: "Give it a `verify` that looks it up by the idempotency key.",
  },
  tool_timeout_long: {
    level: "warning",
    area: "tools",
    what: "a tool may take longer than 30 minutes",
    why: "A tool that hangs holds its thread, and its worker's end, for as long.",
    fix: "Lower its `timeout`; to wait for long work, start it in the tool and wait for a signal (`t.wait`) in the flow.",
  },
  tool_timeout_short: {
    level: "warning",
    area: "tools",
    what: "a tool has less than 100 ms",
    why: "An ordinary delay ends it; if it runs `once`, a person is then asked whether it happened.",
    fix: "Raise its `timeout`; 60 s is the default.",
  },
  tool_schema_invalid: {
    level: "error",
    area: "tools",
    what: "the JSON Schema of a tool's input is none",
    why: "Providers refuse the request, or check nothing.",
    fix: "Correct the tool's `input`, or what its library makes of it as JSON Schema.",
  },
  tool_schema_top_level: {
    level: "error",
    area: "tools",
    what: "the input of a tool is no object (a list, a text), and the provider takes no other",
    why: "Every call of the model fails.",
    fix: "Make it an object that has it as a member.",
  },
  tool_schema_union: {
    level: "warning",
    area: "tools",
    what: "the input of a tool is a union at its top, which the provider may refuse (OpenAI, Anthropic)",
    why: "If it does, every call of the model fails.",
    fix: "Make it an object with the union as one of its members, or let `check --probe` ask the provider.",
  },
  tool_property_name: {
    level: "warning",
    area: "tools",
    what: "a member of a tool's input has a name that the provider may refuse (Anthropic: 1 to 64 letters, digits, `_`, `.` and `-`)",
    why: "If it does, every call of the model fails.",
    fix: "Rename the member, or let `check --probe` ask the provider.",
  },
  tool_list_untyped: {
    level: "warning",
    area: "tools",
    what: "a list in a tool's input does not say what it holds, and the provider may want to know (Google)",
    why: "If it does, every call of the model fails.",
    fix: "Say what the list holds (`items`), or let `check --probe` ask the provider.",
  },
  tool_enum_not_text: {
    level: "warning",
    area: "tools",
    what: "a choice in a tool's input is not of texts, and the provider takes no others (Google)",
    why: "The call of the model fails, or the choice is left out of what it is told.",
    fix: "Let it be texts, and convert them in code.",
  },
  tool_input_open: {
    level: "warning",
    area: "tools",
    what: "the input of a tool that is not low in risk says nothing about its arguments (no members)",
    why: "The model makes them up, and whoever approves has nothing to compare them with.",
    fix: "Declare the members that `run` uses.",
  },
};
