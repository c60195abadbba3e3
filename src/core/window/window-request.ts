import type { Encoding, Offer, Rendering } from "../encodings/encoding.ts";
import type { ThreadState } from "../state.ts";
import type { Tool } from "../tool.ts";
import type { Count } from "./parts.ts";
import type { RenderContext } from "./render.ts";
import type { SeenText } from "./see.ts";
import type { WindowSettings } from "./settings.ts";
import type { Calibration } from "./window-record.ts";

/** All that a window is made of. */
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

/** A single result takes at most this share of the budget. */
const largestResult = 0.25;
/** A token is seldom under three characters. */
export const charactersPerToken = 3;

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

/** How this request's parts become messages. */
export function renderingOf({ settings, encoding, redact }: WindowRequest): Rendering {
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
