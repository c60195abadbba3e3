import { type Attributes, type Context, context, type Span, type Tracer, trace } from "@opentelemetry/api";
import type { ThreadEvent } from "../core/events.ts";
import type { EffectTelemetry, TurnFacts, TurnTelemetry } from "../ports/telemetry.ts";
import { type Content, contentAttribute } from "./content.ts";
import { codeOf } from "./effect-end.ts";
import { endEffectSpan, startEffectSpan } from "./effect-span.ts";
import { fail } from "./fail.ts";
import { holdpoint } from "./names.ts";
import { createWaits, type EndedWait, firstUnseen } from "./waits.ts";

export interface OpenTurn {
  readonly tracer: Tracer;
  readonly span: Span;
  /** In which the turn's own spans begin. */
  readonly inside: Context;
  /** In which waits begin: beside the turn, since they began before it. */
  readonly beside: Context;
  readonly common: Attributes;
  readonly content: Content;
}

/** A turn whose span is recorded. */
export function createTurn(open: OpenTurn, { events }: Pick<TurnFacts, "events">): TurnTelemetry {
  const { tracer, span, inside, common, content } = open;
  const waits = createWaits();
  let lastSeq = events.length;
  let threadError: string | null = null;

  const unseen = firstUnseen(events);
  for (const [index, event] of events.entries()) {
    const ended = waits.take(event);
    if (index < unseen) continue;
    tellWaits(open, ended);
    tellEvent(span, event);
  }

  function tellEnd(event: ThreadEvent): void {
    const outcome = outcomes.get(event.type);
    if (outcome === undefined) return;
    span.setAttribute(holdpoint.threadOutcome, outcome);
    if (event.type === "thread_failed") threadError = event.error.code;
    if (event.type === "thread_completed")
      span.setAttributes(
        contentAttribute(
          content,
          holdpoint.output,
          () => event.output.artifact?.preview ?? event.output.value ?? null,
        ),
      );
  }

  return {
    within: (action) => context.with(inside, action),
    startEffect(effect): EffectTelemetry {
      const own = startEffectSpan(tracer, inside, effect, { common, content });
      const within = trace.setSpan(inside, own);
      return {
        within: (action) => context.with(within, action),
        end: (how) => endEffectSpan(own, how, content),
      };
    },
    appended(more) {
      for (const event of more) {
        lastSeq = event.seq;
        tellWaits(open, waits.take(event));
        tellEvent(span, event);
        tellEnd(event);
      }
    },
    end(how) {
      span.setAttribute(holdpoint.turnLastSeq, lastSeq);
      span.setAttribute(holdpoint.turnEnd, typeof how === "string" ? how : "failed");
      const error = typeof how === "string" ? threadError : codeOf(how.thrown);
      if (error !== null) fail(span, error);
      span.end();
    },
  };
}

const outcomes: ReadonlyMap<ThreadEvent["type"], string> = new Map([
  ["thread_completed", "completed"],
  ["thread_failed", "failed"],
  ["thread_cancelled", "cancelled"],
] as const);

/** Short spans with the times of the log, made when the wait is over. */
function tellWaits({ tracer, beside, common, content }: OpenTurn, ended: readonly EndedWait[]): void {
  for (const { kind, key, startedAt, endedAt, outcome, requestId, by, via } of ended) {
    const attributes: Attributes = {
      ...common,
      [holdpoint.operationKey]: key,
      [holdpoint.waitKind]: kind,
      [holdpoint.waitOutcome]: outcome,
      ...(requestId !== undefined && { [holdpoint.requestId]: requestId }),
      ...(via !== undefined && { [holdpoint.requestVia]: via }),
      ...(by !== undefined && contentAttribute(content, holdpoint.requestBy, () => by)),
    };
    tracer
      .startSpan(`wait ${kind}`, { attributes, startTime: new Date(startedAt) }, beside)
      .end(new Date(endedAt));
  }
}

/** What happened beside effects, as events of the turn's span. */
const told: ReadonlySet<ThreadEvent["type"]> = new Set([
  "request_opened",
  "request_voted",
  "request_reminded",
  "request_escalated",
  "request_decided",
  "request_expired",
  "action_denied",
  "action_in_doubt",
  "overflow_reported",
  "limit_reached",
  "timer_set",
  "timer_fired",
  "wait_started",
  "signal_received",
  "child_started",
  "child_completed",
  "operation_handled",
] as const);

function tellEvent(span: Span, event: ThreadEvent): void {
  if (!told.has(event.type)) return;
  const attributes: Attributes = {
    [holdpoint.eventSeq]: event.seq,
    ...("key" in event && { [holdpoint.operationKey]: event.key }),
    ...("requestId" in event && { [holdpoint.requestId]: event.requestId }),
  };
  span.addEvent(`holdpoint.${event.type}`, attributes, new Date(event.at));
}
