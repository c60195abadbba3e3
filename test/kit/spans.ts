// The real SDK with an exporter that keeps what it is given, as the global provider or beside it.
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  type SpanExporter,
} from "@opentelemetry/sdk-trace-base";
import { afterEach } from "vitest";

export interface Spans {
  /** Ended ones, in the order of their ends. */
  ended(): readonly ReadableSpan[];
  /** Names under their parents', in the order of their beginnings: `{ "invoke_agent desk": ["chat scripted"] }`. */
  names(): readonly string[];
  named(name: string): readonly ReadableSpan[];
}

/** Registers a provider; after each test there is none again. */
export function useSpans(): (options?: { exporter?: SpanExporter; sampler?: Sampler }) => Spans {
  afterEach(() => {
    trace.disable();
    context.disable();
  });
  return ({ exporter, sampler } = {}) => {
    const memory = new InMemorySpanExporter();
    const processors = [memory, ...(exporter ? [exporter] : [])].map((each) => new SimpleSpanProcessor(each));
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: processors, ...(sampler && { sampler }) }),
    );
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const ended = () => memory.getFinishedSpans();
    return {
      ended,
      names: () => tree(ended()),
      named: (name) => ended().filter((span) => span.name === name),
    };
  };
}

/** One line a span, two more spaces for each level. A parent that was never sent is a root's. */
function tree(spans: readonly ReadableSpan[]): readonly string[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const under = (parent: string | null, depth: number): readonly string[] =>
    spans
      .filter(({ parentSpanContext }) =>
        parent === null ? !ids.has(parentSpanContext?.spanId ?? "") : parentSpanContext?.spanId === parent,
      )
      .flatMap((span) => [
        `${"  ".repeat(depth)}${span.name}`,
        ...under(span.spanContext().spanId, depth + 1),
      ]);
  return under(null, 0);
}
