import type { Argument, Command, Option } from "commander";
import { defineCommands, withSubcommands } from "../../src/cli/command-line.ts";
import { commands } from "../../src/cli/commands.ts";
import { generated, page, table } from "./markdown.ts";

const globalHeading = "Global options:";

export function cliPage(): string {
  const program = defineCommands("", commands, () => async () => {});
  const all = program.commands.flatMap(withSubcommands);
  const index = all.map((command) => [
    `[\`${nameOf(command)}\`](#${anchorOf(command)})`,
    sentence(command.description()),
  ]);
  return page(
    "# Command line reference",
    generated,
    "What each command takes. How they are used, the config, and what `--json` gives: [The command line](../cli.md). Exit codes by error: [Errors](errors.md).",
    table(["command", ""], index),
    "## Options of every command",
    "They may stand before the command or after it.",
    table(["option", ""], optionRows(all[0]?.options.filter(isGlobal) ?? [])),
    "## Exit codes",
    table(
      ["code", "meaning"],
      [
        ["0", "done, or parked"],
        [
          "1",
          "failed: the thread, or a broken store; a check, a verification or an evaluation that found a problem",
        ],
        ["2", "usage: an unknown option, id or agent, malformed JSON, input that does not fit"],
        ["3", "try again: the same command may succeed later"],
        [
          "4",
          "not allowed: a verdict on a decided request, by who may not decide it, or one that does not validate",
        ],
      ],
    ),
    ...all.flatMap(section),
  );
}

function section(command: Command): readonly string[] {
  const usage = ["holdpoint", nameOf(command), ...command.registeredArguments.map(shownArgument)].join(" ");
  return [
    `## ${nameOf(command)}`,
    `${sentence(command.description())}`,
    command.commands.length > 0 && command.registeredArguments.length === 0 ? "" : `\`${usage} [options]\``,
    table(
      ["argument", ""],
      command.registeredArguments.map((argument) => [`\`${shownArgument(argument)}\``, argument.description]),
    ),
    table(["option", ""], optionRows(command.options.filter((option) => !isGlobal(option)))),
  ];
}

function optionRows(options: readonly Option[]): readonly (readonly string[])[] {
  return options.map((option) => {
    const required = option.mandatory ? "; has to be given" : "";
    return [`\`${option.flags}\``, `${option.description}${required}`];
  });
}

function isGlobal({ helpGroupHeading }: Option): boolean {
  return helpGroupHeading === globalHeading;
}

function nameOf(command: Command): string {
  const group = command.parent?.parent ? `${command.parent.name()} ` : "";
  return `${group}${command.name()}`;
}

function anchorOf(command: Command): string {
  return nameOf(command).replaceAll(" ", "-");
}

function shownArgument(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
