import type { CodeRow } from "./code-row.ts";

export type WindowCode =
  | "model_unavailable"
  | "probe_model_failed"
  | "probe_count_low"
  | "model_unknown"
  | "window_over_model"
  | "output_over_model"
  | "output_room_small"
  | "window_fixed_over"
  | "window_fixed_large"
  | "window_no_shrink"
  | "window_no_summary"
  | "results_not_aside"
  | "window_keeps_all"
  | "window_shrinks_always"
  | "section_over_budget"
  | "section_pinned"
  | "summary_over_model"
  | "summary_large";

export const windowCodes: { readonly [Code in WindowCode]: CodeRow } = {
  model_unavailable: {
    level: "error",
    area: "window",
    what: "the agent's model cannot be called: no model, no package, no address or no key (command line only)",
    why: "The first decision fails.",
    fix: "Name a model, install its package, and set its key.",
  },
  probe_model_failed: {
    level: "error",
    area: "window",
    what: "with `--probe`: the provider refuses the agent's prompt and tools, or cannot be reached",
    why: "The first decision fails.",
    fix: "Mend what the provider says: the key, the model's name, a tool's input, or the network.",
  },
  probe_count_low: {
    level: "warning",
    area: "window",
    what: "with `--probe`: the provider counts at least a fifth more tokens for prompt and tools than Holdpoint",
    why: "Until the count is corrected by the first answers, a full window may be too large.",
    fix: "Give the config an exact `counter`, or lower the budget.",
  },
  model_unknown: {
    level: "note",
    area: "window",
    what: "nothing is known of the limits of the agent's model",
    why: "The budget cannot be compared with them; an overflow is noticed when the provider says so.",
    fix: "Nothing, if the budget fits the model; else name one of the models that Holdpoint knows (docs: Models).",
  },
  window_over_model: {
    level: "warning",
    area: "window",
    what: "budget and longest answer together are more than the model's context",
    why: "The window is cut to what the model has room for, so the agent sees less than you meant it to.",
    fix: "Lower the budget or `maxOutputTokens`, or name a model with more room.",
  },
  output_over_model: {
    level: "warning",
    area: "window",
    what: "the longest answer is more than the model puts out",
    why: "Answers end at the model's own limit.",
    fix: "Lower `maxOutputTokens` to what the model can put out.",
  },
  output_room_small: {
    level: "warning",
    area: "window",
    what: "the longest answer is under 256 tokens",
    why: "Calls and answers that are cut off cannot be used, and each is paid for.",
    fix: "Raise `maxOutputTokens`; models stop by themselves when they are done.",
  },
  window_fixed_over: {
    level: "error",
    area: "window",
    what: "prompt and tools alone take more than the window's budget",
    why: "Every thread ends at its first decision (`window_over_budget`).",
    fix: "Raise the budget, shorten the prompt, or offer fewer tools.",
  },
  window_fixed_large: {
    level: "warning",
    area: "window",
    what: "prompt and tools take more than 60 % of the window's budget",
    why: "What happened in the thread has to be shrunk soon and often.",
    fix: "Raise the budget, shorten the prompt, or offer fewer tools.",
  },
  window_no_shrink: {
    level: "warning",
    area: "window",
    what: "nothing is shrunk when room is short (`shrink: []`)",
    why: "A thread that grows over the budget ends, whatever it was doing.",
    fix: "Leave `shrink` out, or name `reference`, `line` and `summarise`.",
  },
  window_no_summary: {
    level: "warning",
    area: "window",
    what: "old turns are never summed up (`shrink` without `summarise`), and the agent may take more than 20 steps",
    why: "A long thread grows over the budget, and ends.",
    fix: 'Add "summarise" to `shrink`.',
  },
  results_not_aside: {
    level: "warning",
    area: "window",
    what: "results are not kept aside (`shrink` without `reference`), and a tool has no `show`",
    why: "Large results fill the window, and are cut to a line each as soon as room is short.",
    fix: 'Add "reference" to `shrink`, which keeps large results as artifacts, or give the tools a `show` that bounds them.',
  },
  window_keeps_all: {
    level: "warning",
    area: "window",
    what: "`keepLast` is as large as the limit on steps",
    why: "Then no turn is old enough to be shrunk before room runs out.",
    fix: "Lower `keepLast`; 2 is the default.",
  },
  window_shrinks_always: {
    level: "warning",
    area: "window",
    what: "a full window is shrunk by no more than it must (`shrinkTo` over 0.95)",
    why: "Then it is shrunk at every call, and the provider's cache of the prompt's beginning never holds.",
    fix: "Lower `shrinkTo`; 0.7 is the default.",
  },
  section_over_budget: {
    level: "warning",
    area: "window",
    what: "the sections of the window may take more than half of its budget",
    why: "They come before what happened in the thread, which has to make room.",
    fix: "Lower their `maxTokens`, or raise the budget.",
  },
  section_pinned: {
    level: "note",
    area: "window",
    what: "a section is pinned",
    why: "It is shown whole, however large it gets, and a thread in which it does not fit ends.",
    fix: "Nothing, if what it shows is bounded; else leave `pin` out and give `maxTokens`.",
  },
  summary_over_model: {
    level: "warning",
    area: "window",
    what: "the summary is given more tokens than its model's context holds",
    why: "The call for a summary overflows, and the extract by rules is used.",
    fix: "Lower `summary.maxInputTokens`, or name a model with more room.",
  },
  summary_large: {
    level: "warning",
    area: "window",
    what: "a summary may take more than 45 % of the window's budget",
    why: "One that is so large is dropped after it was paid for.",
    fix: "Lower `summary.maxOutputTokens`, or raise the budget.",
  },
};
