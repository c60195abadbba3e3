/** Where a thread's log ends. A log never changes up to its end, so a head that is the newest is right in all of it. */
export interface Head {
  readonly threadNum: number;
  readonly seq: number;
  /** Of the last event, in `events`. */
  readonly eventId: number;
  /** The chain's last link. */
  readonly link: string;
}

/** Selects the head of the thread with an id. `link` is null when the last event is missing. */
export const selectHead = `SELECT heads.thread_num AS threadNum, head_seq AS seq, head_id AS eventId, link
  FROM threads JOIN heads USING (thread_num) LEFT JOIN events ON events.id = head_id WHERE thread_id = ?`;

export type HeadRow = Omit<Head, "link"> & { readonly link: string | null };

/**
 * Remembers the heads of the threads used last. Hints only: other processes append too.
 * Two generations instead of an order of use: a hit costs one look-up, and at most `2 * size` are kept.
 */
export class HeadCache {
  readonly #size: number;
  #young = new Map<string, Head>();
  #old = new Map<string, Head>();

  constructor(size: number) {
    this.#size = size;
  }

  get(threadId: string): Head | undefined {
    return this.#young.get(threadId) ?? this.#old.get(threadId);
  }

  set(threadId: string, head: Head): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(threadId, head);
  }

  delete(threadId: string): void {
    this.#young.delete(threadId);
    this.#old.delete(threadId);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
