// I7. No model input over its budget leaves here, whatever the log holds.
// I8. Leaving out is a view. A call and its result stay or go together, and what went is counted in the record.
import { renderReference } from "../artifact-ref.ts";
import { sha256 } from "../digest.ts";
import type { Encoding, Offer, Rendering, Shown } from "../encodings/encoding.ts";
import { HoldpointError } from "../errors.ts";
import type { Calibration, WindowRecord } from "../events.ts";
import type { Json } from "../json.ts";
import type { ThreadState } from "../state.ts";
import type { Tool } from "../tool.ts";
import { calibrated, countable } from "./calibration.ts";
import { type History, historyOf } from "./history.ts";
import type { ModelInput } from "./model-input.ts";
import { type Count, joinUserMessages, makePart, messageOverhead, type Part, tokensOf } from "./parts.ts";
import { type PartText, recordParts } from "./record.ts";
import type { RenderContext } from "./render.ts";
import { type RenderedSection, renderSection, type Section } from "./section.ts";
import type { SeenText } from "./see.ts";
import type { WindowSettings } from "./settings.ts";
import { threadView } from "./thread-view.ts";

export interface WindowRequest {
  readonly state: ThreadState;
  readonly settings: WindowSettings;
  readonly system: string;
  /** The thread's input: as the flow has it, and as the model is shown it. */
  readonly input: { readonly value: unknown; readonly text: string };
  /** What the model may do. One object for one offer, so that it is counted once. */
  readonly offer: Offer;
  readonly encoding: Encoding;
  /** The agent's tools: what they want shown of their results. */
  readonly tools: ReadonlyMap<string, Tool>;
  /** Text of a large value, by its digest. */
  readonly artifact: (digest: string) => string | undefined;
  /** What code wants seen at this decision. */
  readonly see: SeenText | null;
  /** What was wrong with the last output, when the model is asked again. */
  readonly correction: string | null;
  readonly budget: number;
  readonly maxOutputTokens: number;
  readonly count: Count;
  readonly calibration: Calibration;
  /** Cleans what did not come from the log of secrets. */
  readonly redact: (text: string) => string;
}

export interface Window {
  readonly input: ModelInput;
  /** What the model may do, as it was told. */
  readonly offer: Offer;
  readonly record: WindowRecord;
  /** Text of the parts that are recorded by digest, to be stored beside the record. */
  readonly texts: readonly PartText[];
}

/** A single result takes at most this share of the budget. */
const largestResult = 0.25;
/** So does the input: twice as much, at the model's own count. */
const largestInput = 0.5;
/** In characters: below it no room is gained. */
const leastInput = 400;
/** A token is seldom under three characters. */
const charactersPerToken = 3;

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

/** How this request's events are shown. */
export function renderContext({
  state,
  tools,
  artifact,
  redact,
  budget,
  settings,
}: WindowRequest): RenderContext {
  const kept = Math.max(200, Math.floor(budget * largestResult) * charactersPerToken);
  const longest = { kept, referenced: Math.min(kept, 600), lined: Math.min(kept, 200) };
  return { state, tools, artifact, redact, longest, noteText: settings.note };
}

function renderingOf({ settings, encoding, redact }: WindowRequest): Rendering {
  const { rendering = encoding.rendering } = settings;
  return typeof rendering === "string" ? encoding.renderings[rendering] : cleaned(rendering, redact);
}

/** Of an owner's rendering, the one that says no secret (I11): the same object each time, since parts are kept by it. */
const cleanRenderings = new WeakMap<
  Rendering,
  { readonly redact: WindowRequest["redact"]; readonly clean: Rendering }
>();

function cleaned(own: Rendering, redact: WindowRequest["redact"]): Rendering {
  const known = cleanRenderings.get(own);
  if (known?.redact === redact) return known.clean;
  const clean: Rendering = {
    ...own,
    show(part) {
      const shown = own.show(part);
      const messages = shown.map((message) => ({ ...message, content: redact(message.content) }));
      return messages.every(({ content }, index) => content === shown[index]?.content) ? shown : messages;
    },
  };
  cleanRenderings.set(own, { redact, clean });
  return clean;
}

/** All but the history. */
interface FixedParts {
  readonly request: Part;
  readonly start: readonly Part[];
  readonly end: readonly Part[];
  readonly input: Part | undefined;
  readonly all: readonly Part[];
}

function fixedParts(request: WindowRequest, sections: readonly RenderedSection[]): FixedParts {
  const sectionsAt = (place: NonNullable<Section["place"]>): readonly Part[] =>
    sections
      .filter(({ section }) => (section.place ?? "end") === place)
      .map((rendered) => sectionPart(request, rendered));
  const requestPart = requestPartOf(request);
  const prompt = promptPart(request);
  const input = inputPart(request);
  const start = [...prompt, input, ...sectionsAt("start")];
  const end = [
    ...sectionsAt("end"),
    ...plainPart(request, "known", request.see?.text ?? null, request.see?.isWhole),
    ...plainPart(request, "correction", request.correction),
  ];
  return { request: requestPart, start, end, input, all: [requestPart, ...start, ...end] };
}

function sectionPart(request: WindowRequest, { section, text, isWhole }: RenderedSection): Part {
  const { name } = section;
  const messages = renderingOf(request).show({ kind: "section", name, text });
  const treatment = isWhole ? "kept" : "truncated";
  return makePart(request.count, { kind: "section", name, messages, treatment });
}

function promptPart(request: WindowRequest): readonly Part[] {
  const { encoding, offer, system, count } = request;
  const content = [system, encoded(encoding, offer).instructions].filter((text) => text !== "").join("\n\n");
  if (content === "") return [];
  const make = (): Part =>
    makePart(count, { kind: "prompt", messages: [{ role: "system", content }], treatment: "kept" });
  return [keptOpening(request, "prompt", [content, count], make)];
}

/** Of a thread, parts that seldom change from call to call. Recomputable: a cache only. */
const openings = new WeakMap<ThreadState, Map<Part["kind"], Opening>>();

interface Opening {
  /** All that the part is made of. */
  readonly from: readonly unknown[];
  readonly part: Part;
}

function keptOpening(
  { state }: WindowRequest,
  kind: Part["kind"],
  from: readonly unknown[],
  make: () => Part,
): Part {
  const kept = openings.get(state) ?? new Map<Part["kind"], Opening>();
  openings.set(state, kept);
  const known = kept.get(kind);
  if (known && from.every((each, index) => each === known.from[index])) return known.part;
  const part = make();
  kept.set(kind, { from, part });
  return part;
}

/** Providers refuse empty messages, and a conversation that a user does not begin. */
const noInput = "(no input)";

function inputPart(request: WindowRequest): Part {
  const { count, input, budget, calibration } = request;
  const rendering = renderingOf(request);
  const most = countable(budget, calibration);
  return keptOpening(request, "input", [input.text, count, rendering, budget, most], () => {
    const shown = shownInput(request);
    const messages = rendering.show({ kind: "input", text: shown === "" ? noInput : shown });
    const treatment = shown === input.text ? "kept" : "referenced";
    return makePart(count, { kind: "input", seqs: [1, 1], messages, treatment });
  });
}

/** Whole, or by a reference that fits: in some scripts a character is a token. */
function shownInput({ budget, calibration, count, input, state }: WindowRequest): string {
  const { text } = input;
  const most = countable(budget, calibration) * largestInput;
  const within = (characters: number): string =>
    text.length <= characters ? text : renderReference(state.started?.input ?? { value: text }, characters);
  let longest = Math.max(leastInput, Math.floor(budget * largestInput) * charactersPerToken);
  let shown = within(longest);
  while (longest > leastInput && count(shown) > most) {
    longest = Math.max(leastInput, Math.floor(longest * 0.7));
    shown = within(longest);
  }
  return shown;
}

function plainPart(
  request: WindowRequest,
  kind: Exclude<Shown["kind"], "turn" | "section"> & Part["kind"],
  text: string | null,
  isWhole = true,
): readonly Part[] {
  if (text === null || text === "") return [];
  const messages = renderingOf(request).show({ kind, text });
  return [makePart(request.count, { kind, messages, treatment: isWhole ? "kept" : "truncated" })];
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

/** What an offer becomes in an encoding. Recomputable: a cache only. */
interface Encoded {
  readonly encoding: Encoding;
  readonly instructions: string;
  readonly request: Pick<ModelInput, "tools" | "output">;
  /** Of the request, by the counter and with the limit that were asked for last. */
  part: { readonly count: Count; readonly form: string; readonly part: Part } | null;
}

const encodedOffers = new WeakMap<Offer, Encoded>();

function encoded(encoding: Encoding, offer: Offer): Encoded {
  const known = encodedOffers.get(offer);
  if (known?.encoding === encoding) return known;
  const instructions = encoding.instructions(offer);
  const made: Encoded = { encoding, instructions, request: encoding.request(offer), part: null };
  encodedOffers.set(offer, made);
  return made;
}

/** What goes out beside messages, as it is recorded. */
function requestContent(request: WindowRequest): Json {
  const { encoding, offer, maxOutputTokens } = request;
  const isJoined = renderingOf(request).joinsUserMessages;
  const { tools, output } = encoded(encoding, offer).request;
  return {
    tools: tools as unknown as Json, // names, descriptions and JSON Schemas
    ...(output && { output }),
    maxOutputTokens,
    ...(isJoined && { joined: true }),
  };
}

/** Tools, and the schema of the output. */
function requestPartOf(request: WindowRequest): Part {
  const { encoding, offer, count } = request;
  const known = encoded(encoding, offer);
  const form = `${request.maxOutputTokens} ${renderingOf(request).joinsUserMessages}`;
  if (known.part?.count === count && known.part.form === form) return known.part.part;
  const text = JSON.stringify(requestContent(request));
  const { tools, output } = known.request;
  const toolTokens = tools.length === 0 ? 0 : count(JSON.stringify(tools)) + messageOverhead * tools.length;
  const tokens = toolTokens + (output ? count(JSON.stringify(output)) + messageOverhead : 0);
  const part: Part = { kind: "request", messages: [], treatment: "kept", tokens, digest: sha256(text) };
  known.part = { count, form, part };
  return part;
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
