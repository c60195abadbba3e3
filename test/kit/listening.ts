// For tests that need a real socket: a service of the kit, bound to a free port of the loopback.
import { onTestFinished } from "vitest";
import { type Listening, type ListenOptions, listen } from "../../src/server/listen.ts";
import type { TestService } from "./http.ts";

export async function listening(
  { server, sqlite, runtime }: TestService,
  options: Partial<ListenOptions> = {},
): Promise<Listening> {
  const bound = await listen(server, {
    port: 0,
    tokens: sqlite.tokens,
    now: runtime.clock.now(),
    ...options,
  });
  onTestFinished(() => bound.close({ graceMs: 0 }));
  return bound;
}
