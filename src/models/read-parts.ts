export interface ReadSettings<T> {
  readonly signal: AbortSignal;
  /** Called with each part; gives how many milliseconds the next one may take. What it throws ends the reading. */
  readonly take: (part: T) => number;
  /** How many the first may take. */
  readonly idleMs: number;
  /** What a stream that takes longer is stopped with; `null` lets it end as if it had. */
  readonly onIdle: () => Error | null;
}

/**
 * Reads a stream to its end. However that comes about, the stream is let go of, and no listener or timer is left.
 *
 * @throws the signal's reason; what `onIdle` gives; whatever the stream fails with, or `take` throws.
 */
export async function readParts<T>(stream: ReadableStream<T>, settings: ReadSettings<T>): Promise<void> {
  const { signal, take, idleMs, onIdle } = settings;
  const reader = stream.getReader();
  let stopped: { readonly error: unknown } | undefined;
  const stop = (error: unknown): void => {
    stopped ??= { error };
    reader.cancel(error).catch(() => {}); // a read under way ends at once; how the rest is let go of is the source's
  };
  const onAbort = (): void => stop(signal.reason);
  let timer = setTimeout(() => stop(onIdle()), idleMs);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    let waitMs = idleMs;
    for (;;) {
      const { done, value } = await reader.read();
      if (stopped && stopped.error !== null) throw stopped.error;
      if (done) return;
      const nextMs = take(value);
      if (nextMs === waitMs) {
        timer.refresh();
        continue;
      }
      clearTimeout(timer);
      timer = setTimeout(() => stop(onIdle()), nextMs);
      waitMs = nextMs;
    }
  } catch (error) {
    stop(error);
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
