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
