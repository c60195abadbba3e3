import { once } from "node:events";
import { InvalidArgumentError } from "commander";
import { startWorker } from "../../runtime/worker.ts";
import type { HttpServer } from "../../server/app.ts";
import type { Listening } from "../../server/listen.ts";
import { isUsable } from "../../server/tokens.ts";
import type { SqliteStore } from "../../stores/sqlite/store.ts";
import { loadAgents } from "../agent-library.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withRuntime, withStore } from "../context.ts";
import { formatPath } from "../format.ts";
import { ownVersion } from "../own-package.ts";
import { runSchedules, schedulesHere } from "../schedules-here.ts";
import type { CommandResult } from "../screen.ts";

interface Options {
  readonly host?: string;
  readonly port?: number;
  readonly publicUrl?: string;
  /** False with `--no-worker`. */
  readonly worker: boolean;
  readonly metricsOpen?: boolean;
}

/** The answers under way are given so long after SIGTERM; the worker has its own grace of 10 s at the same time. */
const graceMs = 5_000;

export const addServe: AddCommand = (program, run) => {
  program
    .command("serve")
    .description("the HTTP service, its page for approvers, and a worker, until SIGTERM or SIGINT")
    .option(
      "--host <address>",
      "where to listen; others than loopback need a token to be there (default: 127.0.0.1)",
    )
    .option("--port <port>", "0 takes any that is free (default: 7433)", portNumber)
    .option("--public-url <url>", "where people reach it, such as https://approve.example.com")
    .option("--no-worker", "run no threads here: others do")
    .option("--metrics-open", "/metrics without a token")
    .action(run<Options>((context, _args, options) => serve(context, options)));
};

async function serve(context: Context, options: Options): Promise<CommandResult> {
  const { screen, settings } = context;
  const library = await loadAgents(settings);
  for (const problem of [...library.problems, ...library.stale.values()]) screen.warn(problem.message);
  return withStore(context, "create", async (store) => {
    let server: HttpServer | null = null;
    const observe: HttpServer["observe"] = (hint) => server?.observe(hint);
    return withRuntime(context, { store, agents: library.agents, observe }, async (runtime) => {
      const { createServer } = await import("../../server/app.ts"); // with them come libraries that no other command needs
      const { listen } = await import("../../server/listen.ts");
      const { mountWebhooks } = await import("../../triggers/webhook-mount.ts");
      const address = addressOf(context, options);
      server = createServer({
        runtime,
        tokens: store.tokens,
        feed: store.feed,
        people: settings.people,
        mounts: mountWebhooks(runtime, settings.webhooks()),
        allowedHosts: [address.host, ...(settings.server.allowedHosts ?? [])],
        ...(address.publicUrl !== undefined && { publicUrl: address.publicUrl }),
        isMetricsOpen: options.metricsOpen ?? false,
        version: ownVersion(),
        log: (entry) => screen.note(JSON.stringify(entry)),
      });
      const now = runtime.clock.now();
      const listening = await listen(server, { ...address, tokens: store.tokens, now });
      await sayWhere(context, listening, store, now);
      if (options.worker && library.agents.length === 0)
        screen.note("no agent's code is at hand (--agent <file>): threads are shown and decided, not run");
      const { schedules } = store;
      const running = await runSchedules(runtime, {
        schedules: schedulesHere(context, library),
        store: schedules,
        signal: context.signal,
      });
      const worker = options.worker && library.agents.length > 0 ? startWorker(runtime) : null;
      if (!context.signal.aborted) await once(context.signal, "abort");
      await Promise.all([listening.close({ graceMs }), worker?.close(), running.close()]);
      return { document: { stopped: true }, lines: [] };
    });
  });
}

interface Address {
  readonly host: string;
  readonly port?: number;
  readonly publicUrl: string | undefined;
}

/** What is typed counts before the config. */
function addressOf({ settings: { server } }: Context, options: Options): Address {
  const port = options.port ?? server.port;
  return {
    host: options.host ?? server.host ?? "127.0.0.1",
    publicUrl: options.publicUrl ?? server.publicUrl,
    ...(port !== undefined && { port }),
  };
}

async function sayWhere(
  { screen, settings }: Context,
  { url }: Listening,
  { tokens }: SqliteStore,
  now: number,
): Promise<void> {
  screen.note(`listening on ${url} for ${formatPath(settings.storePath)}`);
  if ((await tokens.list()).some((token) => isUsable(token, now))) return;
  screen.note("there is no token yet, so every call is answered 401. Make one, with the same store:");
  screen.note(
    `  holdpoint token create --principal you@example.com --scope read,run,decide${settings.sameOptions}`,
  );
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError("It is no port.");
}
