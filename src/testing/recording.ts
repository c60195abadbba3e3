// A recording is JSON Lines: a head, then one line per call in the order in which the calls were made. Keys are sorted
// and nothing in it tells the time, so that the same calls give the same file and a change shows as changed lines.
import { z } from "zod";
import { type ErrorCode, HoldpointError, isHoldpointError } from "../core/errors.ts";
import { canonicalJson, type Json, toJson } from "../core/json.ts";
import type { ModelInput, ModelOutput, ModelProgress } from "../ports/model.ts";
import { inputDigest } from "./input-digest.ts";

const version = 1;

/** One call: what was asked, what was shown meanwhile, and how it ended. Secrets are gone from it. */
export interface RecordedCall {
  /** `inputDigest` of `input`. */
  readonly request: string;
  readonly input: ModelInput;
  readonly progress?: readonly ModelProgress[];
  readonly ended: { readonly output: ModelOutput } | { readonly error: RecordedError };
}

export interface RecordedError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly fix?: string;
  readonly retryAfterMs?: number;
  readonly details?: { readonly [name: string]: Json };
}

export interface Recording {
  /** Id of the model that was recorded. */
  readonly model: string;
  readonly calls: readonly RecordedCall[];
}

export function formatRecording({ model, calls }: Recording): string {
  const head = canonicalJson({ holdpoint: "recording", model, v: version });
  const lines = calls.map(({ ended, ...call }) => canonicalJson(toJson({ ...call, ...ended })));
  return `${[head, ...lines].join("\n")}\n`;
}

export function toRecordedError(error: unknown): RecordedError {
  if (!isHoldpointError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: "model_failed", message, retryable: true }; // as the runtime takes what is no error of ours
  }
  const { code, message, retryable, fix, retryAfterMs, details } = error;
  return {
    code,
    message,
    retryable,
    ...(fix === undefined ? {} : { fix }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(details === undefined ? {} : { details }),
  };
}

export function fromRecordedError({ code, message, ...options }: RecordedError): HoldpointError {
  return new HoldpointError(code as ErrorCode, message, options); // it was one when it was recorded
}

const headSchema = z.object({ holdpoint: z.literal("recording"), model: z.string(), v: z.int().min(1) });

const outputSchema = z.looseObject({
  text: z.string(),
  calls: z.array(z.looseObject({ callId: z.string(), tool: z.string(), args: z.unknown() })),
  finish: z.enum(["stop", "calls", "length", "refused", "other"]),
});

const errorSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
  fix: z.string().optional(),
  retryAfterMs: z.number().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

const callSchema = z.strictObject({
  request: z.string(),
  input: z.looseObject({ messages: z.array(z.looseObject({ role: z.string() })) }),
  progress: z
    .array(z.looseObject({ kind: z.enum(["text", "reasoning", "call"]), text: z.string() }))
    .optional(),
  output: outputSchema.optional(),
  error: errorSchema.optional(),
});

/** @throws `store_newer` for a later version's recording, `store_corrupt` naming the line that is none. */
export function parseRecording(path: string, text: string): Recording {
  const [headLine = "", ...lines] = text.split(/\r?\n/);
  const head = readLine(path, 1, headLine, headSchema);
  if (head.v > version) {
    throw new HoldpointError(
      "store_newer",
      `${path}, line 1: recorded in version ${head.v}; this Holdpoint reads up to ${version}`,
      { fix: "Use the Holdpoint that made it, or record it anew." },
    );
  }
  if (lines.pop() !== "")
    throw corrupt(path, lines.length + 2, "the line does not end, so it may be cut off");
  return { model: head.model, calls: lines.map((line, index) => readCall(path, index + 2, line)) };
}

function readCall(path: string, number: number, line: string): RecordedCall {
  const { request, input, progress, output, error } = readLine(path, number, line, callSchema);
  if ((output === undefined) === (error === undefined))
    throw corrupt(path, number, "a call ends in either an output or an error");
  // The casts hold for what a recorder wrote; that `input` is what it wrote, the digest proves.
  const call = { request, input: input as unknown as ModelInput };
  if (inputDigest(call.input) !== request)
    throw corrupt(path, number, "the input is not the one of its digest");
  return {
    ...call,
    ...(progress && { progress: progress as unknown as readonly ModelProgress[] }),
    ended: output ? { output: output as unknown as ModelOutput } : { error: error as RecordedError },
  };
}

function readLine<Schema extends z.ZodType>(
  path: string,
  number: number,
  line: string,
  schema: Schema,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw corrupt(path, number, line === "" ? "the line is empty" : "the line is no JSON");
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw corrupt(path, number, `${issue?.path.join(".") || "the line"}: ${issue?.message}`);
}

function corrupt(path: string, number: number, why: string): HoldpointError {
  return new HoldpointError("store_corrupt", `${path}, line ${number}: ${why}`, {
    fix: "Restore the file, or record it anew.",
  });
}
