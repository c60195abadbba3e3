import { once } from "node:events";
import { InvalidArgumentError } from "commander";
import { type ChannelMounts, channelMounts } from "../../runtime/mounts.ts";
import { startOutbox } from "../../runtime/outbox.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import { startWorker, type Worker } from "../../runtime/worker.ts";
import type { HttpServer } from "../../server/app.ts";
import type { Listening } from "../../server/listen.ts";
import { isUsable } from "../../server/tokens.ts";
import type { SqliteStore } from "../../stores/sqlite/store.ts";
import { type AgentLibrary, loadAgents } from "../agent-library.ts";
import { checkStarts } from "../check-start.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withRuntime, withStore } from "../context.ts";
import { formatPath } from "../format.ts";
import { ownVersion } from "../own-package.ts";
import { problemTeller } from "../progress.ts";
import { runSchedules, schedulesHere } from "../schedules-here.ts";
import type { CommandResult } from "../screen.ts";
import { warnOfWideRights } from "../store-rights.ts";

interface Options {
  readonly host?: string;
  readonly port?: number;
  readonly publicUrl?: string;
  /** False with `--no-worker`. */
  readonly worker: boolean;
  readonly metricsOpen?: boolean;
  readonly unchecked?: string;
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
    .option(
      "--unchecked <reason>",
      "start agents also where their check fails; the reason is recorded with what it starts",
    )
    .action(run<Options>((context, _args, options) => serve(context, options)));
};

async function serve(context: Context, options: Options): Promise<CommandResult> {
  const { screen, settings } = context;
  const library = await loadAgents(settings);
  for (const problem of [...library.problems, ...library.stale.values()]) screen.warn(problem.message);
  const sending = { channels: await settings.channels(), people: settings.people };
  const schedules = schedulesHere(context, library);
  const { unchecked: reason } = options;
  const checked = await checkStarts(context, { ...library, channels: sending.channels, unchecked: reason });
  return withStore(context, "create", async (store) => {
    let server: HttpServer | null = null;
    const tellProblem = problemTeller(screen);
    const observe: HttpServer["observe"] = (hint) => {
      if (hint.kind === "problem") tellProblem(hint.threadId, hint.error);
      server?.observe(hint);
    };
    return withRuntime(context, { store, agents: library.agents, ...checked, observe }, async (runtime) => {
      const clicks = channelMounts(runtime, sending);
      server = await openService(context, options, { runtime, store, clicks });
      const listening = await listenOn(context, options, { runtime, store, server });
      warnOfWideRights(context);
      sayWhat(context, { channels: sending.channels, schedules });
      const { signal } = context;
      const background = [
        await runSchedules(runtime, { schedules, store: store.schedules, signal }),
        startOutbox(runtime, { outbox: store.outbox, ...sending }),
        ...workerFor(context, options, { runtime, library }),
      ];
      if (!signal.aborted) await once(signal, "abort");
      await Promise.all([listening.close({ graceMs }), ...background.map((each) => each.close())]);
      await clicks.close();
      return { document: { stopped: true }, lines: [] };
    });
  });
}

interface Opened {
  readonly runtime: Runtime;
  readonly store: SqliteStore;
}

/** With it come libraries that no other command needs. */
async function openService(
  context: Context,
  options: Options,
  { runtime, store, clicks }: Opened & { readonly clicks: ChannelMounts },
): Promise<HttpServer> {
  const { screen, settings } = context;
  const { createServer } = await import("../../server/app.ts");
  const { mountWebhooks } = await import("../../triggers/webhook-mount.ts");
  const { host, publicUrl } = addressOf(context, options);
  return createServer({
    runtime,
    tokens: store.tokens,
    feed: store.feed,
    numbers: store.numbers,
    people: settings.people,
    mounts: new Map([...mountWebhooks(runtime, settings.webhooks()), ...clicks.mounts]),
    allowedHosts: [host, ...(settings.server.allowedHosts ?? []), ...clicks.hosts],
    ...(publicUrl !== undefined && { publicUrl }),
    ...(settings.server.trustedProxies && { trustedProxies: settings.server.trustedProxies }),
    isMetricsOpen: options.metricsOpen ?? false,
    version: ownVersion(),
    log: (entry) => screen.note(JSON.stringify(entry)),
  });
}

async function listenOn(
  context: Context,
  options: Options,
  { runtime, store, server }: Opened & { readonly server: HttpServer },
): Promise<Listening> {
  const { listen } = await import("../../server/listen.ts");
  const now = runtime.clock.now();
  const listening = await listen(server, { ...addressOf(context, options), tokens: store.tokens, now });
  await sayWhere(context, listening, store, now);
  return listening;
}

function workerFor(
  { screen }: Context,
  options: Options,
  { runtime, library }: { readonly runtime: Runtime; readonly library: AgentLibrary },
): readonly Worker[] {
  if (!options.worker) return [];
  if (library.agents.length > 0) return [startWorker(runtime)];
  screen.note("no agent's code is at hand (--agent <file>): threads are shown and decided, not run");
  return [];
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

/** What else is up, so that a config which was not found, or lacks something, is seen at once. */
function sayWhat(
  { screen, settings }: Context,
  { channels, schedules }: { readonly channels: readonly Named[]; readonly schedules: readonly Named[] },
): void {
  const parts = [
    ["webhooks", settings.webhooks().map(({ name }) => `/hooks/${name}`)],
    ["channels", channels.map(({ name }) => name)],
    ["schedules", schedules.map(({ name }) => name)],
  ] as const;
  const said = parts
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what} ${names.join(", ")}`);
  if (said.length > 0) screen.note(`with ${said.join("; ")}`);
}

interface Named {
  readonly name: string;
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError("It is no port.");
}
