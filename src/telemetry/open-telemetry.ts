// T1. Without a provider nothing is told, and no more than one span that is none is asked for per turn.
// T2. Content leaves only when it is asked for, and without declared secrets (I11).
// T3. A thread that waits holds no span open: what spans several turns is told of when it is over.
import { type Attributes, context, isSpanContextValid, type TracerProvider, trace } from "@opentelemetry/api";
import { HoldpointError } from "../core/errors.ts";
import type { EventOf } from "../core/events.ts";
import type { Telemetry, TurnFacts, TurnTelemetry } from "../ports/telemetry.ts";
import { type Content, contentAttribute } from "./content.ts";
import { genAi, holdpoint, schemaUrl } from "./names.ts";
import { contextOf, originLinks, threadTrace } from "./thread-trace.ts";
import { createTurn } from "./turn-span.ts";

export interface OpenTelemetryOptions {
  /**
   * Prompts, arguments, results and who decided, too: without declared secrets, each at most 64 Ki characters. Default false.
   */
  readonly content?: boolean;
  /**
   * Share of threads whose spans are to be sampled, from 0 to 1: all turns of a thread or none, in every process. A sampler
   * that goes by its parent (the SDK's default) obeys it. Default 1.
   */
  readonly share?: number;
  /** Default: the one that is registered when a turn begins. */
  readonly tracerProvider?: TracerProvider;
}

/**
 * Tells of runs by OpenTelemetry's API, in the names of the GenAI conventions ([docs](../../docs/telemetry.md)). The SDK,
 * and where spans go, is the user's; without one nothing happens.
 *
 * @throws `usage` for a share that is none.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  const { content: isOn = false, share = 1, tracerProvider } = options;
  if (!(share >= 0 && share <= 1))
    throw new HoldpointError("usage", `telemetry's share is ${share}`, { fix: "Give a number from 0 to 1." });
  return {
    startTurn: (turn) => startTurn(tracerProvider ?? trace.getTracerProvider(), turn, { isOn, share }),
    flush: () => flush(tracerProvider ?? trace.getTracerProvider()),
  };
}

function startTurn(
  provider: TracerProvider,
  turn: TurnFacts,
  { isOn, share }: { readonly isOn: boolean; readonly share: number },
): TurnTelemetry | null {
  const { threadId, agent, events, clean } = turn;
  const [started] = events;
  if (started?.type !== "thread_started") return null;
  const anchor = threadTrace(threadId, share);
  const beside = contextOf(anchor);
  const content: Content = { isOn, clean };
  const common: Attributes = {
    [genAi.conversationId]: threadId,
    [genAi.agentName]: agent.name,
    [genAi.agentVersion]: agent.version,
    [holdpoint.threadId]: threadId,
  };
  const tracer = provider.getTracer("holdpoint", undefined, { schemaUrl });
  const attributes = { ...common, ...turnAttributes(started, events.length, content) };
  const links = originLinks(started);
  const span = tracer.startSpan(`invoke_agent ${agent.name}`, { attributes, links }, beside);
  const own = span.spanContext();
  if (!isSpanContextValid(own) || own.spanId === anchor.spanId) return null; // T1: the API gives back what it was given
  const inside = trace.setSpan(beside, span);
  if (span.isRecording()) return createTurn({ tracer, span, inside, beside, common, content }, turn);
  return unsampled((action) => context.with(inside, action));
}

function turnAttributes(
  { input, parent }: EventOf<"thread_started">,
  head: number,
  content: Content,
): Attributes {
  return {
    [genAi.operationName]: "invoke_agent",
    [holdpoint.turnFirstSeq]: head + 1,
    ...(parent && { [holdpoint.parentThreadId]: parent.threadId }),
    ...contentAttribute(content, holdpoint.input, () => input.artifact?.preview ?? input.value ?? null),
  };
}

/** What runs in it still belongs to its trace, so that the user's own spans are not sampled either. */
function unsampled(within: TurnTelemetry["within"]): TurnTelemetry {
  return { within, startEffect: () => null, appended: () => {}, end: () => {} };
}

/** The API knows no flush; providers that can have one, behind its proxy or not. */
async function flush(provider: TracerProvider): Promise<void> {
  const real: unknown =
    "getDelegate" in provider && typeof provider.getDelegate === "function"
      ? provider.getDelegate()
      : provider;
  if (typeof real !== "object" || real === null || !("forceFlush" in real)) return;
  if (typeof real.forceFlush === "function") await real.forceFlush();
}
