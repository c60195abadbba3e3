/** Says that a thread needs a turn. It carries no state: what to do is in the log. */
export interface Message {
  /** Messages of one thread with one id may be delivered as one. */
  readonly id: string;
}

export type MessageHandler = (threadId: string, message: Message, signal: AbortSignal) => Promise<void>;

/**
 * A mailbox per thread: at least once, one message at a time per thread. What leaks through: order over threads is
 * not kept, a message may come twice or late, and after its loss only the sweep over the store sends again.
 */
export interface Dispatcher {
  /** Accepts a message for delivery after `delayMs` (default 0). */
  send(threadId: string, message: Message, options?: { readonly delayMs?: number }): Promise<void>;
  /** Starts delivery to `handler`; a message whose handler throws is delivered again later. Call it once. */
  consume(handler: MessageHandler): void;
  /** Stops delivery, aborts the signals of running handlers, and waits for them to end. */
  close(): Promise<void>;
}
