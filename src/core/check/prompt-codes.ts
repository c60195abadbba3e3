import type { CodeRow } from "./code-row.ts";

export type PromptCode =
  | "prompt_empty"
  | "prompt_short"
  | "prompt_no_role"
  | "prompt_no_stop"
  | "prompt_no_errors"
  | "prompt_placeholder"
  | "prompt_tag_unrendered"
  | "prompt_tool_unknown"
  | "prompt_secret"
  | "prompt_variable_unknown"
  | "prompt_variable_optional"
  | "prompt_variable_not_text"
  | "prompt_input_unchecked"
  | "prompt_large"
  | "prompt_not_read";

export const promptCodes: { readonly [Code in PromptCode]: CodeRow } = {
  prompt_empty: {
    level: "warning",
    area: "prompt",
    what: "the agent decides, and has no prompt",
    why: "A model that is told nothing makes up its own task.",
    fix: "Say in `prompt` what it is for, when it stops or asks, and what it does when something fails.",
  },
  prompt_short: {
    level: "warning",
    area: "prompt",
    what: "the prompt is shorter than 30 characters",
    why: "It cannot say what the agent is for, when it stops and what it does about errors, so the model makes that up.",
    fix: "Say what it is for, when it stops or asks, and what it does when something fails.",
  },
  prompt_no_role: {
    level: "warning",
    area: "prompt",
    what: "the prompt does not say what the agent is for (English prompts only)",
    why: "Without a scope a model takes on whatever it is asked.",
    fix: "Begin with its role and scope, such as `You answer the e-mails of a small shop.`",
  },
  prompt_no_stop: {
    level: "warning",
    area: "prompt",
    what: "the prompt of an agent with tools has no word on when to stop or to ask (English prompts only)",
    why: "Then it goes on until a limit stops it, or guesses where it should ask.",
    fix: "Say when it is done, and what it must ask a person or the customer.",
  },
  prompt_no_errors: {
    level: "warning",
    area: "prompt",
    what: "the prompt of an agent with tools does not say what to do when something fails (English prompts only)",
    why: "A model that is not told tries the same again, or another way around what was refused.",
    fix: "Say what it does when a tool fails or is refused, such as `say so, and do not try it in another way`.",
  },
  prompt_placeholder: {
    level: "warning",
    area: "prompt",
    what: "the prompt holds a placeholder or a note to its author (`TODO`, `[company name]`)",
    why: "The model reads it as it stands, and may repeat it to a customer.",
    fix: "Fill it in, or remove it.",
  },
  prompt_tag_unrendered: {
    level: "warning",
    area: "prompt",
    what: "a prompt that is plain text holds a tag `{{…}}`",
    why: "Only prompt files are templates: the model sees the braces.",
    fix: "Put the prompt into a file (`promptFile`), or make it a function of the input.",
  },
  prompt_tool_unknown: {
    level: "warning",
    area: "prompt",
    what: "the prompt names a tool that the agent does not have, with a name close to one that it has",
    why: "The model tries to call what is not there, and each try is an output that cannot be used.",
    fix: "Write the tool's name as it is.",
  },
  prompt_secret: {
    level: "error",
    area: "prompt",
    what: "the prompt holds a key in the form of a known maker (OpenAI, Anthropic, AWS, GitHub, Slack, Google), a private key or a JWT; passwords have no form, and are not found",
    why: "It goes to the provider and into the log with every call.",
    fix: "Take it out, make a new key, and hand secrets to tools in code.",
  },
  prompt_variable_unknown: {
    level: "error",
    area: "prompt",
    what: "the prompt shows a member of the input that the agent's input schema does not have, or has a section for it",
    why: "A thread fails at its first decision (`prompt_invalid`); a section {{#…}} is never shown, and {{^…}} always.",
    fix: "Correct the name, add the member to `input`, or give the variable a default.",
  },
  prompt_variable_optional: {
    level: "warning",
    area: "prompt",
    what: "the prompt shows a member of the input that may be missing, without a default",
    why: "A thread whose input lacks it fails at its first decision.",
    fix: "Give it a default in `variables`, show it in a section {{#…}}, or require it in `input`.",
  },
  prompt_variable_not_text: {
    level: "error",
    area: "prompt",
    what: "the prompt shows a list or an object as text",
    why: "It has no text of its own, so every thread fails at its first decision.",
    fix: "Show it as JSON ({{json input.order}}), name a member of it, or repeat a section {{#…}} for each item.",
  },
  prompt_input_unchecked: {
    level: "warning",
    area: "prompt",
    what: "the prompt shows members of the input, and the agent has no `input` schema",
    why: "A thread that is started with other input fails at its first decision instead of its start.",
    fix: "Give the agent an `input` schema.",
  },
  prompt_large: {
    level: "warning",
    area: "prompt",
    what: "the prompt takes more than half of the window's budget",
    why: "It is paid for at each decision, and leaves little room for what happened.",
    fix: "Shorten it, raise the budget, or move what is seldom needed into a tool.",
  },
  prompt_not_read: {
    level: "note",
    area: "prompt",
    what: "the prompt is a function that gives no text for an empty input",
    why: "Its text cannot be checked before a thread has an input.",
    fix: "Nothing, if the function is right; the text of a prompt file (`promptFile`) can be checked.",
  },
};
