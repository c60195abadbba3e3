import { eventsRendering } from "../encodings/renderings.ts";
import { itemsFrom } from "./items.ts";
import { renderNote, renderTurn } from "./render.ts";
import { cutMiddle } from "./section.ts";
import { renderContext, type WindowRequest } from "./window-request.ts";

/** The steps before `toSeq` as a model gets them to tell in short: what was told before, then tagged events. Bounded. */
export function summaryInput(request: WindowRequest, toSeq: number, maxTokens: number): string {
  const context = renderContext(request);
  const { lastSummary } = request.state;
  const last = lastSummary !== null && lastSummary.toSeq < toSeq ? lastSummary : null;
  const from = last?.toSeq ?? 0;
  const before = last === null ? [] : eventsRendering.show({ kind: "summary", text: last.text });
  const steps = itemsFrom(request.state, from, toSeq).flatMap((item) => {
    if (item.kind === "turn") {
      const { messages } = renderTurn(context, item.turn, "referenced", Math.max(1, item.attempts));
      return messages.length === 0 || item.attempts === 0
        ? []
        : eventsRendering.show({ kind: "turn", messages });
    }
    const note = renderNote(context, item.note);
    return note === null ? [] : eventsRendering.show({ kind: "note", text: note.text });
  });
  const task = eventsRendering.show({ kind: "input", text: request.input.text.slice(0, 2_000) });
  const text = [...task, ...before, ...steps].map(({ content }) => content).join("\n\n");
  return cutMiddle(text.toWellFormed(), { maxTokens, count: request.count });
}
