// What belongs to the process and not to a command: signals, faults in foreign code, the exit code.
import { constants } from "node:os";
import { HoldpointError } from "../core/errors.ts";
import { runCommandLine } from "./command-line.ts";
import { commands } from "./commands.ts";
import { exitCodeOf } from "./exit-code.ts";
import { ownVersion, shareOwnPackage } from "./own-package.ts";
import { type CommandResult, createScreen, type Screen } from "./screen.ts";

/** How long a graceful end may take after a fault in foreign code, beyond the runtime's own grace of 10 s. */
const faultGraceMs = 15_000;

/** Runs one command and ends the process with its exit code. */
export async function runProcess(args: readonly string[]): Promise<void> {
  const screen = createScreen(screenOptions(args));
  const stop = new AbortController();
  const faults: unknown[] = [];
  let isOver = false;

  stopOnSignals(screen, stop);
  failOnForeignExit(screen);
  const onFault = (error: unknown): void => {
    faults.push(error);
    if (faults.length > 1) return;
    stop.abort(); // what is under way is given back, as after SIGTERM
    setTimeout(() => void end(screen, () => screen.fail(error), 1), faultGraceMs).unref();
  };
  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
  process.on("beforeExit", () => {
    if (!isOver) void end(screen, () => screen.fail(neverSettles()), 1);
  });

  shareOwnPackage();
  try {
    const result = await runCommandLine(args, commands, {
      screen,
      signal: stop.signal,
      version: ownVersion(),
    });
    if (faults.length > 0) throw faults[0];
    isOver = true;
    await end(screen, () => screen.result(result), result.exitCode ?? 0);
  } catch (thrown) {
    isOver = true;
    const isFault = faults.length > 0;
    if (!isFault && stop.signal.aborted && thrown === stop.signal.reason)
      return end(screen, () => screen.result(stopped), 3);
    const error = isFault ? faults[0] : thrown;
    await end(screen, () => screen.fail(error), isFault ? 1 : exitCodeOf(error));
  }
}

/** Of a command that was told to stop, and had nothing to give by then. */
const stopped: CommandResult = {
  document: { stopped: true },
  lines: ["stopped before the end: run it again"],
};

/** Once the end is our own: with which exit code. */
let ownExitCode: number | null = null;

/** An agent's code that ends the process would make a success of it, without a document. */
function failOnForeignExit(screen: Screen): void {
  process.on("exit", (code) => {
    process.exitCode = ownExitCode ?? 1; // also where it comes while our result is being written
    if (ownExitCode === null) screen.fail(foreignExit(code));
  });
}

function foreignExit(code: number): HoldpointError {
  const message = `the agent's code, or a package that it loads, called process.exit(${code}) before the command had ended`;
  return new HoldpointError("agent_invalid", message, {
    fix: "Throw an error instead, or return: the command ends by itself. What was under way is taken up again by the next run or worker.",
  });
}

/** Known before the arguments are parsed, because parsing may fail and must say so in the right form. */
function screenOptions(args: readonly string[]): { readonly json: boolean; readonly quiet: boolean } {
  const end = args.indexOf("--");
  const options = end < 0 ? args : args.slice(0, end);
  return { json: options.includes("--json"), quiet: options.includes("--quiet") };
}

/** The first signal asks for a graceful end, the second one does not wait for it. */
function stopOnSignals(screen: Screen, stop: AbortController): void {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) exit(128 + constants.signals[name]);
      screen.note(`${name}: stopping; what runs is given 10 s, and nothing is lost. Again to stop at once.`);
      stop.abort();
    });
  }
}

/** Foreign code may have left timers and sockets open, so the end is made, not waited for. */
async function end(screen: Screen, say: () => void, exitCode: number): Promise<void> {
  say();
  ownExitCode = exitCode;
  await screen.flush();
  exit(exitCode);
}

function exit(exitCode: number): never {
  ownExitCode = exitCode;
  process.exit(exitCode);
}

function neverSettles(): HoldpointError {
  return new HoldpointError(
    "agent_invalid",
    "nothing is left that could go on: something awaits a promise that never settles",
    {
      fix: "Look at top-level `await` in the agents' files.",
    },
  );
}
