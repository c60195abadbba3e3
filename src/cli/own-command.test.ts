import { expect, test } from "vitest";
import { defineCommands } from "./command-line.ts";
import { commands } from "./commands.ts";
import { ownCommandOf, spellCommands } from "./own-command.ts";

const local = "/srv/desk/node_modules/.bin/holdpoint";
const npm = { npm_config_user_agent: "npm/11.6.0 node/v24.21.0 linux x64" };
const cases: readonly (readonly [name: string, start: Parameters<typeof ownCommandOf>[0], own: string])[] = [
  ["on the path", { script: "/usr/local/bin/holdpoint", variables: {} }, "holdpoint"],
  ["the sources", { script: "/srv/holdpoint/src/cli/main.ts", variables: {} }, "holdpoint"],
  ["the project's own", { script: local, variables: {} }, "npx holdpoint"],
  [
    "npx",
    { script: local, variables: { ...npm, npm_command: "exec", npm_lifecycle_event: "npx" } },
    "npx holdpoint",
  ],
  [
    "a script of that name, on the sources",
    {
      script: "/srv/holdpoint/src/cli/main.ts",
      variables: { ...npm, npm_command: "run-script", npm_lifecycle_event: "holdpoint" },
    },
    "npm run holdpoint --",
  ],
  [
    "another script",
    { script: local, variables: { ...npm, npm_command: "run-script", npm_lifecycle_event: "start" } },
    "npx holdpoint",
  ],
  [
    "pnpm",
    { script: local, variables: { npm_config_user_agent: "pnpm/10.2.0 node/v24" } },
    "pnpm exec holdpoint",
  ],
  ["yarn", { script: local, variables: { npm_config_user_agent: "yarn/4.1.0" } }, "yarn holdpoint"],
];

test.each(cases)("%s", (_name, start, own) => {
  expect(ownCommandOf(start)).toBe(own);
});

test("sentences name every command as it can be typed, and leave other words alone", () => {
  const program = defineCommands("1.0.0", commands, () => () => Promise.resolve());
  const sentences = program.commands.map((command) => `Try \`holdpoint ${command.name()}\`.`);
  expect(sentences.length).toBeGreaterThan(20);
  for (const sentence of sentences)
    expect(spellCommands(sentence, "npx holdpoint")).toBe(sentence.replace("`holdpoint", "`npx holdpoint"));
  const other = "holdpoint runs agents: see node_modules/holdpoint check, or @acme/holdpoint run";
  expect(spellCommands(other, "npx holdpoint")).toBe(other);
});

test.each(["npx holdpoint", "pnpm exec holdpoint", "npm run holdpoint --"])(
  "a sentence that names a command by %s already stays as it is",
  (own) => {
    const spelled = spellCommands("Make one: `holdpoint token create`, or see holdpoint --help", own);
    expect(spelled).toBe(`Make one: \`${own} token create\`, or see ${own} --help`);
    expect(spellCommands(spelled, own)).toBe(spelled);
  },
);
