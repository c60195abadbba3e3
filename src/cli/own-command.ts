// How this command line was started, so that the commands that it prints can be typed as they stand.
import { basename, dirname } from "node:path";

/** What the process knows of its start. */
export interface Start {
  /** The file that Node was given. */
  readonly script: string | undefined;
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** The words before a command's name: `holdpoint`, or how a package manager reaches it. */
export function ownCommandOf({ script = "", variables }: Start): string {
  const { npm_lifecycle_event: event, npm_command: command, npm_config_user_agent: agent = "" } = variables;
  const manager = /^(pnpm|yarn|bun)\//.exec(agent)?.[1] ?? "npm";
  if (command === "run-script" && event === "holdpoint")
    return manager === "npm" ? "npm run holdpoint --" : `${manager} run holdpoint`;
  const isOfProject = basename(dirname(script)) === ".bin" || command !== undefined; // started by npm: on nobody's path
  if (!isOfProject) return "holdpoint";
  return { npm: "npx holdpoint", pnpm: "pnpm exec holdpoint", yarn: "yarn holdpoint", bun: "bunx holdpoint" }[
    manager as "npm" | "pnpm" | "yarn" | "bun" // the pattern has no other
  ];
}

const own = ownCommandOf({ script: process.argv[1], variables: process.env });

/** A command as the reader can type it: `ownCommand("inbox --mine")`. */
export function ownCommand(rest: string): string {
  return `${own} ${rest}`;
}

/** Words that follow ours in a command; a test compares them with the commands that there are. */
const names =
  "init|check|run|backup|threads|show|prompt|inbox|deliveries|approve|reject|answer|resolve|standing|signal|cancel|fork|flag|stats|worker|schedules|serve|token|export|prune|verify|eval|--help|<command>";
const mention = new RegExp(`(?<![\\w./@:-])holdpoint (?=(?:${names})(?![\\w-]))`, "g");

/**
 * Our own sentences, which name commands as `holdpoint …`; those that are spelled already stay so. Never for what a thread
 * or a person said.
 */
export function spellCommands(sentence: string, program: string = own): string {
  if (program === "holdpoint") return sentence;
  const before = program.slice(0, program.lastIndexOf("holdpoint"));
  return sentence.replaceAll(mention, (found, at: number) =>
    sentence.slice(0, at).endsWith(before) ? found : `${program} `,
  );
}
