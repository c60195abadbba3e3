// A provider on the loopback interface, in a thread of its own: it speaks OpenAI's chat completions, and stamps when it
// wrote the last byte of a response. The first segment of its base URL says how long the model thinks, in ms.
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

/** Nanoseconds of the machine's monotonic clock, which all threads share. */
const lastByteAt = new BigInt64Array(workerData as SharedArrayBuffer); // what startDecisionServer hands over
let count = 0;

const server = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (text: string) => {
    body += text;
  });
  request.on("end", () => {
    const thinkMs = Number(request.url?.split("/")[1]);
    const isStream = /"stream":true/.test(body);
    void respond(response, thinkMs, isStream);
  });
});

async function respond(response: ServerResponse, thinkMs: number, isStream: boolean): Promise<void> {
  count += 1;
  if (thinkMs > 0) await setTimeout(thinkMs);
  if (isStream) await stream(response);
  else answer(response);
}

const call = (): { id: string; type: string; function: { name: string; arguments: string } } => ({
  id: `call_${count}`,
  type: "function",
  function: {
    name: "look_7",
    arguments: JSON.stringify({ page: count, note: "as the last time", limit: 20 }),
  },
});
const usage = { prompt_tokens: 900, completion_tokens: 30, total_tokens: 930 };

function answer(response: ServerResponse): void {
  const message = { role: "assistant", content: null, tool_calls: [call()] };
  const body = {
    id: "c",
    created: 1,
    model: "m",
    choices: [{ index: 0, message, finish_reason: "tool_calls" }],
    usage,
  };
  response.writeHead(200, { "content-type": "application/json" });
  end(response, JSON.stringify(body));
}

/** As providers send a call: its name first, its arguments in pieces, then why it ended and the usage. */
async function stream(response: ServerResponse): Promise<void> {
  const { id, type, function: made } = call();
  const pieces = made.arguments.match(/.{1,12}/g) ?? [];
  const deltas = [
    { role: "assistant", tool_calls: [{ index: 0, id, type, function: { name: made.name, arguments: "" } }] },
    ...pieces.map((text) => ({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
  ];
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const delta of deltas) {
    response.write(event({ choices: [{ index: 0, delta }] }));
    await new Promise(setImmediate); // pieces of their own on the wire
  }
  const last = { choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }], usage };
  end(response, `${event(last)}data: [DONE]\n\n`);
}

function event(chunk: object): string {
  return `data: ${JSON.stringify({ id: "c", created: 1, model: "m", ...chunk })}\n\n`;
}

/** Stamped before the write, so that none of it is left out. */
function end(response: ServerResponse, text: string): void {
  Atomics.store(lastByteAt, 0, process.hrtime.bigint());
  response.end(text);
}

server.listen(0, "127.0.0.1", () => {
  parentPort?.postMessage((server.address() as AddressInfo).port); // it listens on a port
});
