import { Command, CommanderError, InvalidArgumentError } from "commander";
import type { HoldpointError } from "../core/errors.ts";
import type { Context } from "./context.ts";
import { type CommandResult, type Screen, usageError } from "./screen.ts";
import { type GlobalOptions, readSettings } from "./settings.ts";

/** What a command does with its arguments and options. */
type Handler<Options> = (
  context: Context,
  args: readonly string[],
  options: Options,
) => Promise<CommandResult>;

/** Turns a handler into a commander action. */
type Run = <Options>(handler: Handler<Options>) => (...commanderArguments: unknown[]) => Promise<void>;

/** Adds one command to the program. */
export type AddCommand = (program: Command, run: Run) => void;

export interface CommandLine {
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly version: string;
}

/**
 * Parses the arguments and performs the command.
 *
 * @throws `usage`, also for what commander itself refuses; whatever the command throws.
 */
export async function runCommandLine(
  args: readonly string[],
  commands: readonly AddCommand[],
  line: CommandLine,
): Promise<CommandResult> {
  const { screen, signal, version } = line;
  let shown = ""; // help and version are results like any other
  let result: CommandResult | null = null;

  const program = defineCommands(
    version,
    commands,
    (handler) =>
      async function action(this: Command) {
        const settings = await readSettings(globalOptions(program, this));
        screen.hide(settings.secrets);
        // `this.args` holds the operands, as many as the command declares; its options are what it declares.
        result = await handler(
          { screen, settings, signal },
          this.args,
          this.opts() as Parameters<typeof handler>[2],
        );
      },
  );

  for (const command of withSubcommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: (text) => (shown += text),
      writeErr: () => {},
      getOutHasColors: () => false,
    });
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw toUsageError(error, groupOf(program, args[0]));
  }
  const text = shown.trimEnd();
  return result ?? { document: { text }, lines: [text] };
}

/** The whole command line, as help, the reference and the parser know it. */
export function defineCommands(version: string, commands: readonly AddCommand[], run: Run): Command {
  const program = createProgram(version);
  for (const add of commands) add(program, run);
  for (const command of withSubcommands(program)) addGlobalOptions(command);
  return program;
}

/** A command and those in it: a group such as `token` has some of its own. */
export function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function createProgram(version: string): Command {
  return new Command("holdpoint")
    .description("LLM agents whose event log is the whole state, and whose risky actions wait for a person.")
    .version(version)
    .enablePositionalOptions() // so that `threads --agent <name>` may differ from the global --agent
    .helpCommand(true)
    .addHelpText("after", "\nDocumentation: docs/cli.md in the package, beside its dist/");
}

function addGlobalOptions(command: Command): void {
  const taken = new Set(command.options.map((option) => option.long));
  command.optionsGroup("Global options:");
  command.option(
    "--store <file>",
    "the store's file (default: from the config, else .holdpoint/holdpoint.db)",
  );
  if (!taken.has("--agent"))
    command.option("--agent <file>", "where an agent's code is; may be repeated", collect);
  command
    .option("--config <file>", "the config (default: holdpoint.config.ts, .js or .json)")
    .option("--as <principal>", "who you are, as recorded with what you do (default: cli:<user>)")
    .option("--json", "one JSON document on stdout; never a question")
    .option("--quiet", "no progress");
}

/** They may stand before the command or after it. */
function globalOptions(program: Command, command: Command): GlobalOptions {
  const group = command.parent?.opts();
  const { agent, ...options }: Record<string, unknown> = { ...program.opts(), ...group, ...command.opts() };
  return { ...options, ...(Array.isArray(agent) && { agent }) }; // as declared above; `threads --agent` is a name
}

/** For options that may be repeated. */
function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** For options that take a number. */
export function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is no whole number.");
}

function toUsageError(error: CommanderError, program: Command): HoldpointError {
  const [message = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
  if (error.code === "commander.help") return usageError("no command was given", commandList(program));
  const fix =
    hints.join(" ").replace(/^\((.*)\)$/, "$1") || "See `holdpoint --help`, or `holdpoint <command> --help`.";
  return usageError(message, fix);
}

/** The group that was named without one of its commands; else the program. */
function groupOf(program: Command, name: string | undefined): Command {
  return program.commands.find((group) => group.name() === name && group.commands.length > 0) ?? program;
}

function commandList(group: Command): string {
  const name = group.parent ? `holdpoint ${group.name()}` : "holdpoint";
  return `Commands: ${group.commands.map((command) => command.name()).join(", ")}. See \`${name} --help\`.`;
}
