import type { Hint, ThreadEvent } from "../../src/index.ts";
import { printable } from "./print-report.ts";

export interface Progress {
  readonly observe: (hint: Hint) => void;
  /** Names the threads by their files. */
  readonly setFiles: (files: ReadonlyMap<string, string>) => void;
  /** Actions carried out so far that did more than read. */
  readonly actions: () => number;
  readonly close: () => void;
}

const frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
const frameMs = 80;

/** Shows on `stream` how far an inbox is: one line that changes on a terminal, plain lines elsewhere. */
export function showProgress(stream: NodeJS.WriteStream): Progress {
  const isLive = stream.isTTY;
  let files: ReadonlyMap<string, string> = new Map();
  const resting = new Set<string>();
  const reading = new Set<string>();
  let actions = 0;
  let doing = "reading the inbox";
  let frame = 0;
  const draw = (): void => {
    frame = (frame + 1) % frames.length;
    const line = `${frames[frame]} ${resting.size} of ${files.size} e-mails  ${doing}`;
    stream.write(`\r\u001b[2K${line.slice(0, Math.max(0, stream.columns - 1))}`);
  };
  const timer = isLive ? setInterval(draw, frameMs) : undefined;

  function onEvent(threadId: string, event: ThreadEvent): void {
    const key = "key" in event ? `${threadId} ${event.key}` : "";
    if (event.type === "action_proposed" && event.effect === "read") reading.add(key);
    if (event.type === "action_completed" && !reading.has(key)) actions += 1;
    if (
      event.type === "request_opened" ||
      event.type === "thread_completed" ||
      event.type === "thread_failed"
    )
      resting.add(threadId);
    const line = isLive ? null : describeEvent(event);
    if (line !== null) stream.write(`${files.get(threadId) ?? threadId}  ${printable(line)}\n`);
  }

  return {
    observe(hint) {
      if (hint.kind === "appended") for (const event of hint.events) onEvent(hint.threadId, event);
      if (hint.kind === "performing")
        doing = `${printable(files.get(hint.threadId) ?? hint.threadId)}: ${hint.key}`;
      if (hint.kind === "problem")
        stream.write(`${isLive ? "\r\u001b[2K" : ""}problem: ${printable(String(hint.error))}\n`);
    },
    setFiles(next) {
      files = next;
    },
    actions: () => actions,
    close() {
      clearInterval(timer);
      if (isLive) stream.write("\r\u001b[2K");
    },
  };
}

/** What someone who waits wants to know; the rest is in the log. */
function describeEvent(event: ThreadEvent): string | null {
  switch (event.type) {
    case "action_completed":
      return `${event.key} done`;
    case "step_failed":
    case "decision_rejected":
    case "action_failed":
      return `${event.key} failed: ${event.error.message}`;
    case "request_opened":
      return `waits for a person: ${event.action?.tool ?? event.question}`;
    case "thread_completed":
      return "finished";
    case "thread_failed":
      return `failed: ${event.error.message}`;
    default:
      return null;
  }
}
