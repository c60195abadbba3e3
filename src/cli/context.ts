import { statSync } from "node:fs";
import type { Agent } from "../core/agent.ts";
import { type HoldpointError, isHoldpointError } from "../core/errors.ts";
import type { Unchecked } from "../core/events.ts";
import { openEmbedded } from "../embedded.ts";
import type { Store } from "../ports/store.ts";
import type { Hint, Runtime } from "../runtime/runtime.ts";
import { openSqliteStore, type SqliteStore } from "../stores/sqlite/store.ts";
import { formatPath } from "./format.ts";
import { type Screen, usageError } from "./screen.ts";
import type { Settings } from "./settings.ts";
import { flushTelemetry, telemetryHere } from "./telemetry-here.ts";

/** What a command is given besides its own arguments. */
export interface Context {
  readonly screen: Screen;
  readonly settings: Settings;
  /** Aborts on SIGINT and SIGTERM: give back what is held, and end. */
  readonly signal: AbortSignal;
}

/** `create`: a missing file is made. `read`: nothing is written, so a read-only folder will do. */
type StoreMode = "create" | "write" | "read";

/** Opens the store for as long as `use` runs. @throws `usage` when there is none and `mode` does not create one. */
export async function withStore<T>(
  context: Context,
  mode: StoreMode,
  use: (store: SqliteStore) => Promise<T>,
): Promise<T> {
  const { storePath } = context.settings;
  if (mode !== "create" && isMissing(storePath)) throw noStore(storePath);
  const store = await openStore(storePath, mode);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** What this user may not look at is there, for all that anybody knows: opening it says what is wrong. */
function isMissing(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** A file of an older version is brought up to date, where it can be written, also by commands that only read. */
async function openStore(path: string, mode: StoreMode): Promise<SqliteStore> {
  if (mode !== "read") return openSqliteStore({ path });
  try {
    return await openSqliteStore({ path, readOnly: true });
  } catch (error) {
    if (!isHoldpointError(error, "store_read_only")) throw error;
    return openSqliteStore({ path });
  }
}

/** A runtime over an open store, for as long as `use` runs. */
export async function withRuntime<T>(
  context: Context,
  options: {
    readonly store: Store;
    readonly agents: readonly Agent[];
    readonly observe?: (hint: Hint) => void;
    /** What `checkStart` gave. */
    readonly unchecked?: ReadonlyMap<string, Unchecked>;
    readonly unready?: ReadonlyMap<string, readonly string[]>;
  },
  use: (runtime: Runtime) => Promise<T>,
): Promise<T> {
  const { storePath, defaultModel, providers, counter, secrets } = context.settings;
  const telemetry = await telemetryHere(context, options.agents);
  const runtime = await openEmbedded({
    path: storePath,
    secrets,
    providers,
    ...options,
    ...(defaultModel === undefined ? {} : { defaultModel }),
    ...(counter && { counter }),
    ...(telemetry && { telemetry }),
  });
  try {
    return await use(runtime);
  } finally {
    await runtime.dispatcher.close();
    await flushTelemetry(context.screen, runtime);
  }
}

export function noStore(storePath: string): HoldpointError {
  return usageError(
    `there is no store at ${formatPath(storePath)}`,
    "Run an agent first (`holdpoint run <agent file>` makes it), or name the file with --store.",
  );
}
