// `npm start`: handles every e-mail of the inbox as far as that goes without a person, says what waits for one, and
// ends. Run again, it goes on where it was.
import { constants } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { parseArgs } from "node:util";
import { HoldpointError, isHoldpointError } from "../../src/index.ts";
import { defaultData, defaultInbox, supportDesk } from "./agent.ts";
import { chooseModel } from "./choose-model.ts";
import { printReport, type ReportContext, reportDocument } from "./print-report.ts";
import { type InboxRun, processInbox } from "./process-inbox.ts";
import { showProgress } from "./progress.ts";

const help = `npm start [-- options]

  --inbox <folder>  the .eml files to handle (default: examples/support-desk/inbox)
  --data <folder>   where the log, the shop's database and the outbox are kept (default: .holdpoint)
  --ledger <file>   append every effect to this file when it happens; for tests
  --json            one JSON document on stdout
  --help
`;

interface Options {
  readonly inbox: string;
  readonly data: string;
  readonly ledger: string | undefined;
  readonly json: boolean;
  readonly help: boolean;
}

/** Who may decide here: a support lead, by the directory in the config. */
const lead = "dana@example.com";

await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<void> {
  process.stdout.on("error", () => {}); // its reader may leave early; the work goes on
  try {
    const options = readOptions(args);
    if (options.help) process.stdout.write(help);
    else await processAndReport(options, stopSignal());
  } catch (error) {
    fail(error, args.includes("--json"));
  }
}

async function processAndReport(options: Options, signal: AbortSignal): Promise<void> {
  const { data, inbox, ledger, json } = options;
  const choice = chooseModel(process.env);
  const agent = supportDesk({ data, inbox, ledger, model: choice.model });
  const progress = showProgress(process.stderr);
  let run: InboxRun;
  try {
    const { observe, setFiles: onStarted } = progress;
    run = await processInbox({
      store: join(data, "holdpoint.db"),
      inbox,
      agent,
      secrets: choice.secrets,
      signal,
      observe,
      onStarted,
    });
  } finally {
    progress.close();
  }
  const context = { choice, actionsNow: progress.actions(), ...commandsFor(options) };
  process.stdout.write(
    json ? `${JSON.stringify(reportDocument(run, context))}\n` : printReport(run, context),
  );
  process.exitCode = exitCodeFor(run);
}

/** @throws `usage` for arguments that cannot be used. */
function readOptions(args: readonly string[]): Options {
  const string = { type: "string" } as const;
  const boolean = { type: "boolean", default: false } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        inbox: { ...string, default: defaultInbox },
        data: { ...string, default: defaultData },
        ledger: string,
        json: boolean,
        help: boolean,
      },
    });
    const { inbox, data, ledger, json, help } = values;
    return {
      inbox: resolve(inbox),
      data: resolve(data),
      ledger: ledger === undefined ? undefined : resolve(ledger),
      json,
      help,
    };
  } catch (error) {
    throw new HoldpointError("usage", error instanceof Error ? error.message : String(error), {
      fix: "See npm start -- --help.",
    });
  }
}

/**
 * The config names the people who may decide. The agent's file works on the default data; for other data the command
 * line is given the store only: it then records a verdict, and the next run carries it out on the right shop.
 */
function commandsFor({ data, inbox }: Options): Pick<ReportContext, "cliOptions" | "again"> {
  const isDefault = data === defaultData;
  const file = (name: string): string => shellPath(join(import.meta.dirname, name));
  const changed = [
    ...(inbox === defaultInbox ? [] : ["--inbox", shellPath(inbox)]),
    ...(isDefault ? [] : ["--data", shellPath(data)]),
  ];
  return {
    cliOptions: ` ${isDefault ? `--agent ${file("agent.ts")}` : `--store ${shellPath(join(data, "holdpoint.db"))}`} --config ${file("holdpoint.config.json")} --as ${lead}`,
    again: ["npm start", ...(changed.length > 0 ? ["--", ...changed] : [])].join(" "),
  };
}

function shellPath(path: string): string {
  const near = relative(process.cwd(), path);
  const shown = near.startsWith("..") ? path : near.split(sep).join("/");
  return /^[\w./:@%+=-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}

/** The first signal asks for a graceful end, the second one does not wait for it. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + constants.signals[name]);
      process.stderr.write(`\n${name}: stopping; nothing is lost. Again to stop at once.\n`);
      stop.abort();
    });
  }
  return stop.signal;
}

/** 0 ok, 1 an e-mail could not be handled, 3 stopped: try again. */
function exitCodeFor({ mails, threads, interrupted }: InboxRun): number {
  if (interrupted) return 3;
  return mails.some((mail) => mail.kind === "unreadable") ||
    threads.some((thread) => thread.status === "failed")
    ? 1
    : 0;
}

function fail(error: unknown, json: boolean): void {
  const known = isHoldpointError(error)
    ? error
    : new HoldpointError("internal", error instanceof Error ? (error.stack ?? error.message) : String(error));
  const info = {
    code: known.code,
    message: known.message,
    fix: known.fix ?? (known.retryable ? "Try again." : "See npm start -- --help."),
  };
  if (json) process.stdout.write(`${JSON.stringify({ error: info })}\n`);
  else process.stderr.write(`error (${info.code}): ${info.message}\n  → ${info.fix}\n`);
  process.exitCode = known.code === "usage" ? 2 : known.retryable ? 3 : 1;
}
