// Asks the person at a terminal. What is shown was written by models and by strangers, so all of it goes through
// `visible`, and no line of it can pass for one of ours: every further line of a text is indented under its label.
import type { Readable, Writable } from "node:stream";
import { isCancel, select, text } from "@clack/prompts";
import { readStrictJson } from "../core/encodings/strict-json.ts";
import type { Verdict, VerdictKind } from "../core/events.ts";
import type { Json } from "../core/json.ts";
import { viewRequest } from "../core/request-view.ts";
import { visible } from "../core/visible.ts";
import type { Channel } from "../ports/channel.ts";
import type { RequestRow } from "../ports/store.ts";

export interface TerminalChannelOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Whom verdicts are recorded for, and their roles. Whoever opens the terminal has made sure who sits there. */
  readonly principal: string;
  readonly roles?: readonly string[];
}

type Opened = RequestRow["opened"];

interface Streams {
  readonly input: Readable;
  readonly output: Writable;
  readonly signal: AbortSignal;
}

interface Choice<Value> {
  readonly value: Value;
  readonly label: string;
}

/**
 * A Channel at a terminal. One request is asked at a time; Ctrl-C, an aborted signal and the end of the input leave it
 * for later, and so does Enter at the first prompt: a verdict has to be chosen.
 */
export function terminalChannel({ input, output, principal, roles = [] }: TerminalChannelOptions): Channel {
  let previous: Promise<unknown> = Promise.resolve();

  async function askNow(request: RequestRow, signal: AbortSignal) {
    const gone = new AbortController();
    const onGone = (): void => gone.abort();
    input.once("end", onGone).once("close", onGone);
    try {
      if (signal.aborted || input.readableEnded || input.destroyed) return null;
      output.write(`\n${requestLines(request).join("\n")}\n`);
      const verdict = await askVerdict(request, {
        input,
        output,
        signal: AbortSignal.any([signal, gone.signal]),
      });
      return verdict && { verdict, by: principal, ...(roles.length > 0 && { roles }) };
    } finally {
      input.off("end", onGone).off("close", onGone);
    }
  }

  return {
    name: "terminal",
    ask(request, signal) {
      const asked = previous.then(() => askNow(request, signal));
      previous = asked.catch(() => {}); // whoever asked is told
      return asked;
    },
  };
}

function requestLines(request: RequestRow): readonly string[] {
  const { title, question, fields } = viewRequest(request);
  const width = Math.max(shortWidth, ...fields.map(({ label }) => label.length + 1));
  return [
    `${title}: ${indented(question, width)}`,
    ...fields.map(({ label, text }) => `  ${label.padEnd(width)}${indented(text, width)}`),
  ];
}

const shortWidth = 11;

function indented(text: string, width: number): string {
  return text.replaceAll("\n", `\n  ${" ".repeat(width)}`);
}

async function askVerdict(request: RequestRow, streams: Streams): Promise<Verdict | null> {
  const later: Choice<VerdictKind | null> = { value: null, label: "Later: leave it open" };
  const choices = viewRequest(request).choices.map(({ kind, label }) => ({ value: kind, label }));
  const kind = await choose("Your verdict", [later, ...choices], streams);
  return kind && verdictOf(kind, request.opened, streams);
}

async function verdictOf(kind: VerdictKind, opened: Opened, streams: Streams): Promise<Verdict | null> {
  switch (kind) {
    case "approve":
    case "continue":
      return { kind };
    case "edit": {
      const args = await askJson(
        "The arguments to run it with (JSON)",
        streams,
        JSON.stringify(opened.action?.args ?? {}),
      );
      return args === undefined ? null : { kind, args };
    }
    case "reject":
    case "not_done":
    case "stop": {
      const why = await askText("Why?", streams);
      return why === null ? null : { kind, why };
    }
    case "answer": {
      const value = await askAnswer(opened.answerSchema, streams);
      return value === undefined ? null : { kind, value };
    }
    case "done": {
      const value = await askJson("What was its result? (JSON; null if it has none)", streams, "null");
      return value === undefined ? null : { kind, value };
    }
    default:
      return kind satisfies never;
  }
}

/** `undefined`: later. */
function askAnswer(schema: Json | undefined, streams: Streams): Promise<Json | undefined> {
  const { type, enum: values } = schemaMembers(schema);
  if (type === "boolean") return chooseValue([true, false], streams);
  if (values) return chooseValue(values, streams);
  if (schema !== undefined && type !== "string")
    return askJson(`Your answer (JSON: ${visible(JSON.stringify(schema))})`, streams);
  return askText("Your answer", streams).then((answer) => answer ?? undefined);
}

function schemaMembers(schema: Json | undefined): { readonly type?: Json; readonly enum?: readonly Json[] } {
  if (typeof schema !== "object" || schema === null || !("enum" in schema || "type" in schema)) return {};
  const { type, enum: values } = schema;
  return { ...(type !== undefined && { type }), ...(Array.isArray(values) && { enum: values }) };
}

async function chooseValue(values: readonly Json[], streams: Streams): Promise<Json | undefined> {
  const options = values.map((value) => ({
    value: { value },
    label: visible(typeof value === "string" ? value : JSON.stringify(value)),
  }));
  return (await choose("Your answer", options, streams))?.value; // wrapped: the value itself may be null
}

async function askJson(message: string, streams: Streams, initial?: string): Promise<Json | undefined> {
  const typed = await askText(message, streams, {
    ...(initial === undefined ? {} : { initialValue: visible(initial) }), // still JSON of the same value
    validate: (value) => whyNoJson(value ?? ""),
  });
  return typed === null ? undefined : readStrictJson(typed);
}

function whyNoJson(typed: string): string | undefined {
  try {
    return readStrictJson(typed) === undefined ? "This is not JSON." : undefined;
  } catch (error) {
    return `This is not JSON that can be used: ${error instanceof Error ? visible(error.message) : String(error)}.`;
  }
}

interface TextOptions {
  readonly initialValue?: string;
  readonly validate?: (value: string | undefined) => string | undefined;
}

async function askText(message: string, streams: Streams, options: TextOptions = {}): Promise<string | null> {
  const validate = (value: string | undefined): string | undefined =>
    value?.trim() ? undefined : "Write something, or press Ctrl-C.";
  const typed = await text({ message, validate, ...options, ...streams });
  return isCancel(typed) ? null : typed;
}

async function choose<Value>(
  message: string,
  options: readonly Choice<Value>[],
  streams: Streams,
): Promise<Value | null> {
  const index = await select({
    message,
    options: options.map(({ label }, value) => ({ value, label })),
    ...streams,
  });
  return isCancel(index) ? null : (options[index]?.value ?? null);
}
