import type { Agent } from "../core/agent.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { line } from "./format.ts";
import type { Screen } from "./screen.ts";
import type { Settings } from "./settings.ts";

/** What a command tells of runs. Loaded where agents may run, and not by commands that only read. */
export async function telemetryHere(
  { screen, settings }: { readonly screen: Screen; readonly settings: Settings },
  agents: readonly Agent[],
): Promise<Telemetry | null> {
  if (agents.length === 0 || settings.telemetry === null) return null;
  const { openTelemetry } = await import("../telemetry/open-telemetry.ts");
  const telemetry = openTelemetry(settings.telemetry);
  return {
    ...telemetry,
    flush: async () => {
      await telemetry.flush?.().catch((error: unknown) => warnOnce(screen, reasonOf(error)));
    },
  };
}

/** How long a command waits at its end for spans to be sent: the process ends whatever is under way. */
const flushMs = 3_000;

export async function flushTelemetry(screen: Screen, { telemetry, clock }: Runtime): Promise<void> {
  const sent = new AbortController();
  const flush = (telemetry?.flush?.() ?? Promise.resolve()).then(() => sent.abort());
  await Promise.race([flush, clock.sleep(flushMs, sent.signal)]);
  if (!sent.signal.aborted) warnOnce(screen, `not within ${flushMs / 1_000} s`);
}

const warned = new WeakSet<Screen>();

/** A command may run several threads, one after the other, with the same exporter. */
function warnOnce(screen: Screen, why: string): void {
  if (warned.has(screen)) return;
  warned.add(screen);
  screen.warn(`spans were not sent: ${line(why, 400)}`);
}

/** Providers reject with one error, or with a list of one for each of their processors. */
function reasonOf(error: unknown): string {
  const first: unknown = Array.isArray(error) ? error[0] : error;
  if (!(first instanceof Error)) return String(first);
  if (first.message !== "") return first.message;
  return "code" in first ? String(first.code) : first.name; // of a connection that was tried at several addresses
}
