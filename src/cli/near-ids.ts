import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { nearest } from "../core/nearest.ts";
import type { Store } from "../ports/store.ts";

/** Runs `action`; when it does not find a thread, a request or an operation, the error names those that are near. */
export async function withNearIds<T>(
  store: Store,
  ids: { readonly threadId?: string; readonly requestId?: string },
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const given = isHoldpointError(error, "request_not_found") ? ids.requestId : ids.threadId;
    if (given === undefined || !isHoldpointError(error, "request_not_found", "thread_not_found")) throw error;
    const near = nearest(
      given,
      error.code === "request_not_found" ? await requestIds(store) : await threadIds(store),
    );
    throw near.length === 0
      ? error
      : new HoldpointError(error.code, error.message, {
          fix: `Did you mean ${near.join(" or ")}?`,
          cause: error,
        });
  }
}

/** Newest first: the ids that someone may have seen lately. */
async function threadIds(store: Store): Promise<readonly string[]> {
  return (await store.threads({ limit: 1_000 })).rows.map((row) => row.threadId);
}

async function requestIds(store: Store): Promise<readonly string[]> {
  return (await store.requests({ status: "open", limit: 1_000 })).rows.map((row) => row.requestId);
}
