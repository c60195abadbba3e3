// The parts of a window that are not its history: what is asked for, prompt, input, sections, what code wants seen.
import { renderReference } from "../artifact-ref.ts";
import { sha256 } from "../digest.ts";
import type { Encoding, Offer, Shown } from "../encodings/encoding.ts";
import type { Json } from "../json.ts";
import type { ThreadState } from "../state.ts";
import { countable } from "./calibration.ts";
import type { ModelInput } from "./model-input.ts";
import { type Count, makePart, messageOverhead, type Part } from "./parts.ts";
import type { RenderedSection, Section } from "./section.ts";
import { charactersPerToken, renderingOf, type WindowRequest } from "./window-request.ts";

/** So does the input: twice as much, at the model's own count. */
const largestInput = 0.5;
/** In characters: below it no room is gained. */
const leastInput = 400;
/** All but the history. */
export interface FixedParts {
  readonly request: Part;
  readonly start: readonly Part[];
  readonly end: readonly Part[];
  readonly input: Part | undefined;
  readonly all: readonly Part[];
}

export function fixedParts(request: WindowRequest, sections: readonly RenderedSection[]): FixedParts {
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

/** What an offer becomes in an encoding. Recomputable: a cache only. */
interface Encoded {
  readonly encoding: Encoding;
  readonly instructions: string;
  readonly request: Pick<ModelInput, "tools" | "output">;
  /** Of the request, by the counter and with the limit that were asked for last. */
  part: { readonly count: Count; readonly form: string; readonly part: Part } | null;
}

const encodedOffers = new WeakMap<Offer, Encoded>();

export function encoded(encoding: Encoding, offer: Offer): Encoded {
  const known = encodedOffers.get(offer);
  if (known?.encoding === encoding) return known;
  const instructions = encoding.instructions(offer);
  const made: Encoded = { encoding, instructions, request: encoding.request(offer), part: null };
  encodedOffers.set(offer, made);
  return made;
}

/** What goes out beside messages, as it is recorded. */
export function requestContent(request: WindowRequest): Json {
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
