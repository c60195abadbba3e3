// What the agent did before a request, for whoever decides it: pure, from the state, and bounded.
import type { Json } from "./json.ts";
import { kindOfKey, type Operation, type ThreadState } from "./state.ts";

/** What a request has room for, and a person patience. */
const mostLines = 8;
const mostCharacters = 800;
const lineLength = 140;

/** The newest steps, decisions, actions and answers before the operation `key`, oldest first; one line each. */
export function soFar(state: ThreadState, key: string): readonly string[] {
  const told = [...state.operations.values()].filter((operation) => operation.key !== key);
  const lines: string[] = [];
  let room = mostCharacters;
  let left = told.length;
  for (const operation of told.reverse()) {
    const line = lineOf(state, operation);
    const isFull = lines.length === mostLines - 1 || (line !== null && room - line.length < 40);
    if (isFull && left > 0) break;
    left -= 1;
    if (line === null) continue;
    lines.unshift(line);
    room -= line.length + 1;
  }
  return left === 0 ? lines : [`… ${left} earlier operations`, ...lines];
}

function lineOf(state: ThreadState, operation: Operation): string | null {
  const name = operation.key.slice(operation.key.indexOf(":") + 1).replace(/#1$/, "");
  switch (kindOfKey(operation.key)) {
    case "step":
      return clip(`step ${name}: ${stepEnd(operation)}`);
    case "decide":
      return clip(`${operation.key}: ${decision(operation)}`);
    case "act":
      return clip(`${name}${shortArgs(operation)}: ${actionEnd(operation)}`);
    case "ask":
      return clip(`${operation.key}: ${answer(operation)}`);
    case "call":
      return clip(`agent ${name}: ${stepEnd(operation)}`);
    case "wait":
      return clip(`signal ${name}: ${operation.settled ? "received or given up" : "awaited"}`);
    case "note":
      return clip(`note: ${state.notesByKey.get(operation.key)?.text ?? ""}`);
    default:
      return null; // times and random numbers tell nobody anything
  }
}

function stepEnd({ settled, lastError, attempt }: Operation): string {
  if (settled?.outcome.kind === "error") return `failed: ${settled.outcome.error.message}`;
  if (settled) return attempt > 1 ? `done at try ${attempt}` : "done";
  return lastError ? `failed ${attempt} times: ${lastError.message}` : "under way";
}

function decision({ settled, lastError, attempt }: Operation): string {
  if (settled?.outcome.kind !== "decision")
    return lastError ? `nothing usable in ${attempt} tries: ${lastError.message}` : "under way";
  const { decision: made } = settled.outcome;
  if (made.kind === "answer") return `answered ${JSON.stringify(made.value)}`;
  const said = made.text === undefined || made.text === "" ? "" : `; said “${made.text}”`;
  return `called ${made.calls.map(({ tool }) => tool).join(", ")}${said}`;
}

function shortArgs({ proposal }: Operation): string {
  return proposal ? ` ${cut(JSON.stringify(proposal.args), 60)}` : "";
}

function actionEnd({ settled, start, inDoubt, request }: Operation): string {
  if (settled?.outcome.kind !== "action") {
    if (inDoubt) return "in doubt";
    if (start) return "started";
    return request?.status === "open" ? "waits for a person" : "not started";
  }
  const { event } = settled.outcome;
  const decided = request?.decided;
  const after =
    decided && decided.verdict.kind !== "reject"
      ? `, approved by ${(decided.voters ?? [decided.by]).join(" and ")}`
      : "";
  switch (event.type) {
    case "action_completed":
      return `done${after}`;
    case "action_failed":
      return `failed${after}: ${event.error.message}`;
    case "action_denied":
      return `denied by ${event.by ?? event.deniedBy}: ${event.why}`;
    default:
      return event satisfies never;
  }
}

function answer({ settled, request }: Operation): string {
  const asked = `“${cut(request?.opened.question ?? "", 50)}”`;
  if (settled?.outcome.kind !== "ask") return `${asked} waits`;
  const { result } = settled.outcome;
  return result.kind === "answered"
    ? `${asked} ${result.by}: ${text(result.value)}`
    : `${asked} ${result.kind}`;
}

function text(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** One line, whatever is in it. */
function clip(line: string): string {
  return cut(line.replaceAll(/\s+/g, " "), lineLength);
}

function cut(line: string, length: number): string {
  return line.length <= length ? line : `${line.slice(0, length - 1).toWellFormed()}…`;
}
