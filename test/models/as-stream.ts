// A recorded response, as its provider would have streamed it: the same content in small pieces.

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON of four APIs; a wrong guess at its shape fails the test.
type Recorded = any;

/** The payloads of the events. */
export function asStream(api: "anthropic" | "responses" | "google" | "chat", response: Recorded): string[] {
  const events = {
    anthropic: anthropicEvents,
    responses: responsesEvents,
    google: googleEvents,
    chat: chatEvents,
  };
  return events[api](response).map((event) => JSON.stringify(event));
}

function pieces(text: string): string[] {
  return text.match(/.{1,7}/gsu) ?? [];
}

function anthropicEvents(response: Recorded): Recorded[] {
  const { content, stop_reason, stop_sequence, stop_details, usage } = response;
  return [
    { type: "message_start", message: { ...response, content: [], stop_reason: null, stop_sequence: null } },
    ...content.flatMap((block: Recorded, index: number) => [
      ...anthropicBlock(block).map((event) => ({ ...event, index })),
      { type: "content_block_stop", index },
    ]),
    { type: "message_delta", delta: { stop_reason, stop_sequence, stop_details }, usage },
    { type: "message_stop" },
  ];
}

function anthropicBlock(block: Recorded): Recorded[] {
  const start = (content_block: Recorded) => ({ type: "content_block_start", content_block });
  const deltas = (type: string, member: string, text: string) =>
    pieces(text).map((piece) => ({ type: "content_block_delta", delta: { type, [member]: piece } }));
  switch (block.type) {
    case "text":
      return [start({ ...block, text: "" }), ...deltas("text_delta", "text", block.text)];
    case "thinking":
      return [
        start({ type: "thinking", thinking: "", signature: "" }),
        ...deltas("thinking_delta", "thinking", block.thinking),
        { type: "content_block_delta", delta: { type: "signature_delta", signature: block.signature } },
      ];
    case "tool_use":
      return [
        start({ ...block, input: {} }),
        ...deltas("input_json_delta", "partial_json", JSON.stringify(block.input)),
      ];
    case "compaction":
      return [start({ type: "compaction" }), ...deltas("compaction_delta", "content", block.content)];
    default:
      return [start(block)];
  }
}

function responsesEvents(response: Recorded): Recorded[] {
  const { id, created_at, model, output } = response;
  return [
    { type: "response.created", response: { id, object: "response", created_at, model } },
    ...output.flatMap((item: Recorded, output_index: number) => [
      { type: "response.output_item.added", output_index, item: { ...item, ...emptied(item) } },
      ...responsesItem(item).map((event) => ({ ...event, output_index, item_id: item.id })),
      { type: "response.output_item.done", output_index, item },
    ]),
    { type: "response.completed", response },
  ];
}

function emptied({ type }: Recorded): Recorded {
  if (type === "message") return { content: [] };
  if (type === "function_call") return { arguments: "" };
  return type === "reasoning" ? { summary: [] } : {};
}

function responsesItem(item: Recorded): Recorded[] {
  switch (item.type) {
    case "message":
      return item.content.flatMap(({ text, refusal }: Recorded, content_index: number) =>
        pieces(text ?? refusal).map((delta) => ({
          type: text === undefined ? "response.refusal.delta" : "response.output_text.delta",
          content_index,
          delta,
        })),
      );
    case "function_call":
      return pieces(item.arguments).map((delta) => ({
        type: "response.function_call_arguments.delta",
        delta,
      }));
    case "reasoning":
      return item.summary.flatMap(({ text }: Recorded, summary_index: number) => [
        { type: "response.reasoning_summary_part.added", summary_index },
        ...pieces(text).map((delta) => ({
          type: "response.reasoning_summary_text.delta",
          summary_index,
          delta,
        })),
        { type: "response.reasoning_summary_part.done", summary_index },
      ]);
    default:
      return [];
  }
}

/** One part in each event; the last says why it ended. */
function googleEvents({ candidates: [candidate], ...rest }: Recorded): Recorded[] {
  const { content, ...ending } = candidate;
  const last = { candidates: [{ ...ending, content: { role: "model", parts: [] } }], ...rest };
  const parts: Recorded[] = (content.parts ?? []).flatMap((part: Recorded) =>
    part.text === undefined
      ? [part]
      : pieces(part.text).map((text, at) => (at === 0 ? { ...part, text } : { text, thought: part.thought })),
  );
  return [
    ...parts.map((part) => ({
      candidates: [{ content: { role: "model", parts: [part] } }],
      modelVersion: rest.modelVersion,
    })),
    last,
  ];
}

function chatEvents({ id, created, model, choices: [choice], usage }: Recorded): Recorded[] {
  const { message, finish_reason } = choice;
  const event = (delta: Recorded, reason: string | null = null) => ({
    id,
    created,
    model,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: reason }],
  });
  const texts = (member: string) =>
    typeof message[member] === "string"
      ? pieces(message[member]).map((text) => event({ [member]: text }))
      : [];
  return [
    event({ role: "assistant", content: "" }),
    ...texts("reasoning_content"),
    ...texts("reasoning"),
    ...(Array.isArray(message.content)
      ? message.content.map((part: Recorded) => event({ content: [part] })) // Mistral's
      : texts("content")),
    ...texts("refusal"),
    ...(message.tool_calls ?? []).flatMap((call: Recorded, index: number) => [
      event({ tool_calls: [{ ...call, index, function: { name: call.function.name, arguments: "" } }] }),
      ...pieces(call.function.arguments).map((text) =>
        event({ tool_calls: [{ index, function: { arguments: text } }] }),
      ),
    ]),
    event({}, finish_reason),
    { id, created, model, object: "chat.completion.chunk", choices: [], usage },
  ];
}
