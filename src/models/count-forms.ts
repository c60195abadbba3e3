// The endpoints that count an input's tokens, and what they take of a request that generates. They refuse what they do
// not know, so members are picked and not left out.

export interface CountForm {
  /** The address that counts, from the one that generates; `null` for an address of another kind. */
  readonly url: (url: string) => string | null;
  readonly body: (body: Readonly<Record<string, unknown>>, url: string) => unknown;
  readonly count: (answer: Readonly<Record<string, unknown>>) => unknown;
}

/**
 * `POST /v1/messages/count_tokens` → `{ input_tokens }`
 * (https://platform.claude.com/docs/en/api/messages/count_tokens): a message's members without `max_tokens`.
 */
const anthropic: CountForm = {
  url: (url) => replaced(url, /\/messages$/, "/messages/count_tokens"),
  body: picked([
    ...["model", "messages", "system", "tools", "tool_choice", "thinking"],
    ...["output_config", "cache_control"],
  ]),
  count: (answer) => answer.input_tokens,
};

/**
 * `POST /v1beta/models/{model}:countTokens` → `{ totalTokens }` (https://ai.google.dev/api/tokens): the whole request as
 * `generateContentRequest`, which then names its model. With `contents` instead, tools and the prompt are not counted.
 */
const google: CountForm = {
  url: (url) => replaced(url, /:(?:generateContent|streamGenerateContent)$/, ":countTokens"),
  body: (body, url) => ({ generateContentRequest: { model: resourceName(url), ...body } }),
  count: (answer) => answer.totalTokens,
};

/**
 * `POST /v1/responses/input_tokens` → `{ object: "response.input_tokens", input_tokens }`
 * (https://developers.openai.com/api/reference/resources/responses/subresources/input_tokens).
 */
const openai: CountForm = {
  url: (url) => replaced(url, /\/responses$/, "/responses/input_tokens"),
  body: picked([
    ...["model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "text"],
    ...["reasoning", "truncation", "conversation", "previous_response_id"],
  ]),
  count: (answer) => answer.input_tokens,
};

export const countForms: ReadonlyMap<string, CountForm> = new Map([
  ["anthropic", anthropic],
  ["google", google],
  ["openai", openai],
]);

/** The path alone is looked at: gateways put an account or a version behind it. */
function replaced(address: string, pattern: RegExp, by: string): string | null {
  const url = new URL(address);
  if (!pattern.test(url.pathname)) return null;
  url.pathname = url.pathname.replace(pattern, by);
  url.searchParams.delete("alt"); // Google's for streams
  return url.href;
}

function picked(names: readonly string[]): CountForm["body"] {
  return (body) => Object.fromEntries(names.flatMap((name) => (name in body ? [[name, body[name]]] : [])));
}

/** `models/gemini-…`, or `tunedModels/…`. */
function resourceName(url: string): string {
  const [, name = ""] =
    /\/([^/]+\/[^/:]+):countTokens$/.exec(decodeURIComponent(new URL(url).pathname)) ?? [];
  return name;
}
