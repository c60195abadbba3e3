// A table of references, filled with each append, would cost every append for the sake of a rare run, and a process of
// an older version would not fill it: a value that it refers to would then be lost. So the events that stay are read.
// 150,000 of them (5,000 threads, 200 MB) take 0.6 s, and 10,000 threads of 30 events 1.2 s, whatever is removed.
import type { DatabaseSync } from "node:sqlite";
import { allRows, firstRow } from "./rows.ts";

export interface SweptValues {
  readonly artifacts: number;
  readonly artifactBytes: number;
}

export interface ValueSweep {
  /** Takes the next artifacts; false when there are none left. */
  nextPass(): boolean;
  /** Looks through some more events for references to them; false when there were none left. */
  look(): boolean;
  /** The number of the event that was looked at last, and of the newest. */
  looked(): { readonly at: number; readonly of: number };
  /** Removes some of those that no event refers to. To be run in a transaction, after the look. */
  remove(): SweptValues & { readonly isMore: boolean };
}

/** Digests kept in memory at a time: some 50 MB. For each so many, all events are read once. */
const passSize = 500_000;
/** How long a look, or a transaction, goes on, in milliseconds. */
const sliceMs = 20;
/** How a digest stands in an event's JSON. */
const digestPattern = /"[0-9a-f]{64}"/g;

export function createValueSweep(
  database: DatabaseSync,
  { dryRun, without }: { readonly dryRun: boolean; readonly without: ReadonlySet<number> },
): ValueSweep {
  const page = database.prepare(
    `SELECT digest FROM artifacts WHERE digest > ? ORDER BY digest LIMIT ${passSize}`,
  );
  const after = database.prepare(
    "SELECT id, thread_num AS threadNum, body FROM events WHERE id > ? ORDER BY id",
  );
  const newest = database.prepare("SELECT max(id) AS id FROM events");
  const size = database.prepare("SELECT octet_length(text) AS bytes FROM artifacts WHERE digest = ?");
  const removeOne = database.prepare("DELETE FROM artifacts WHERE digest = ?");
  let unused = new Set<string>();
  let [lastDigest, lastEventId, newestEventId] = ["", 0, 0];

  function lookUntil(end: number): boolean {
    for (const row of after.iterate(lastEventId)) {
      const { id, threadNum, body } = row as unknown as { id: number; threadNum: number; body: string }; // as selected
      lastEventId = id;
      if (!without.has(threadNum))
        for (const [quoted] of body.matchAll(digestPattern)) unused.delete(quoted.slice(1, -1));
      if (performance.now() > end) return true;
    }
    return false;
  }

  return {
    nextPass() {
      const digests = allRows<{ digest: string }>(page, lastDigest).map(({ digest }) => digest);
      unused = new Set(digests);
      lastDigest = digests.at(-1) ?? lastDigest;
      lastEventId = 0;
      newestEventId = firstRow<{ id: number | null }>(newest)?.id ?? 0;
      return digests.length > 0;
    },
    look: () => lookUntil(performance.now() + sliceMs),
    looked: () => ({ at: lastEventId, of: Math.max(newestEventId, lastEventId) }),
    remove() {
      lookUntil(Number.POSITIVE_INFINITY); // R2: what came since
      const end = performance.now() + sliceMs;
      let [artifacts, artifactBytes] = [0, 0];
      for (const digest of unused) {
        artifactBytes += firstRow<{ bytes: number }>(size, digest)?.bytes ?? 0;
        artifacts += dryRun ? 1 : Number(removeOne.run(digest).changes);
        unused.delete(digest);
        if (performance.now() > end) break;
      }
      return { artifacts, artifactBytes, isMore: unused.size > 0 };
    },
  };
}
