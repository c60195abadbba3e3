// I7. No model input over its budget leaves here, whatever the log holds.
// I8. Leaving out is a view. A call and its result stay or go together, and what went is counted in the record.
import { sha256 } from "../digest.ts";
import type { Offer } from "../encodings/encoding.ts";
import { HoldpointError } from "../errors.ts";
import { calibrated, countable } from "./calibration.ts";
import { encoded, type FixedParts, fixedParts, requestContent } from "./fixed-parts.ts";
import { type History, historyOf } from "./history.ts";
import type { ModelInput } from "./model-input.ts";
import { joinUserMessages, type Part, tokensOf } from "./parts.ts";
import { type PartText, recordParts } from "./record.ts";
import type { RenderContext } from "./render.ts";
import { type RenderedSection, renderSection } from "./section.ts";
import { threadView } from "./thread-view.ts";
import type { WindowRecord } from "./window-record.ts";
import { renderContext, renderingOf, type WindowRequest } from "./window-request.ts";

export interface Window {
  readonly input: ModelInput;
  /** What the model may do, as it was told. */
  readonly offer: Offer;
  readonly record: WindowRecord;
  /** Text of the parts that are recorded by digest, to be stored beside the record. */
  readonly texts: readonly PartText[];
}

/** What a model put out decides how long a correction is, so one that does not fit gives way: the thread must not. */
const shortCorrection = "Your last output could not be used.";

/**
 * What the model is given next: prompt, input and sections, the thread's history shrunk as far as it must be, what code
 * wants seen, and what was wrong before. The same log, code and settings give the same bytes in every process.
 *
 * @throws `window_over_budget` when the parts that always stay do not fit, naming them and their sizes; `window_failed`
 *   when a section throws.
 */
export function buildWindow(request: WindowRequest): Window {
  const context = renderContext(request);
  const thread = threadView(context, request.input.value);
  const limits = { budget: countable(request.budget, request.calibration), count: request.count };
  const sections = request.settings.sections.flatMap(
    (section) => renderSection(section, thread, limits, request.redact) ?? [],
  );
  return fitted(request, context, sections);
}

/** Gives up what may be given up, the least important first: the correction's words, then sections that are not pinned. */
function fitted(
  request: WindowRequest,
  context: RenderContext,
  sections: readonly RenderedSection[],
): Window {
  const fixed = fixedParts(request, sections);
  const room = countable(request.budget, request.calibration) - tokensOf(fixed.all);
  const task = fixed.input?.treatment === "kept" ? null : request.input.text;
  const { settings, count } = request;
  const history =
    room < 0 ? null : historyOf({ context, rendering: renderingOf(request), settings, count, room, task });
  if (history && history.tokens <= room) return assembled(request, fixed, history);
  const { correction } = request;
  if (correction !== null)
    return fitted(
      { ...request, correction: correction === shortCorrection ? null : shortCorrection },
      context,
      sections,
    );
  const least = leastImportant(sections);
  if (least)
    return fitted(
      request,
      context,
      sections.filter((each) => each !== least),
    );
  throw overBudget(request, fixed.all, history);
}

function leastImportant(sections: readonly RenderedSection[]): RenderedSection | undefined {
  return sections
    .filter(({ section }) => !section.pin)
    .sort((left, right) => (left.section.priority ?? 0) - (right.section.priority ?? 0))[0];
}

function assembled(request: WindowRequest, fixed: FixedParts, history: History): Window {
  const { encoding, offer, budget, calibration, maxOutputTokens, state } = request;
  const shown = [...fixed.start, ...history.parts, ...fixed.end];
  const messages = shown.flatMap((part) => part.messages);
  const parts = [fixed.request, ...shown];
  const isCalibrated = calibration.factor !== 1 || calibration.offset !== 0;
  const recorded = recordParts(state, parts, requestContent(request));
  return {
    input: {
      messages: renderingOf(request).joinsUserMessages ? joinUserMessages(messages) : messages,
      ...encoded(encoding, offer).request,
      maxOutputTokens,
    },
    offer,
    record: {
      digest: sha256(shown.map((part) => part.digest).join("")),
      tokens: calibrated(tokensOf(parts), calibration),
      budget,
      fromSeq: history.view.summarised,
      dropped: history.dropped,
      view: history.view,
      ...(shown.some(showsReference) ? { references: true } : {}),
      ...(isCalibrated ? { calibration } : {}),
      parts: recorded.parts,
    },
    texts: recorded.texts,
  };
}

function showsReference({ treatment, messages }: Part): boolean {
  if (treatment === "kept") return false;
  return messages.some(({ content }) => /art_[0-9a-f]{16}/.test(content));
}

function overBudget(request: WindowRequest, fixed: readonly Part[], history: History | null): HoldpointError {
  const all = [...fixed, ...(history?.parts ?? [])].filter(({ tokens }) => tokens > 0);
  const sizes = all
    .map((part) => ({
      name: part.kind === "request" ? "tools" : nameOf(part),
      tokens: calibrated(part.tokens, { ...request.calibration, offset: 0 }),
    }))
    .sort((left, right) => right.tokens - left.tokens)
    .map(({ name, tokens }) => `${name} ${tokens}`)
    .join(", ");
  const total = calibrated(tokensOf(all), request.calibration);
  return new HoldpointError(
    "window_over_budget",
    `the parts that always stay take ${total} of ${request.budget} tokens: ${sizes}`,
    {
      fix: "Raise the window's budget, or shorten the largest part (show less with `see`, pin less, offer fewer tools).",
    },
  );
}

function nameOf({ kind, name, seqs }: Part): string {
  switch (kind) {
    case "known":
      return "see";
    case "section":
      return `section "${name}"`;
    case "turn":
    case "note":
      return `${kind} ${seqs?.[0]}`;
    default:
      return kind;
  }
}
