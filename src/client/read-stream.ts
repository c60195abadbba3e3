// Reads server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html, without event names.

/** One message of a stream; `retryMs` alone says when to come back after it breaks off. */
export interface StreamMessage {
  readonly id?: string;
  readonly data?: string;
  readonly retryMs?: number;
}

/** The messages of a body, until it ends. Whoever stops early has the body cancelled. */
export async function* readStream(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamMessage, void> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)
    .getReader(); // the DOM's types and Node's differ in the kinds of buffers
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text = (text + value).replaceAll("\r\n", "\n");
      const messages = text.split("\n\n");
      text = messages.pop() ?? ""; // the last is not whole yet
      for (const message of messages) yield parseMessage(message);
    }
  } finally {
    await reader.cancel().catch(() => {}); // it may have broken off
  }
}

function parseMessage(text: string): StreamMessage {
  let message: StreamMessage = {};
  for (const line of text.split("\n")) {
    const [, name, value = ""] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === "id") message = { ...message, id: value };
    if (name === "data")
      message = { ...message, data: message.data === undefined ? value : `${message.data}\n${value}` };
    if (name === "retry" && /^\d+$/.test(value)) message = { ...message, retryMs: Number(value) };
  }
  return message;
}
