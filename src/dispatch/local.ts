// The mailbox of one process: queues in memory. It keeps nothing on disk, because the store's due index already is a
// durable mailbox, written in the same transaction as the events: `sweep` sends again whatever a thread waits for,
// after a crash, and for what other processes appended.
import type { Clock } from "../ports/clock.ts";
import type { Dispatcher, Message, MessageHandler } from "../ports/dispatcher.ts";

export interface LocalDispatcherOptions {
  readonly clock: Clock;
  /** How many threads are handled at a time. Default 256. */
  readonly concurrency?: number;
  /** Wait before a message whose handler threw is delivered again; it doubles, to a minute at most. Default 1 s. */
  readonly retryMs?: number;
}

interface Mailbox {
  /** By id, in the order of their arrival. The one being handled is not among them, so the same id may come again. */
  readonly messages: Map<string, Message>;
  /** In a row. */
  failures: number;
  /** `queued` exactly while the thread is in `ready`: once, however many messages it has. */
  state: "idle" | "queued" | "busy";
}

/** Delivers messages within this process, one at a time per thread. */
export function localDispatcher(options: LocalDispatcherOptions): Dispatcher {
  const { clock, concurrency = 256, retryMs = 1_000 } = options;
  const mailboxes = new Map<string, Mailbox>();
  const ready: string[] = [];
  const running = new Set<Promise<void>>();
  const stop = new AbortController();
  let handler: MessageHandler | null = null;

  function post(threadId: string, message: Message): void {
    const mailbox = mailboxes.get(threadId) ?? {
      messages: new Map<string, Message>(),
      failures: 0,
      state: "idle",
    };
    mailboxes.set(threadId, mailbox);
    mailbox.messages.set(message.id, message);
    if (mailbox.state === "idle") enqueue(threadId, mailbox);
    pump();
  }

  function enqueue(threadId: string, mailbox: Mailbox): void {
    mailbox.state = "queued";
    ready.push(threadId);
  }

  function pump(): void {
    while (handler && !stop.signal.aborted && running.size < concurrency) {
      const threadId = ready.shift();
      const mailbox = threadId === undefined ? undefined : mailboxes.get(threadId);
      if (threadId === undefined || !mailbox) return;
      mailbox.state = "busy";
      const delivery = deliver(threadId, mailbox, handler).finally(() => {
        running.delete(delivery);
        pump();
      });
      running.add(delivery);
    }
  }

  async function deliver(threadId: string, mailbox: Mailbox, handle: MessageHandler): Promise<void> {
    await Promise.resolve(); // a handler never runs on the stack of a sender
    const [message] = mailbox.messages.values();
    if (!message || stop.signal.aborted) return;
    mailbox.messages.delete(message.id);
    try {
      await handle(threadId, message, stop.signal);
      mailbox.failures = 0;
    } catch {
      mailbox.failures += 1;
      later(threadId, message, Math.min(60_000, retryMs * 2 ** (mailbox.failures - 1)));
    }
    mailbox.state = "idle";
    if (mailbox.messages.size > 0) enqueue(threadId, mailbox);
    else if (mailbox.failures === 0) mailboxes.delete(threadId);
  }

  function later(threadId: string, message: Message, delayMs: number): void {
    void clock.sleep(delayMs, stop.signal).then(() => {
      if (!stop.signal.aborted) post(threadId, message);
    });
  }

  return {
    async send(threadId, message, { delayMs = 0 } = {}) {
      if (stop.signal.aborted) return; // disposable: the sweep of whoever runs next sends it again
      if (delayMs > 0) later(threadId, message, delayMs);
      else post(threadId, message);
    },
    consume(next) {
      handler = next;
      pump();
    },
    async close() {
      stop.abort();
      await Promise.all(running);
    },
  };
}
