import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { sha256 } from "../core/digest.ts";
import type { EventOf } from "../core/events.ts";
import { holdpoint } from "./names.ts";

/**
 * The trace of a thread, the same in every process: its id is the first 32 hex digits of SHA-256 of `holdpoint:` and the
 * thread's id. Its turns hang on a span that nobody ever sends (the next 16 digits), so that a thread that waits for days
 * holds none open.
 *
 * @param share - of threads whose spans are to be sampled, from 0 to 1: by the trace's id, so all turns of one or none.
 */
export function threadTrace(threadId: string, share = 1): SpanContext {
  const digest = sha256(`holdpoint:${threadId}`);
  const isSampled = Number.parseInt(digest.slice(18, 32), 16) < share * 2 ** 56;
  return {
    traceId: digest.slice(0, 32),
    spanId: digest.slice(32, 48),
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
}

export function contextOf(span: SpanContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, span);
}

/** Where a thread came from: a child's parent, a fork's origin. */
export function originLinks({ parent, forkedFrom }: EventOf<"thread_started">): Link[] {
  const origins = [parent?.threadId, forkedFrom?.threadId].filter((id) => id !== undefined);
  return origins.map((id) => ({ context: threadTrace(id), attributes: { [holdpoint.threadId]: id } }));
}
