// Everything that a process does to the world goes through its ports, so their calls are its crash sites. To test them
// all: run once without faults and keep `calls()`; then, for each call, before and after it, run again with `stopAt`
// until the stop, throw everything of that process away, open the same file without faults, resume, and compare.
import { HoldpointError } from "../core/errors.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Store } from "../ports/store.ts";

/** One call of a port. `index` counts from 1, over the store and the dispatcher of one process. */
export interface PortCall {
  readonly index: number;
  /** Of the store, such as `append`; of other ports with their name, such as `dispatcher.send`. */
  readonly method: string;
}

/** A place: before or after a call, given by its number or by what it is. */
export interface FaultPoint {
  readonly call: number | ((call: PortCall, args: readonly unknown[]) => boolean);
  readonly when: "before" | "after";
}

export interface Faults {
  /**
   * The process ends here. This call, all that are under way and all that come later reject with `ProcessStopped`.
   * After the call, its effect is in the store and only the answer is lost.
   */
  readonly stopAt?: FaultPoint;
  /** The call rejects with `error` (default: `store_unavailable`), and the process lives on. */
  readonly throwAt?: FaultPoint & { readonly error?: unknown };
  /** The call waits here for `release`, so that something else can come between. */
  readonly holdAt?: FaultPoint;
}

export interface FaultPoints {
  readonly store: Store;
  /** Wraps the dispatcher of the same process: one numbering, one end. */
  wrapDispatcher(dispatcher: Dispatcher): Dispatcher;
  /** Wraps another port of the same process, such as an outbox; its calls are named `outbox.claim` and so on. */
  wrap<Port extends object>(name: string, port: Port): Port;
  /** The calls so far, in the order in which they began. */
  calls(): readonly PortCall[];
  /** Aborts when the process is stopped; a test's tools and models heed it, since a dead process has no effects. */
  readonly stopped: AbortSignal;
  /** Resolves with the first call that is held. */
  readonly held: Promise<PortCall>;
  /** Lets held calls go on, and holds no more. */
  release(): void;
}

/** What calls of a stopped process reject with. It has no code, so that nothing takes it for a fault to handle. */
export class ProcessStopped extends Error {
  override readonly name = "ProcessStopped";
}

/** Wraps a store so that any of its calls can fail, hang, or be the last of its process. */
export function faultPoints(store: Store, faults: Faults = {}): FaultPoints {
  const trace: PortCall[] = [];
  const stop = new AbortController();
  const held = Promise.withResolvers<PortCall>();
  const released = Promise.withResolvers<void>();
  stop.signal.addEventListener("abort", () => released.resolve(), { once: true }); // held calls end with the process

  function begin(method: string): PortCall {
    stop.signal.throwIfAborted();
    const call = { index: trace.length + 1, method };
    trace.push(call);
    return call;
  }

  function fail(call: PortCall, args: readonly unknown[], when: FaultPoint["when"]): void {
    if (isAt(faults.stopAt, call, args, when))
      stop.abort(new ProcessStopped(`stopped ${when} call ${call.index}, ${call.method}`));
    stop.signal.throwIfAborted();
    if (isAt(faults.throwAt, call, args, when)) throw faults.throwAt?.error ?? lostConnection(call, when);
  }

  async function hold(call: PortCall, args: readonly unknown[], when: FaultPoint["when"]): Promise<void> {
    if (!isAt(faults.holdAt, call, args, when)) return;
    held.resolve(call);
    await released.promise;
  }

  async function visit<T>(method: string, args: readonly unknown[], run: () => Promise<T>): Promise<T> {
    const call = begin(method);
    await hold(call, args, "before");
    fail(call, args, "before");
    const [outcome] = await Promise.allSettled([run()]);
    await hold(call, args, "after");
    fail(call, args, "after");
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  }

  function visitNow(method: string, args: readonly unknown[], run: () => void): void {
    const call = begin(method);
    fail(call, args, "before");
    run();
    fail(call, args, "after");
  }

  return {
    store: {
      append: (append) => visit("append", [append], () => store.append(append)),
      read: (threadId, options) => visit("read", [threadId, options], () => store.read(threadId, options)),
      lease: (request) => visit("lease", [request], () => store.lease(request)),
      release: (lease, options) => visit("release", [lease, options], () => store.release(lease, options)),
      due: (request) => visit("due", [request], () => store.due(request)),
      threads: (query) => visit("threads", [query], () => store.threads(query)),
      requests: (query) => visit("requests", [query], () => store.requests(query)),
      artifact: (digest) => visit("artifact", [digest], () => store.artifact(digest)),
      verify: (options) => visit("verify", [options], () => store.verify(options)),
      close: () => visit("close", [], () => store.close()),
    },
    wrap: (name, port) => {
      const members = Object.entries(port).map(([method, member]) => [
        method,
        typeof member === "function"
          ? (...args: readonly unknown[]) =>
              visit(`${name}.${method}`, args, async () => member.apply(port, args))
          : member,
      ]);
      return Object.fromEntries(members); // the same members; a port's methods all give promises
    },
    wrapDispatcher: (dispatcher) => ({
      send: (threadId, message, options) =>
        visit("dispatcher.send", [threadId, message, options], () =>
          dispatcher.send(threadId, message, options),
        ),
      consume: (handler) =>
        visitNow("dispatcher.consume", [handler], () =>
          dispatcher.consume(async (threadId, message, signal) => {
            stop.signal.throwIfAborted(); // a dead process takes no message, and settles none
            await handler(threadId, message, signal);
            stop.signal.throwIfAborted();
          }),
        ),
      close: () => visit("dispatcher.close", [], () => dispatcher.close()),
    }),
    calls: () => trace,
    stopped: stop.signal,
    held: held.promise,
    release: () => released.resolve(),
  };
}

function isAt(
  point: FaultPoint | undefined,
  call: PortCall,
  args: readonly unknown[],
  when: FaultPoint["when"],
): boolean {
  if (point?.when !== when) return false;
  return typeof point.call === "number" ? point.call === call.index : point.call(call, args);
}

function lostConnection(call: PortCall, when: FaultPoint["when"]): HoldpointError {
  return new HoldpointError("store_unavailable", `a fault ${when} call ${call.index}, ${call.method}`, {
    retryable: true,
  });
}
