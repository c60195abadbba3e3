// One small agent per mistake: what `checkAgent` must find in it, and what the finding must be about. Each differs from
// the sound agent by its mistake only, so that nothing else of a level that matters may be found.
import { z } from "zod";
import {
  type Agent,
  type AgentDefinition,
  agent,
  type CheckAgentOptions,
  type CheckCode,
  cumulative,
  type DeliveryChannel,
  type Finding,
  gate,
  type Person,
  parsePrompt,
  type Rule,
  rule,
  type Schema,
  type Tool,
  type ToolDefinition,
  tool,
  window,
} from "../../src/index.ts";

interface Mistake {
  readonly code: CheckCode;
  /** Tells two mistakes of one code apart. */
  readonly name?: string;
  readonly agent: Agent;
  readonly options?: CheckAgentOptions;
  /** What the finding is about: `tool pay`, `prompt 3` (a line), `gate rule-name`, `limits steps`, `window budget`. */
  readonly about: string;
}

type Definition = AgentDefinition<never, unknown, unknown>;
type PayDefinition = ToolDefinition<{ readonly cents: number }>;

const payInput = z.object({ cents: z.int().positive() });

function pay(differing: Partial<PayDefinition> = {}): Tool {
  return tool({
    name: "pay_out",
    description: "Pays money out to the customer of this thread.",
    input: payInput,
    risk: "high",
    effect: "once",
    run: () => "paid",
    verify: () => ({ happened: false }),
    ...differing,
  });
}

const findOrder: Tool = tool({
  name: "find_order",
  description: "Looks an order up by its number.",
  input: z.object({ orderId: z.string() }),
  risk: "low",
  effect: "read",
  run: () => null,
});

const goodPrompt =
  "You answer the e-mails of a small shop. Ask the customer when an order's number is missing. " +
  "When something fails or is refused, say so, and do not try it in another way.";

const model = "anthropic/claude-sonnet-5-5";

/** Dana and Robin may decide, and are told by mail. */
const people: readonly Person[] = [
  { id: "dana@example.com", roles: ["lead"], email: "dana@example.com" },
  { id: "robin@example.com", roles: ["lead"], email: "robin@example.com" },
];

/** As the e-mail channel chooses. */
const mails: DeliveryChannel = {
  name: "email",
  recipients: (_request, approvers) =>
    approvers.filter(({ email }) => email !== undefined).map(({ id }) => id),
  deliver: async () => null,
};

const around: CheckAgentOptions = { people, channels: [mails], startedBy: "cli:root" };

const soundPolicy = {
  approvers: ["role:lead"],
  escalate: [{ after: "4h", to: ["kim@example.com"] }],
} as const;

/** Kim is asked when nobody else answers. */
export const aroundAll: CheckAgentOptions = {
  ...around,
  people: [...people, { id: "kim@example.com", email: "kim@example.com" }],
};

function sound(differing: Partial<Definition> = {}): Agent {
  return agent({
    name: "clerk",
    model,
    prompt: goodPrompt,
    tools: [findOrder, pay()],
    gate: gate(soundPolicy),
    ...differing,
  } as Definition);
}

function prompted(text: string, differing: Partial<Definition> = {}): Agent {
  const body = `${goodPrompt}\n${text}`;
  return sound({ prompt: parsePrompt(body, "clerk.prompt.md"), ...differing } as Partial<Definition>);
}

/** A tool as another package would hand it over, or as plain JavaScript makes it: nothing of it was checked. */
function handMade(differing: Partial<Tool>): Tool {
  return { ...pay(), ...differing };
}

function foreign(
  inputSchema: Record<string, unknown>,
  vendor = "elsewhere",
): Schema<{ readonly cents: number }> {
  return {
    "~standard": {
      version: 1,
      vendor,
      validate: (value) => ({ value: value as { readonly cents: number } }),
      jsonSchema: { input: () => inputSchema },
    },
  };
}

const many = (count: number): readonly Tool[] =>
  Array.from({ length: count }, (_, index) =>
    tool({
      name: `step_${"abcdefghijklmnopqrstuvwxyz"[index % 26]}_${index}`,
      description: `Does step ${index} of the work.`,
      input: z.object({}),
      risk: "low",
      effect: "read",
      run: () => null,
    }),
  );

const roomy = window({ budget: 60_000 });
const input = z.object({ order: z.object({ id: z.string() }), note: z.string().optional() });
const lists = z.object({
  items: z.array(
    z.object({ name: z.string().optional(), parts: z.array(z.object({ kind: z.string() })).optional() }),
  ),
  notes: z.array(z.string()).optional(),
  note: z.string().optional(),
  open: z.looseObject({ known: z.string() }).optional(),
  either: z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]).optional(),
});

/** Prompts. */
const promptMistakes: readonly Mistake[] = [
  { code: "prompt_empty", agent: sound({ prompt: "" }), about: "prompt" },
  { code: "prompt_short", agent: sound({ prompt: "Help the customer." }), about: "prompt" },
  {
    code: "prompt_no_role",
    agent: sound({ prompt: "Be brief and kind. Ask when unsure. When a tool fails, say so in one line." }),
    about: "prompt",
  },
  {
    code: "prompt_no_stop",
    agent: sound({
      prompt: "You look after the orders of the shop. When a tool fails, write what went wrong.",
    }),
    about: "prompt",
  },
  {
    code: "prompt_no_errors",
    agent: sound({ prompt: "You look after the orders of the shop. Ask the customer for what you need." }),
    about: "prompt",
  },
  {
    code: "prompt_placeholder",
    agent: sound({ prompt: `${goodPrompt} Sign as [company name].` }),
    about: "prompt",
  },
  {
    code: "prompt_placeholder",
    name: "a note",
    agent: sound({ prompt: `${goodPrompt} TODO: refunds.` }),
    about: "prompt",
  },
  {
    code: "prompt_tag_unrendered",
    agent: sound({ prompt: `${goodPrompt} It is {{input.day}}.` }),
    about: "prompt",
  },
  {
    code: "prompt_tool_unknown",
    agent: sound({ prompt: `${goodPrompt} Call find_orders first.` }),
    about: "prompt",
  },
  {
    code: "prompt_secret",
    agent: sound({ prompt: `${goodPrompt} The key is ${["AKIA", "QQQQQQQQ", "QQQQQQQQ"].join("")}.` }),
    about: "prompt",
  },
  {
    code: "prompt_secret",
    name: "a signed token",
    agent: sound({
      prompt: `${goodPrompt} The token is ${["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiJjbGVyayJ9", "s".repeat(43)].join(".")}.`,
    }),
    about: "prompt",
  },
  {
    code: "prompt_variable_unknown",
    agent: prompted("Order {{input.order.number}}.", { input } as never),
    about: "prompt 2",
  },
  ...[
    ["a section", "{{#input.rules}}\n{{.}}{{/input.rules}}", 2],
    ["a section for nothing", "{{^input.ordrs}}There are none.{{/input.ordrs}}", 2],
    ["a value in a section", "{{#input.note}}\n{{.}} {{input.limt}}\n{{/input.note}}", 3],
    ["a value in a section for nothing", "{{^input.note}}{{input.limt}}{{/input.note}}", 2],
    ["a member of an item", "{{#input.items}}\n- {{nam}}\n{{/input.items}}", 3],
    ["behind a test", "{{#input.items}}{{#name}}\n{{.nam}}{{/name}}{{/input.items}}", 3],
    ["a list in a list", "{{#input.items}}{{#parts}}\n{{json kindd}}{{/parts}}{{/input.items}}", 3],
  ].map(
    ([name, text, line]): Mistake => ({
      code: "prompt_variable_unknown",
      name: String(name),
      agent: prompted(String(text), { input: lists } as never),
      about: `prompt ${line}`,
    }),
  ),
  {
    code: "prompt_variable_optional",
    agent: prompted("Note: {{input.note}}", { input } as never),
    about: "prompt 2",
  },
  {
    code: "prompt_variable_not_text",
    agent: prompted("Order {{input.order}}.", { input } as never),
    about: "prompt 2",
  },
  { code: "prompt_input_unchecked", agent: prompted("Order {{input.order.id}}."), about: "prompt 2" },
  {
    code: "prompt_large",
    agent: sound({ prompt: `${goodPrompt} ${"A rule of the shop. ".repeat(1_350)}` }),
    about: "prompt",
  },
  {
    code: "prompt_not_read",
    agent: sound({
      prompt: (({ input: { order } }: { input: { order: { id: string } } }) => `For ${order.id}`) as never,
    }),
    about: "prompt",
  },
];

/** Windows and models. */
const windowMistakes: readonly Mistake[] = [
  { code: "model_unknown", agent: sound({ model: "anthropic/claude-of-tomorrow" }), about: "model" },
  {
    code: "window_over_model",
    agent: sound({ model: "openai/gpt-4o", window: window({ budget: 126_000 }) }),
    about: "window budget",
  },
  {
    code: "output_over_model",
    agent: sound({ model: "openai/gpt-4o", maxOutputTokens: 32_000 }),
    about: "window maxOutputTokens",
  },
  { code: "output_room_small", agent: sound({ maxOutputTokens: 64 }), about: "window maxOutputTokens" },
  { code: "window_fixed_over", agent: sound({ window: window({ budget: 150 }) }), about: "window budget" },
  { code: "window_fixed_large", agent: sound({ window: window({ budget: 270 }) }), about: "window budget" },
  { code: "window_no_shrink", agent: sound({ window: window({ shrink: [] }) }), about: "window shrink" },
  {
    code: "window_no_summary",
    agent: sound({ window: window({ shrink: ["reference", "line"] }) }),
    about: "window shrink",
  },
  {
    code: "results_not_aside",
    agent: sound({ window: window({ shrink: ["line", "summarise"] }) }),
    about: "window shrink",
  },
  { code: "window_keeps_all", agent: sound({ window: window({ keepLast: 50 }) }), about: "window keepLast" },
  {
    code: "window_shrinks_always",
    agent: sound({ window: window({ shrinkTo: 1 }) }),
    about: "window shrinkTo",
  },
  {
    code: "section_over_budget",
    agent: sound({ window: window({ sections: [{ name: "rules", maxTokens: 12_000, render: () => "" }] }) }),
    about: "window sections",
  },
  {
    code: "section_pinned",
    agent: sound({ window: window({ sections: [{ name: "rules", pin: true, render: () => "" }] }) }),
    about: "window rules",
  },
  {
    code: "summary_over_model",
    agent: sound({ window: window({ summary: { model: "openai/gpt-4o-mini", maxInputTokens: 200_000 } }) }),
    about: "window summary",
  },
  {
    code: "summary_large",
    agent: sound({ window: window({ summary: { model, maxOutputTokens: 9_000 } }) }),
    about: "window summary",
  },
];

/** Limits, the gate, approvers. */
const flowMistakes: readonly Mistake[] = [
  { code: "limit_off", agent: sound({ limits: { steps: 1e9 } }), about: "limits steps" },
  {
    code: "limit_off",
    name: "tokens",
    agent: sound({ limits: { tokens: Number.POSITIVE_INFINITY } }),
    about: "limits tokens",
  },
  ...(["invalidOutputs", "modelFailures"] as const).map(
    (limit): Mistake => ({
      code: "limit_off",
      name: limit,
      agent: sound({ limits: { [limit]: 1_000 } }),
      about: `limits ${limit}`,
    }),
  ),
  { code: "limit_steps_low", agent: sound({ limits: { steps: 1 } }), about: "limits steps" },
  { code: "limit_tokens_low", agent: sound({ limits: { tokens: 10_000 } }), about: "limits tokens" },
  { code: "limit_time_low", agent: sound({ limits: { activeTime: "1m" } }), about: "limits activeTime" },
  {
    code: "gate_allows_everything",
    agent: sound({ gate: gate({ ...soundPolicy, rules: [{ name: "all", outcome: "allow" }] }) }),
    about: "gate all",
  },
  {
    code: "risky_tool_allowed",
    agent: sound({ gate: gate({ ...soundPolicy, rules: [{ tool: "pay_*", outcome: "allow" }] }) }),
    about: "tool pay_out",
  },
  {
    code: "risk_low_by_name",
    agent: sound({
      tools: [findOrder, pay(), pay({ name: "delete_customer", risk: "low", description: "Deletes it." })],
    }),
    about: "tool delete_customer",
  },
  {
    code: "high_risk_unmatched",
    agent: sound({ gate: gate({ ...soundPolicy, highRisk: ["payout*"] }) }),
    about: "gate payout*",
  },
  {
    code: "high_risk_unmatched",
    name: "a declared risk counts",
    agent: sound({ gate: gate({ ...soundPolicy, highRisk: ["find_order"] }) }),
    about: "gate find_order",
  },
  {
    code: "rule_tool_unknown",
    agent: sound({ gate: gate({ ...soundPolicy, rules: [{ tool: "payout", outcome: "deny" }] }) }),
    about: "gate payout",
  },
  {
    code: "rule_pattern_unmatched",
    agent: sound({ gate: gate({ ...soundPolicy, rules: [{ tool: "delete_*", outcome: "deny" }] }) }),
    about: "gate delete_*",
  },
  {
    code: "rule_pattern_unmatched",
    name: "another agent",
    agent: sound({
      gate: gate({ ...soundPolicy, rules: [{ name: "desk", agent: "desk", outcome: "deny" }] }),
    }),
    about: "gate desk",
  },
  {
    code: "rule_shadowed",
    agent: sound({
      gate: gate({
        ...soundPolicy,
        rules: [
          { tool: "pay_*", outcome: "hold" },
          { name: "large", tool: "pay_out", when: () => true, outcome: "deny" },
        ],
      }),
    }),
    about: "gate large",
  },
  {
    code: "decide_shadowed",
    agent: sound({ gate: gate({ ...soundPolicy, rules: [{ outcome: "hold" }], decide: () => undefined }) }),
    about: "gate decide",
  },
  {
    code: "cumulative_tool_unknown",
    agent: sound({
      gate: gate({
        ...soundPolicy,
        cumulative: [{ name: "refunds", tool: "refund", per: "day", max: 1, amount: () => 1 }],
      }),
    }),
    about: "gate refunds",
  },
  {
    code: "cumulative_never_asked",
    agent: sound({
      gate: gate({
        ...soundPolicy,
        cumulative: [cumulative({ name: "payouts", tool: pay(), per: "day", max: 5_000, amount: () => 1 })],
      }),
    }),
    about: "gate payouts",
  },
  { code: "approvers_anyone", agent: sound({ gate: gate() }), about: "gate" },
  {
    code: "approvers_by_rule",
    agent: sound({ gate: gate({ approvers: () => ["dana@example.com"] }) }),
    about: "gate approvers",
  },
  {
    code: "approver_unknown",
    agent: sound({ gate: gate({ approvers: ["role:lead", "role:boss"] }) }),
    about: "gate role:boss",
  },
  {
    code: "approver_unreachable",
    agent: sound({ gate: gate({ approvers: ["role:boss"] }) }),
    about: "gate role:boss",
  },
  {
    code: "approver_without_address",
    agent: sound({ gate: gate({ approvers: ["sam@example.com"] }) }),
    options: { ...around, people: [...people, { id: "sam@example.com" }] },
    about: "gate",
  },
  { code: "approvers_not_told", agent: sound(), options: { ...aroundAll, channels: [] }, about: "gate" },
  {
    code: "quorum_unreachable",
    agent: sound({ gate: gate({ approvers: ["role:lead"], quorum: 3 }) }),
    about: "gate quorum",
  },
  {
    code: "quorum_needs_requester",
    agent: sound({ gate: gate({ approvers: ["role:lead"], quorum: 2 }) }),
    about: "gate",
  },
  {
    code: "quorum_needs_requester",
    name: "who starts it is the only approver",
    agent: sound({ gate: gate({ approvers: ["dana@example.com"] }) }),
    options: { ...around, startedBy: "dana@example.com" },
    about: "gate",
  },
  {
    code: "requester_decides",
    agent: sound({ gate: gate({ ...soundPolicy, requesterMayDecide: true }) }),
    about: "gate requesterMayDecide",
  },
  { code: "no_escalation", agent: sound({ gate: gate({ approvers: ["role:lead"] }) }), about: "gate" },
  {
    code: "escalation_late",
    agent: sound({ gate: gate({ ...soundPolicy, expiresIn: "1h" }) }),
    about: "gate escalate",
  },
  {
    code: "escalation_same_people",
    agent: sound({ gate: gate({ ...soundPolicy, escalate: [{ after: "1h", to: ["role:lead"] }] }) }),
    about: "gate escalate",
  },
  {
    code: "reminder_late",
    agent: sound({ gate: gate({ ...soundPolicy, remindAfter: ["2d"] }) }),
    about: "gate remindAfter",
  },
  {
    code: "deadline_short",
    agent: sound({ gate: gate({ approvers: ["role:lead"], expiresIn: "30s" }) }),
    about: "gate expiresIn",
  },
  {
    code: "deadline_far",
    agent: sound({ gate: gate({ ...soundPolicy, expiresIn: "90d" }) }),
    about: "gate expiresIn",
  },
];

/** Tools. */
const toolMistakes: readonly Mistake[] = [
  {
    code: "tool_name_invalid",
    agent: sound({ tools: [handMade({ name: "pay out" })] }),
    about: "tool pay out",
  },
  {
    code: "tool_name_reserved",
    agent: sound({ tools: [handMade({ name: "constructor" })] }),
    about: "tool constructor",
  },
  {
    code: "tool_name_reserved",
    name: "answer",
    agent: sound({ tools: [handMade({ name: "answer" })] }),
    about: "tool answer",
  },
  {
    code: "tool_names_alike",
    agent: sound({
      tools: [pay(), pay({ name: "Pay-Out", description: "Pays to the shop's own account." })],
    }),
    about: "tool Pay-Out",
  },
  {
    code: "tool_name_provider",
    agent: sound({ model: "google/gemini-4-argon", tools: [pay({ name: "2nd_payout" })] }),
    about: "tool 2nd_payout",
  },
  {
    code: "tools_too_many",
    agent: sound({ model: "openai/gpt-6-astra", window: roomy, tools: many(129) }),
    about: "agent",
  },
  { code: "tools_many", agent: sound({ window: roomy, tools: many(30) }), about: "agent" },
  {
    code: "tool_description_missing",
    agent: sound({ tools: [pay({ description: " " })] }),
    about: "tool pay_out",
  },
  {
    code: "tool_description_long",
    agent: sound({ model: "openai/gpt-6-astra", tools: [pay({ description: "Pays out. ".repeat(150) })] }),
    about: "tool pay_out",
  },
  {
    code: "tool_descriptions_equal",
    agent: sound({ tools: [pay(), pay({ name: "send_back" })] }),
    about: "tool send_back",
  },
  {
    code: "tool_risk_undeclared",
    agent: sound({ tools: [handMade({ risk: undefined })] }),
    about: "tool pay_out",
  },
  {
    code: "tool_reads_once",
    agent: sound({
      tools: [pay(), pay({ name: "get_balance", description: "Says what is left.", risk: "low" })],
    }),
    about: "tool get_balance",
  },
  {
    code: "tool_effect_doubtful",
    agent: sound({ tools: [pay({ name: "refund", effect: "read" })] }),
    about: "tool refund",
  },
  {
    code: "tool_once_unverified",
    agent: sound({ tools: [handMade({ verify: undefined })] }),
    about: "tool pay_out",
  },
  {
    code: "tool_timeout_long",
    agent: sound({ tools: [pay({ timeout: "1h" })], limits: { activeTime: "2h" } }),
    about: "tool pay_out",
  },
  { code: "tool_timeout_short", agent: sound({ tools: [pay({ timeout: "20ms" })] }), about: "tool pay_out" },
  {
    code: "tool_schema_invalid",
    agent: sound({
      tools: [pay({ input: foreign({ type: "object", properties: { cents: { type: "float" } } }) })],
    }),
    about: "tool pay_out",
  },
  ...(["anthropic/claude-sonnet-5-5", "openai/gpt-6-astra"] as const).map(
    (modelId): Mistake => ({
      code: "tool_schema_union",
      name: modelId,
      agent: sound({
        model: modelId,
        tools: [pay({ input: z.union([payInput, z.object({ cents: z.int(), why: z.string() })]) })],
      }),
      about: "tool pay_out",
    }),
  ),
  {
    code: "tool_schema_top_level",
    name: "a text",
    agent: sound({ model: "google/gemini-4-argon", tools: [pay({ input: foreign({ type: "string" }) })] }),
    about: "tool pay_out",
  },
  {
    code: "tool_property_name",
    agent: sound({
      tools: [
        pay({ input: foreign({ type: "object", properties: { "amount in cents": { type: "integer" } } }) }),
      ],
    }),
    about: "tool pay_out",
  },
  {
    code: "tool_list_untyped",
    agent: sound({
      model: "google/gemini-4-argon",
      tools: [pay({ input: foreign({ type: "object", properties: { cents: { type: "array" } } }) })],
    }),
    about: "tool pay_out",
  },
  {
    code: "tool_enum_not_text",
    agent: sound({
      model: "google/gemini-4-argon",
      tools: [pay({ input: foreign({ type: "object", properties: { cents: { enum: [100, 200] } } }) })],
    }),
    about: "tool pay_out",
  },
  {
    code: "tool_input_open",
    agent: sound({ tools: [pay({ input: foreign({ type: "object" }) })] }),
    about: "tool pay_out",
  },
];

export const ownFinding: Finding = {
  code: "team_budget",
  level: "warning",
  area: "window",
  message: "over the team's budget",
  why: "It is dear.",
  fix: "Lower it.",
};

/** What a config's own checks do wrong. */
const ownMistakes: readonly Mistake[] = [
  {
    code: "own_check_failed",
    agent: sound(),
    options: {
      ...aroundAll,
      checks: [
        function budgetOfTeam() {
          throw new Error("no budget");
        },
      ],
    },
    about: "agent",
  },
  {
    code: "own_check_failed",
    name: "no findings",
    agent: sound(),
    options: { ...aroundAll, checks: [() => [{ code: "x" } as never]] },
    about: "agent",
  },
  ...[
    { about: { kind: "nope" } },
    { about: { kind: "toString" } },
    { about: "agent" },
    { about: { kind: "tool" } },
    { about: { kind: "prompt", line: 0 } },
    { about: { kind: "gate", text: 5 } },
    { where: "agent.ts" },
    { where: { file: 5, line: 1 } },
    { where: { file: "agent.ts", line: 0 } },
    { where: { file: "agent.ts" } },
  ].map(
    (differing): Mistake => ({
      code: "own_check_failed",
      name: JSON.stringify(differing),
      agent: sound(),
      options: { ...aroundAll, checks: [() => [{ ...ownFinding, ...differing } as never]] },
      about: "agent",
    }),
  ),
];

export const mistakes: readonly Mistake[] = [
  ...promptMistakes,
  ...windowMistakes,
  ...flowMistakes,
  ...toolMistakes,
  ...ownMistakes,
];

/** Nothing of it waits for a person, or something may. */
export function denying(rules: readonly Rule[]): Agent {
  return sound({ gate: gate({ approvers: ["role:lead"], rules }) });
}

/** Things that are right, and look like a mistake at first sight. */
export const innocents: readonly {
  readonly name: string;
  readonly agent: Agent;
  readonly options?: CheckAgentOptions;
}[] = [
  { name: "the sound agent", agent: sound() },
  {
    name: "a prompt in another language",
    agent: sound({ prompt: "Beantworte die E-Mails eines kleinen Ladens für Lampen." }),
  },
  {
    name: "an order as a prompt, without tools",
    agent: sound({ tools: [], prompt: "Sort incoming e-mails by what they want." }),
  },
  {
    name: "a flow that makes no decision",
    agent: agent({ name: "clock", flow: async () => null }),
  },
  {
    name: "a high risk that a rule allows up to a limit on its sum",
    agent: sound({
      gate: gate({
        ...soundPolicy,
        rules: [rule({ tool: pay(), outcome: "allow" })],
        cumulative: [cumulative({ name: "payouts", tool: pay(), per: "day", max: 5_000, amount: () => 1 })],
      }),
    }),
  },
  {
    name: "an allow behind a hold with a condition",
    agent: sound({
      gate: gate({
        ...soundPolicy,
        rules: [
          { tool: "pay_out", when: () => true, outcome: "hold" },
          { tool: "pay_out", outcome: "allow" },
        ],
      }),
    }),
  },
  {
    name: "a risk that is left open, with a rule that speaks of it",
    agent: sound({
      tools: [handMade({ risk: undefined })],
      gate: gate({ ...soundPolicy, rules: [{ tool: "pay_out", outcome: "hold" }] }),
    }),
  },
  {
    name: "a union within an object",
    agent: sound({
      tools: [
        tool({
          name: "set_note",
          description: "Leaves a note.",
          input: z.object({ note: z.union([z.string(), z.object({ text: z.string() })]) }),
          risk: "low",
          effect: "repeatable",
          run: () => null,
        }),
      ],
    }),
  },
  {
    name: "a prompt that shows what its input has",
    agent: prompted("Order {{input.order.id}}.", { input } as never),
  },
  {
    name: "what may be missing, in a section",
    agent: prompted("{{#input.note}}Note: {{.}}{{/input.note}}", { input } as never),
  },
  ...[
    "{{#input.items}}{{#name}}{{.}} {{name}}{{/name}}{{^name}}{{#parts}}{{kind}}{{/parts}}{{/name}}{{/input.items}}",
    "{{#input.items}}{{#parts}}{{kind}}{{/parts}}{{#input.note}}{{name}}{{/input.note}}{{/input.items}}",
    "{{#input.notes}}{{.}}{{/input.notes}}{{^input.notes}}No notes. {{#input.note}}{{.}}{{/input.note}}{{/input.notes}}",
    "{{#input.open}}{{known}} {{other}}{{/input.open}}{{#input.either}}{{a}} {{b}} {{c}}{{/input.either}}",
    "{{#input}}{{#note}}{{.}}{{/note}}{{/input}}",
  ].map((text) => ({
    name: `what its input has, in sections: ${text}`,
    agent: prompted(text, { input: lists } as never),
  })),
  {
    name: "a section of what has a default",
    agent: sound({
      prompt: parsePrompt(
        `---\nvariables:\n  input.rules: { default: [none] }\n---\n${goodPrompt}\n{{#input.rules}}{{.}}{{/input.rules}}`,
      ),
      input: lists,
    } as never),
  },
  {
    name: "a union as input, of a model that takes text",
    agent: sound({
      encoding: "text",
      tools: [pay({ input: z.union([payInput, z.object({ cents: z.int(), why: z.string() })]) })],
    }),
  },
  {
    name: "an approver with a token only",
    agent: sound({ gate: gate({ approvers: ["role:ops"] }) }),
    options: {
      ...around,
      people: [...people, { id: "ops@example.com", roles: ["ops"], email: "ops@example.com" }],
    },
  },
];
