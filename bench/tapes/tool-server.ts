// The tools, in a process of their own: they answer from the recordings, and what writes is in the ledger, on disk,
// before they answer. They take every call that comes, also one that came before: what happens twice is to be seen.
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { canonicalJson, type Json } from "../../src/core/json.ts";
import type { TapeCall } from "../../test/kit/tape.ts";
import { listen, sendJson } from "./http.ts";
import { callsOf, isRefused, type Recording, resultOf } from "./recordings.ts";

/** One write that took place. */
export interface LedgerLine {
  readonly id: string;
  readonly tool: string;
  readonly args: Json;
  readonly idempotencyKey: string;
  /** `refused`: the tool answered with an error, and changed nothing. */
  readonly outcome: "written" | "refused";
}

export type ToolRequest =
  | { readonly do: "run"; readonly tool: string; readonly args: Json; readonly idempotencyKey: string }
  | { readonly do: "look"; readonly idempotencyKey: string };

const [recordingsPath = "", ledgerPath = ""] = process.argv.slice(2);
const recordings = JSON.parse(readFileSync(recordingsPath, "utf8")) as readonly Recording[]; // the bench wrote it
const byId = new Map(recordings.map((recording) => [recording.id, recording]));
const ledger = openSync(ledgerPath, "a");
const written = new Map<string, Json>();

const { url, close } = await listen((path, body, response) => {
  const recording = byId.get(path.slice(1));
  if (!recording) return sendJson(response, 404, { why: `there is no recording ${path}` });
  const request = JSON.parse(body) as ToolRequest; // the desk's tools sent it
  if (request.do === "run") run(recording, request, response);
  else sendJson(response, 200, { value: written.get(request.idempotencyKey) ?? null });
});

function run(
  recording: Recording,
  { tool, args, idempotencyKey }: Extract<ToolRequest, { do: "run" }>,
  response: ServerResponse,
): void {
  const call = recordedCall(recording, tool, idempotencyKey);
  if (!call || canonicalJson(call.args) !== canonicalJson(args)) {
    const why = `${idempotencyKey} is ${JSON.stringify(args)}, recorded was ${JSON.stringify(call?.args)}`;
    return sendJson(response, 409, { why });
  }
  const value = resultOf(call);
  if (recording.writes.includes(tool)) {
    append({
      id: recording.id,
      tool,
      args,
      idempotencyKey,
      outcome: isRefused(value) ? "refused" : "written",
    });
    written.set(idempotencyKey, value);
  }
  sendJson(response, 200, { value });
}

/** The key ends with the tool's name and which call of it this is in the thread. */
function recordedCall(recording: Recording, tool: string, idempotencyKey: string): TapeCall | undefined {
  const number = Number(/#(\d+)$/.exec(idempotencyKey)?.[1]);
  return callsOf(recording).filter((call) => call.tool === tool)[number - 1];
}

function append(line: LedgerLine): void {
  writeSync(ledger, `${JSON.stringify(line)}\n`);
  fsyncSync(ledger);
}

process.on("disconnect", () => void close().then(() => closeSync(ledger))); // ends with the bench
process.send?.({ url });
