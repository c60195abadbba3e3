import type { DatabaseSync } from "node:sqlite";
import { HoldpointError, isHoldpointError } from "../../core/errors.ts";
import type { Appender } from "./append.ts";
import { retryWhileBusy } from "./busy.ts";
import { createGroupCommit, type Refusal } from "./group-commit.ts";
import { storeReadOnly, toStoreError } from "./sqlite-error.ts";

/** How a store's parts reach its file. */
export interface Access {
  read<T>(action: () => T): Promise<T>;
  /** Runs in the next group's transaction; it may run again, after a rollback. */
  write<T>(operation: () => T | Refusal): Promise<T>;
  close(): Promise<void>;
}

export interface AccessOptions {
  readonly database: DatabaseSync;
  readonly appender: Appender;
  readonly path: string;
  readonly readOnly: boolean;
  readonly busyMs: number;
  readonly hooks: { readonly beforeCommit?: (operations: number) => void };
}

/** How the store's calls reach the file: reads at once, writes in groups, nothing after `close`. */
export function createAccess(options: AccessOptions): Access {
  const { database, appender, path, readOnly, busyMs, hooks } = options;
  let isClosed = false;
  const group = createGroupCommit({
    database,
    path,
    busyMs,
    onBegin: appender.begin,
    onRollback: appender.rollBack,
    beforeCommit: hooks.beforeCommit ?? (() => {}),
  });

  async function read<T>(action: () => T): Promise<T> {
    checkOpen();
    try {
      return await retryWhileBusy(path, busyMs, () => {
        checkOpen();
        return action();
      });
    } catch (error) {
      throw isHoldpointError(error) ? error : (toStoreError(error, path) ?? error);
    }
  }

  function write<T>(operation: () => T | Refusal): Promise<T> {
    if (isClosed) return Promise.reject(storeClosed(path));
    if (readOnly) return Promise.reject(storeReadOnly(path));
    return group.run(operation);
  }

  /** Writes that were accepted before are still committed. */
  async function close(): Promise<void> {
    if (isClosed) return;
    isClosed = true;
    await group.drain();
    database.close();
  }

  function checkOpen(): void {
    if (isClosed) throw storeClosed(path);
  }

  return { read, write, close };
}

function storeClosed(path: string): HoldpointError {
  return new HoldpointError("usage", `the store ${path} is closed`);
}
