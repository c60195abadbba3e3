// The one model of all peers: an OpenAI-compatible chat endpoint as a `fetch` function, handed to each peer's own OpenAI
// package. No socket, no waiting; the peer's request is serialised and its answer parsed as with a real provider.

interface ScriptedCall {
  readonly tool: string;
  /** The arguments as the model writes them: valid JSON or not. */
  readonly args: string;
}

export interface Reply {
  readonly text?: string;
  readonly calls?: readonly ScriptedCall[];
  /** Says that the output was cut off at its limit. */
  readonly cut?: boolean;
}

interface EndpointRequest {
  /** From 1, over all runs of this process. */
  readonly number: number;
  /** Tool results in the prompt: where a run stands, also in a fresh process. */
  readonly results: number;
  readonly body: string;
}

export type ScriptedFetch = ((input: unknown, init?: RequestInit) => Promise<Response>) & {
  /** Bodies of all requests, when `keepBodies`. */
  readonly bodies: readonly string[];
  readonly counts: { asked: number; refused: number };
};

export interface EndpointOptions {
  readonly script: (request: EndpointRequest) => Reply;
  /** Requests over this many tokens (four characters each) are refused as OpenAI refuses them. */
  readonly maxTokens?: number;
  readonly keepBodies?: boolean;
}

export function scriptedEndpoint({ script, maxTokens, keepBodies }: EndpointOptions): ScriptedFetch {
  const bodies: string[] = [];
  const counts = { asked: 0, refused: 0 };
  const answer = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    const body = typeof init?.body === "string" ? init.body : "";
    counts.asked += 1;
    if (keepBodies) bodies.push(body);
    const tokens = Math.ceil(body.length / 4);
    if (maxTokens !== undefined && tokens > maxTokens) {
      counts.refused += 1;
      return refusal(tokens, maxTokens);
    }
    const reply = script({ number: counts.asked, results: countOf(body, '"role":"tool"'), body });
    const id = `call_${counts.asked}_${process.pid}`;
    return /"stream":true/.test(body.slice(-2_000) + body.slice(0, 2_000))
      ? streamed(reply, id)
      : whole(reply, id);
  };
  return Object.assign(answer, { bodies, counts });
}

function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}

/** In OpenAI's words, which clients recognise. */
function refusal(tokens: number, maxTokens: number): Response {
  const message = `This model's maximum context length is ${maxTokens} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages.`;
  const error = {
    message,
    type: "invalid_request_error",
    param: "messages",
    code: "context_length_exceeded",
  };
  return Response.json({ error }, { status: 400 });
}

const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
/** Each answer has an id of its own: LangGraph takes messages of one id for one message. */
const sharedOf = (id: string) => ({ id: `chatcmpl-${id}`, created: 1, model: "scripted" });

function finishOf({ calls = [], cut = false }: Reply): string {
  if (cut) return "length";
  return calls.length > 0 ? "tool_calls" : "stop";
}

function toolCalls(reply: Reply, id: string) {
  return (reply.calls ?? []).map(({ tool, args }, index) => ({
    index,
    id: `${id}_${index}`,
    type: "function",
    function: { name: tool, arguments: args },
  }));
}

function whole(reply: Reply, id: string): Response {
  const calls = toolCalls(reply, id).map(({ index: _, ...call }) => call);
  const message = {
    role: "assistant",
    content: reply.text ?? null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  const choices = [{ index: 0, message, finish_reason: finishOf(reply) }];
  return Response.json({ ...sharedOf(id), object: "chat.completion", choices, usage });
}

function streamed(reply: Reply, id: string): Response {
  const calls = toolCalls(reply, id);
  const delta = {
    role: "assistant",
    content: reply.text ?? null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  const chunk = { ...sharedOf(id), object: "chat.completion.chunk" };
  const chunks = [
    { ...chunk, choices: [{ index: 0, delta, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: finishOf(reply) }] },
    { ...chunk, choices: [], usage },
  ];
  const text = `${chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("")}data: [DONE]\n\n`;
  return new Response(text, { headers: { "content-type": "text/event-stream" } });
}
