// The check before the run, with what is known around an agent: facts of models, people, channels, checks of one's own.
import type { Agent } from "./core/agent.ts";
import { runChecks } from "./core/check/checks.ts";
import { finding } from "./core/check/codes.ts";
import type { Check, CheckContext, CheckedChannel, CheckedModel, Finding } from "./core/check/finding.ts";
import { findingProblem } from "./core/check/finding-problem.ts";
import { isHoldpointError, toErrorInfo } from "./core/errors.ts";
import { event } from "./core/events.ts";
import type { Person } from "./core/person.ts";
import type { Tool } from "./core/tool.ts";
import { jsonSchema } from "./json-schema.ts";
import { type ModelFactsLookup, modelFacts } from "./models/model-facts.ts";
import { tokenEstimator } from "./models/token-estimator.ts";
import type { DeliveryChannel } from "./ports/channel.ts";
import type { Clock } from "./ports/clock.ts";
import type { RequestRow } from "./ports/store.ts";
import type { TokenCounter } from "./ports/token-counter.ts";
import { systemClock } from "./runtime/system-clock.ts";
import { withTimeout } from "./runtime/with-timeout.ts";

export interface CheckAgentOptions {
  /** The directory, and who holds a token. Left out, nothing is said about who can be reached. */
  readonly people?: readonly Person[];
  /** Left out, nothing is said about whether approvers are told. */
  readonly channels?: readonly DeliveryChannel[];
  /** Of agents that name no model. */
  readonly defaultModel?: unknown;
  /** Default: the shipped table (`modelFacts`). */
  readonly modelFacts?: ModelFactsLookup;
  /** Default: an estimate. */
  readonly counter?: TokenCounter;
  /** The principal who is about to start threads. */
  readonly startedBy?: string;
  /** Checks of one's own; asked after Holdpoint's. Each has 60 s; one that takes longer has failed (`own_check_failed`). */
  readonly checks?: readonly Check[];
  /** Those that are under way when it aborts are given a second, and have failed then. */
  readonly signal?: AbortSignal;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/**
 * The checklist before a run: prompt, window, control flow, tools. Nothing is called over the network. A finding of level
 * `error` says that it cannot work; nothing stops a start in code unless you do.
 */
export async function checkAgent(agent: Agent, options: CheckAgentOptions = {}): Promise<readonly Finding[]> {
  const { clock = systemClock, signal = new AbortController().signal } = options;
  const context = contextOf(agent, options);
  const own = await Promise.all(
    (options.checks ?? []).map((check, index) => ownCheck(check, index, context, { clock, signal })),
  );
  return [...runChecks(context), ...own.flat()];
}

function contextOf(agent: Agent, options: CheckAgentOptions): CheckContext {
  const { people, channels, defaultModel, counter = tokenEstimator, startedBy } = options;
  const factsOf = options.modelFacts ?? modelFacts();
  const named = [agent.model ?? defaultModel ?? []].flat();
  const { summary } = agent.window;
  return {
    agent,
    models: named.flatMap((model) => checkedModel(model, factsOf) ?? []),
    summaryModel: summary ? checkedModel(summary.model, factsOf) : null,
    people: people ?? null,
    channels: channels?.map((channel) => checkedChannel(channel, agent)) ?? null,
    startedBy: startedBy ?? null,
    count: (text) => counter.count(text),
    schemaProblem,
  };
}

function checkedModel(model: unknown, factsOf: ModelFactsLookup): CheckedModel | null {
  const id = modelId(model);
  if (id === null) return null;
  const { contextTokens, maxOutputTokens } = factsOf(id) ?? {};
  return {
    id,
    provider: id.slice(0, Math.max(0, id.indexOf("/"))),
    ...(contextTokens !== undefined && { contextTokens }),
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
  };
}

/** Of a name, a Model (`id`), or a model object of an AI SDK provider (`provider`, such as `openai.responses`, and `modelId`). */
function modelId(model: unknown): string | null {
  if (typeof model === "string") return model;
  if (typeof model !== "object" || model === null) return null;
  const { id, provider, modelId: name }: { id?: unknown; provider?: unknown; modelId?: unknown } = model;
  if (typeof id === "string") return id;
  if (typeof provider !== "string" || typeof name !== "string") return null;
  return `${provider.replace(/\..*$/, "")}/${name}`;
}

function checkedChannel(channel: DeliveryChannel, agent: Agent): CheckedChannel {
  return {
    name: channel.name,
    reaches(people) {
      try {
        return channel.recipients(sampleRequest(agent), people).length > 0;
      } catch {
        return true; // it wants to see a real request: then nobody can say beforehand
      }
    },
  };
}

/** A held action as a channel sees it. */
function sampleRequest({ name, gate: { approvers } }: Agent): RequestRow {
  const at = new Date(0).toISOString();
  const opened = event("request_opened", {
    key: "act:check#1",
    requestId: "r_check",
    kind: "approval",
    why: "it is a sample",
    question: "Shall it run?",
    choices: ["approve", "reject"],
    approvers,
    expiresAt: at,
  });
  return {
    requestId: "r_check",
    threadId: "th_check",
    headSeq: 1,
    agent: name,
    status: "open",
    opened: { ...opened, seq: 1, at },
    approvers,
    votes: [],
    dueAt: at,
    verdict: null,
    by: null,
    via: null,
    decidedAt: null,
  };
}

/** Of schemas whose library makes no others, it is not asked: a validator takes its time to load. */
function schemaProblem({ input, inputSchema }: Tool): string | null {
  if (["zod", "json-schema"].includes(input["~standard"].vendor)) return null;
  try {
    jsonSchema(inputSchema);
    return null;
  } catch (error) {
    return isHoldpointError(error) ? error.message : String(error);
  }
}

/** As a probe has: who waits for a check is told in the end. */
const longestMs = 60_000;

interface Around {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Plain JavaScript has no types that would say so; and one check that breaks must not pass for one that found nothing. */
async function ownCheck(
  check: Check,
  index: number,
  context: CheckContext,
  { clock, signal }: Around,
): Promise<readonly Finding[]> {
  const name = check.name === "" ? `check ${index + 1}` : `check ${check.name}`;
  const fail = (why: string): readonly Finding[] => [
    finding("own_check_failed", { kind: "agent" }, `${name} ${why}`),
  ];
  const ended = await withTimeout<unknown>(clock, longestMs, signal, () => check(context));
  switch (ended.kind) {
    case "returned":
      return judged(ended.value, fail);
    case "threw":
      return fail(`threw: ${toErrorInfo(ended.error, "internal").message}`);
    case "timeout":
      return fail(`gave nothing within ${longestMs / 1_000} s`);
    case "aborted":
      return fail("was stopped before it gave anything");
    default:
      return ended satisfies never;
  }
}

function judged(found: unknown, fail: (why: string) => readonly Finding[]): readonly Finding[] {
  if (!Array.isArray(found)) return fail("gave what are no findings: it is no list");
  try {
    for (const [index, each] of found.entries()) {
      const problem = findingProblem(each);
      if (problem !== null) return fail(`gave what is no finding: ${problem} (number ${index + 1})`);
    }
    return found as readonly Finding[]; // findingProblem
  } catch (error) {
    return fail(`threw: ${toErrorInfo(error, "internal").message}`); // a getter's
  }
}
