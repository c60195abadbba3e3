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
  readonly messages: Map<string, Message>;
  failures: number;
  busy: boolean;
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
    const mailbox = mailboxes.get(threadId) ?? { messages: new Map<string, Message>(), failures: 0, busy: false };
    mailboxes.set(threadId, mailbox);
    mailbox.messages.set(message.id, message);
    if (!mailbox.busy && mailbox.messages.size === 1) ready.push(threadId);
    pump();
  }

  function pump(): void {
    while (handler && !stop.signal.aborted && running.size < concurrency) {
      const threadId = ready.shift();
      if (threadId === undefined) return;
      const delivery = deliver(threadId, handler).finally(() => {
        running.delete(delivery);
        pump();
      });
      running.add(delivery);
    }
  }

  async function deliver(threadId: string, handle: MessageHandler): Promise<void> {
    const mailbox = mailboxes.get(threadId);
    const message = mailbox?.messages.values().next().value;
    if (!mailbox || !message) return;
    mailbox.messages.delete(message.id);
    mailbox.busy = true;
    try {
      await handle(threadId, message, stop.signal);
      mailbox.failures = 0;
    } catch {
      mailbox.failures += 1;
      later(threadId, message, Math.min(60_000, retryMs * 2 ** (mailbox.failures - 1)));
    }
    mailbox.busy = false;
    if (mailbox.messages.size > 0) ready.push(threadId);
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
      await Promise.allSettled([...running]);
    },
  };
}
