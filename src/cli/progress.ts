import { HoldpointError, toErrorInfo } from "../core/errors.ts";
import type { ThreadEvent } from "../core/events.ts";
import type { ModelProgress } from "../ports/model.ts";
import type { Hint } from "../runtime/runtime.ts";
import { describeEvent } from "./describe-event.ts";
import { formatDuration, line, plural } from "./format.ts";
import type { Screen } from "./screen.ts";

export interface Progress {
  readonly observe: (hint: Hint) => void;
  /** Says that a verdict was not taken. */
  refused(error: HoldpointError): void;
  /** No live line while a person is asked. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface ProgressOptions {
  /** Lines name their thread: several run at once. */
  readonly withThreads: boolean;
}

interface Running {
  readonly label: string;
  readonly startedAt: number;
  /** The last characters that a model has put out. */
  said: string;
}

/** How much of a model's output a live line shows. */
const saidLength = 60;

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const frameMs = 100;
/** So many different problems are remembered, to say each once. */
const maxProblems = 1_000;

/** Shows on stderr what is being performed, and a line for each thing that was done. */
export function showProgress(screen: Screen, { withThreads }: ProgressOptions): Progress {
  const running = new Map<string, Running>();
  const tellProblem = problemTeller(screen);
  let frame = 0;
  let isPaused = false;
  const timer = screen.isLive ? setInterval(draw, frameMs) : null;
  timer?.unref();

  function draw(): void {
    if (isPaused) return;
    const [first] = running.values();
    frame += 1;
    if (!first) return screen.live("");
    const more = running.size > 1 ? ` and ${plural(running.size - 1, "other")}` : "";
    const said =
      first.said === "" ? "" : `  ${screen.paintNotes("dim", `“${line(first.said, saidLength)}”`)}`;
    screen.live(
      `${frames[frame % frames.length]} ${first.label}${more}  ${formatDuration(performance.now() - first.startedAt)}${said}`,
    );
  }

  function label(threadId: string, text: string): string {
    return withThreads ? `${threadId}  ${text}` : text;
  }

  function onEvent(threadId: string, event: ThreadEvent): void {
    if ("key" in event && endsOperation(event)) running.delete(`${threadId} ${event.key}`);
    if (!isShown(event)) return;
    const key = "key" in event ? `${screen.paintNotes("bold", line(event.key, 200))}  ` : "";
    const thread = event.type === "thread_started" && !withThreads ? `thread ${threadId}  ` : "";
    screen.note(label(threadId, `${thread}${key}${describeEvent(event, screen.paintNotes)}`));
  }

  /** The end of what the model has put out so far; what counts is the decision, which comes as an event. */
  function onOutput(key: string, progress: ModelProgress): void {
    const operation = running.get(key);
    if (!operation) return;
    const piece =
      progress.kind === "call" && operation.said === "" ? `${progress.tool} ${progress.text}` : progress.text;
    operation.said = `${operation.said}${piece}`.slice(-saidLength);
  }

  return {
    observe(hint) {
      switch (hint.kind) {
        case "appended":
          for (const event of hint.events) onEvent(hint.threadId, event);
          return;
        case "performing":
          running.set(`${hint.threadId} ${hint.key}`, {
            label: label(hint.threadId, line(hint.key, 200)),
            startedAt: performance.now(),
            said: "",
          });
          return;
        case "progress":
          onOutput(`${hint.threadId} ${hint.key}`, hint.progress);
          return;
        case "problem":
          return tellProblem(withThreads ? hint.threadId : "", hint.error);
        default:
          throw new HoldpointError(
            "internal",
            `a hint of an unknown kind: ${JSON.stringify(hint satisfies never)}`,
          );
      }
    },
    refused(error) {
      screen.warn(line(error.message, 400));
    },
    pause() {
      isPaused = true;
      screen.live("");
    },
    resume() {
      isPaused = false;
    },
    close() {
      if (timer) clearInterval(timer);
      screen.live("");
    },
  };
}

/** Warns of a problem, of each once, and of which thread it is; an empty id is of none. */
export function problemTeller(screen: Screen): (threadId: string, error: unknown) => void {
  const told = new Set<string>();
  return (threadId, error) => {
    const { code, message, fix } = toErrorInfo(error, "internal");
    const what = `${threadId === "" ? "" : `${threadId}  `}${line(message, 400)} (${code})`;
    const text = fix === undefined ? what : `${what} → ${line(fix, 400)}`;
    if (told.has(text) || told.size >= maxProblems) return;
    told.add(text);
    screen.warn(text);
  };
}

function endsOperation(event: ThreadEvent): boolean {
  return (
    event.type !== "action_proposed" && event.type !== "action_started" && event.type !== "child_started"
  );
}

/** What a reader who waits wants to know; the rest is in the log. */
function isShown(event: ThreadEvent): boolean {
  return event.type !== "action_started" && event.type !== "timer_fired";
}
