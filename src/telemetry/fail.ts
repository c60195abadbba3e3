import { type Span, SpanStatusCode } from "@opentelemetry/api";
import { errorType } from "./names.ts";

/** By its code alone: messages quote content. */
export function fail(span: Span, code: string): void {
  span.setAttribute(errorType, code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
}
