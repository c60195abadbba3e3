// How many tokens a provider itself counts for an input. The request is made by the provider's package as for a real
// call and stopped where it would be sent; what it says, with its address and headers, goes to the endpoint that counts.
import { HoldpointError } from "../core/errors.ts";
import type { ModelInput } from "../ports/model.ts";
import { aiSdkModel } from "./ai-sdk.ts";
import type { ProviderOptions } from "./ai-sdk-call.ts";
import { type CountForm, countForms } from "./count-forms.ts";
import { emptyKey, hasEmptyKey } from "./key-check.ts";
import { type Fetch, limitedFetch } from "./limited-fetch.ts";
import { toModelError } from "./model-error.ts";
import { createModel, type ImportPackage, keyNameOf, parseModelName } from "./providers.ts";
import { untilAborted } from "./until-aborted.ts";
import { checkedFetch } from "./wire/wire-fetch.ts";

export interface CountInputOptions {
  readonly signal: AbortSignal;
  /** What sends the question. Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** Default: what the provider's package finds in the environment. */
  readonly apiKey?: string;
  /** Default: the provider's own. */
  readonly baseURL?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Those of the model's calls: some add to its input. */
  readonly providerOptions?: ProviderOptions;
  /** Default 30,000. */
  readonly timeoutMs?: number;
  /** Imports a provider's package; for tests. */
  readonly importPackage?: ImportPackage;
}

/** An answer has some hundred bytes; pages of proxies have more. */
const maxAnswerBytes = 256 * 1024;

/**
 * Asks the provider of a model (`anthropic/…`, `google/…`, `openai/…`) how many tokens an input takes, as it counts
 * them itself: free of charge, and nothing is generated. The output's room is not in it.
 *
 * @throws the errors of a model call: `model_unavailable` (no such provider, no key), `model_not_installed`,
 *   `wire_mismatch` (the package would not send the input as it is), `model_timeout`, `model_throttled`,
 *   `model_overflow`, `model_interrupted`, or `model_failed` for anything else, an answer without a count among it. The
 *   signal's reason when aborted. I11: none of them shows a key.
 */
export async function countInputTokens(
  model: string,
  input: ModelInput,
  options: CountInputOptions,
): Promise<number> {
  const { signal } = options;
  signal.throwIfAborted();
  const { provider } = parseModelName(model, {});
  const form = countForms.get(provider);
  if (!form) throw cannotCount(model);
  const request = await requestOf(model, input, options);
  const url = form.url(request.url);
  if (url === null) throw cannotCount(model);
  const limit = AbortSignal.timeout(options.timeoutMs ?? 30_000);
  try {
    const either = AbortSignal.any([signal, limit]);
    const body = JSON.stringify(form.body(request.body, url));
    const answer = await untilAborted(ask({ ...request, url }, body, { ...options, signal: either }), either);
    return countIn(form, answer);
  } catch (error) {
    signal.throwIfAborted();
    throw toModelError(model, limit.aborted ? tookTooLong(options.timeoutMs ?? 30_000) : error);
  }
}

interface Request {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The request of a call, which is not sent. */
async function requestOf(model: string, input: ModelInput, options: CountInputOptions): Promise<Request> {
  const { baseURL, apiKey, headers, providerOptions, signal } = options;
  const name = parseModelName(model, {});
  const settings = {
    ...(baseURL !== undefined && { baseURL }),
    ...(apiKey !== undefined && { apiKey }),
    ...(headers && { headers }),
  };
  const keyName = keyNameOf(name, settings);
  if (apiKey === "") throw emptyKey(model, keyName);
  let request: Request | undefined;
  const capture: Fetch = async (url, init) => {
    request = { url: String(url), headers: new Headers(init?.headers), body: JSON.parse(String(init?.body)) };
    throw new Error("not sent");
  };
  const importPackage = options.importPackage ?? ((each: string) => import(each));
  const created = await createModel(name, settings, { fetch: checkedFetch(capture), importPackage });
  const called = aiSdkModel(created, { id: model, ...(providerOptions && { providerOptions }) });
  const stoppedBy: unknown = await called.generate(input, { signal }).catch((error: unknown) => error);
  if (!request) throw stoppedBy;
  if (hasEmptyKey(request.headers)) throw emptyKey(model, keyName);
  return request;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** Redirects are not followed: `fetch` would take the key along. */
async function ask(
  { url, headers }: Request,
  body: string,
  { fetch = (...request) => globalThis.fetch(...request), signal }: CountInputOptions,
): Promise<Answer> {
  const limited = limitedFetch(fetch, "the provider", maxAnswerBytes);
  const response = await limited(url, { method: "POST", headers, body, signal, redirect: "manual" });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

function countIn({ count }: CountForm, { status, text, headers }: Answer): number {
  const tokens = status === 200 ? count(parsed(text)) : undefined;
  if (typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0) return tokens;
  throw Object.assign(new Error(status === 200 ? "its answer holds no count of tokens" : ""), {
    statusCode: status,
    responseBody: text,
    responseHeaders: Object.fromEntries(headers),
  });
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

function tookTooLong(ms: number): HoldpointError {
  return new HoldpointError("model_timeout", `the provider did not count the input within ${ms} ms`, {
    retryable: true,
  });
}

function cannotCount(model: string): HoldpointError {
  return new HoldpointError("model_unavailable", `"${model}" has no endpoint that counts tokens`, {
    fix: `Those that have one are ${[...countForms.keys()].map((each) => `${each}/<model>`).join(", ")}.`,
  });
}
