// No command of the documentation is left out silently: a test runs it, or this table says why none does. Whatever calls
// holdpoint is parsed by the command line's own definitions, so that no option or command is named that does not exist.
import { expect, test } from "vitest";
import { defineCommands, withSubcommands } from "../../src/cli/command-line.ts";
import { commands } from "../../src/cli/commands.ts";
import { blocksOf, commandsOf, pages } from "./pages.ts";

/** Pages whose commands are all run, by the test that follows them. */
const walked: ReadonlyMap<string, string> = new Map([
  ["docs/tutorial.md", "tutorial.test.ts"],
  ["docs/operations.md", "operations.test.ts"],
  ["docs/http.md", "http.test.ts (curl)"],
]);

const notRun: readonly { readonly page: string; readonly commands: RegExp; readonly why: string }[] = [
  {
    page: "README.md",
    commands: /^npm (start|test)$/,
    why: "the first thing that every clone does, and .ci/run",
  },
  {
    page: "README.md",
    commands: /^npm run (build|holdpoint -- init) ?|^cd .* && npm install .*\.tgz$/,
    why: "it packs the package, and needs a registry for what the package depends on; test/cli/init.test.ts makes the project",
  },
  {
    page: "README.md",
    commands: /^npx holdpoint /,
    why: "its ids are made up; the tutorial runs the same with real ones",
  },
  {
    page: "docs/cli.md",
    commands: /holdpoint /,
    why: "a list of all commands, with ids that are made up; test/cli runs each of them",
  },
  {
    page: "docs/check.md",
    commands: /^holdpoint (check|run) /,
    why: "test/cli/check.test.ts runs these, on an agent with mistakes",
  },
  { page: "docs/check.md", commands: /^holdpoint check$/, why: "the tutorial runs it" },
  {
    page: "docs/eval.md",
    commands: /^npx holdpoint (init|eval) |^holdpoint eval /,
    why: "test/cli/eval.test.ts runs these, the first two with the page's own suite in a project that init made",
  },
  {
    page: "docs/existing-agent.md",
    commands: /^npx holdpoint /,
    why: "its id is made up; existing-agent.test.ts runs these on the page's own files",
  },
  {
    page: "docs/gate.md",
    commands: /^holdpoint standing /,
    why: "test/cli/standing.test.ts runs these, on an agent of its own",
  },
  {
    page: "docs/http.md",
    commands: /^holdpoint (token create|serve) /,
    why: "test/cli/serve.test.ts runs these: a service does not end by itself",
  },
  {
    page: "docs/telemetry.md",
    commands: /^npm install @opentelemetry\//,
    why: "it needs a registry; test/cli/telemetry.test.ts preloads the page's file on the SDK of this project",
  },
  {
    page: "docs/stats.md",
    commands: /^holdpoint (stats|flag)/,
    why: "test/cli/stats.test.ts runs these, on threads of its own",
  },
  {
    page: "docs/telemetry.md",
    commands: /^NODE_OPTIONS="--import /,
    why: "test/cli/telemetry.test.ts preloads the page's file: a service does not end by itself",
  },
  {
    page: "docs/triggers.md",
    commands: /^holdpoint (schedules|worker)/,
    why: "test/cli/triggers.test.ts runs these, on schedules of its own",
  },
  {
    page: "docs/window.md",
    commands: /^holdpoint prompt th_/,
    why: "its ids are made up; test/cli/prompt.test.ts runs these",
  },
];

const all = pages.flatMap((page) =>
  blocksOf(page)
    .filter(({ language }) => language === "sh")
    .flatMap((block) => commandsOf(block).map((command) => ({ page, command }))),
);

test("every command is run by a test, or this table says why not", () => {
  const isKnown = ({ page, command }: (typeof all)[number]) =>
    notRun.some((entry) => entry.page === page && entry.commands.test(command)) ||
    (walked.has(page) && (page !== "docs/http.md" || command.startsWith("curl ")));
  expect(all.length).toBeGreaterThan(60);
  expect(all.filter((entry) => !isKnown(entry))).toEqual([]);
});

test("the table names nothing that is not there", () => {
  const isUsed = ({ page, commands }: (typeof notRun)[number]) =>
    all.some((entry) => entry.page === page && commands.test(entry.command));
  expect(notRun.filter((entry) => !isUsed(entry))).toEqual([]);
});

const calls = all.flatMap(({ page, command }) =>
  simpleCommands(command).flatMap((words) => {
    const at = words.findIndex((word) => !/^\w+=/.test(word)); // after settings of the environment
    const rest = words.slice(at).join("\u0000");
    const called = /^(?:npx\0holdpoint|npm\0run\0holdpoint\0--|holdpoint)\0(.*)$/s.exec(rest);
    return called ? [{ page, command, args: (called[1] ?? "").split("\u0000") }] : [];
  }),
);

test.each(calls)("$page: $command", async ({ args }) => {
  let parsed = "";
  const program = defineCommands(
    "0",
    commands,
    () =>
      async function seen(this: { name(): string }) {
        parsed = this.name();
      },
  );
  for (const command of withSubcommands(program))
    command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(args, { from: "user" });
  expect(args).toContain(parsed);
});

/** A line's commands, as words: what pipes, `&&`, `;` and redirections part. */
function simpleCommands(line: string): readonly (readonly string[])[] {
  const all: string[][] = [[]];
  let isTarget = false;
  for (const [token] of line.matchAll(
    /(?:'[^']*'|"(?:\\.|[^"])*"|\$\([^)]*\)|[^\s'"|&;<>])+|&&|\|\||[|&;]|\d?[<>]+/g,
  )) {
    if (/^(?:&&|\|\||[|&;])$/.test(token)) all.push([]);
    else if (/^\d?[<>]+$/.test(token)) isTarget = true;
    else if (isTarget) isTarget = false;
    else
      all
        .at(-1)
        ?.push(token.replaceAll(/'([^']*)'|"((?:\\.|[^"])*)"/g, (_, single, double) => single ?? double));
  }
  return all.filter((words) => words.length > 0);
}
