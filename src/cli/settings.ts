// I12. The one place that reads the environment.
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import type { Principal } from "../core/approvers.ts";
import type { Check } from "../core/check/finding.ts";
import { HoldpointError, isHoldpointError } from "../core/errors.ts";
import { isSamePerson, otherNameOf, type Person, rolesOf } from "../core/person.ts";
import { secretForms } from "../core/webhook-signature.ts";
import { soundCounter } from "../models/sound-counter.ts";
import type { DeliveryChannel } from "../ports/channel.ts";
import type { TokenCounter } from "../ports/token-counter.ts";
import type { OpenTelemetryOptions } from "../telemetry/open-telemetry.ts";
import { channelSettings, channelsSchema, channelVariables } from "./channel-settings.ts";
import { decodeText } from "./decode-text.ts";
import { formatPath, shellWord } from "./format.ts";
import { importModule } from "./import-module.ts";
import { parseJsonArgument } from "./json-argument.ts";
import { keyVariables, type Providers, providerSettings, providersSchema } from "./provider-settings.ts";
import { usageError } from "./screen.ts";
import type { TriggerSettings } from "./trigger-settings.ts";

/** The options that every command takes, as typed. */
export interface GlobalOptions {
  readonly store?: string;
  readonly agent?: readonly string[];
  readonly config?: string;
  readonly as?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export interface Settings {
  readonly storePath: string;
  /** `null` where there is none. */
  readonly configPath: string | null;
  /** Named with `--agent`: where they are given, nothing else is looked at. */
  readonly agentFiles: readonly string[];
  readonly configAgentFiles: readonly string[];
  readonly defaultModel: string | undefined;
  readonly providers: Providers;
  readonly counter: TokenCounter | undefined;
  readonly people: readonly Person[];
  /** Made when a command needs them. @throws `usage` for one that cannot be made. */
  readonly channels: () => Promise<readonly DeliveryChannel[]>;
  readonly secrets: ReadonlyMap<string, string>;
  /** Called where they are served. @throws `usage` for one whose secret is not set. */
  readonly webhooks: TriggerSettings["webhooks"];
  readonly schedules: TriggerSettings["schedules"];
  /** Of what runs; `null`: none is told. */
  readonly telemetry: OpenTelemetryOptions | null;
  readonly server: ServerSettings;
  /** Asked before each start, and by `check`, after Holdpoint's own. */
  readonly checks: readonly Check[];
  readonly principal: string;
  /** By --as, and not by default. */
  readonly isNamed: boolean;
  /** Those that the directory gives the principal. */
  readonly roles: readonly string[];
  /** What to add to a command so that it finds the same store and agents. */
  readonly sameOptions: string;
}

/** A name that may be shown in a list, and whom nothing else is taken for. */
const personSchema = z.strictObject({
  id: z.string().regex(/^(?!\s*(role|agent|thread)\s*:)\S[^\p{Cc}]{0,199}$/iu, "is no principal of a person"),
  name: z.string().min(1).max(200).exactOptional(),
  roles: z
    .array(z.string().regex(/^(?!role:)\S[^\p{Cc},]{0,99}$/u, "is no role (write it without role:)"))
    .exactOptional(),
  email: z.email().exactOptional(),
  slack: z.string().min(1).max(200).exactOptional(),
});

function areDifferent(people: readonly Person[]): boolean {
  return people.every(
    (person, index) => !people.slice(0, index).some((other) => isSamePerson(other, person)),
  );
}

/** Of `holdpoint serve`; what is typed counts before it. */
interface ServerSettings {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly publicUrl?: string | undefined;
  readonly allowedHosts?: readonly string[] | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
}

const serverMembers = {
  host: z.string().min(1).optional(),
  port: z.int().min(0).max(65_535).optional(),
  publicUrl: z.string().min(1).optional(),
  allowedHosts: z.array(z.string().min(1)).optional(),
  trustedProxies: z.array(z.string().min(1)).optional(),
};
const serverSchema: z.ZodType<ServerSettings> = z.strictObject(serverMembers);

const telemetrySchema: z.ZodType<Pick<OpenTelemetryOptions, "content" | "share">> = z.strictObject({
  content: z.boolean().exactOptional(),
  share: z.number().min(0).max(1).exactOptional(),
});

const configSchema = z.strictObject({
  store: z.string().min(1).optional(),
  agents: z.array(z.string().min(1)).optional(),
  defaultModel: z.string().min(1).optional(),
  secrets: z.array(z.string().min(1)).optional(),
  providers: providersSchema.optional(),
  webhooks: z.array(z.unknown()).optional(), // `readTriggers` says what is wrong with one
  schedules: z.array(z.unknown()).optional(),
  people: z
    .array(personSchema)
    .refine(areDifferent, "names somebody twice: an id, an address and a Slack id are one person's each")
    .optional(),
  telemetry: z.union([z.boolean(), telemetrySchema]).optional(),
  server: serverSchema.optional(),
  counter: z.custom<TokenCounter>().optional(), // `soundCounter` says what is wrong with it
  channels: channelsSchema.optional(),
  checks: z.array(z.custom<Check>((check) => typeof check === "function", "is no function")).optional(),
});

type Config = z.infer<typeof configSchema>;

const defaultStore = ".holdpoint/holdpoint.db";
const configNames = ["holdpoint.config.ts", "holdpoint.config.js", "holdpoint.config.json"];

/** Keys of providers, and the model that is used when an agent names none (HOLDPOINT_MODEL names another). */
const providerKeys: readonly (readonly [variable: string, model: string])[] = [
  ["ANTHROPIC_API_KEY", "anthropic/claude-sonnet-5-5"],
  ["OPENAI_API_KEY", "openai/gpt-6-astra"],
  ["GOOGLE_GENERATIVE_AI_API_KEY", "google/gemini-4-argon"],
];

/** @throws `usage` for options or a config that cannot be used. */
export async function readSettings(options: GlobalOptions): Promise<Settings> {
  const configPath = findConfig(options.config);
  const config = configPath === null ? {} : await readConfig(configPath);
  const folder = configPath === null ? "." : dirname(configPath);
  const triggers = await triggersOf(config);
  const people = config.people ?? [];
  const principal = principalOf(options.as);
  assertOwnName(principal, people);
  return {
    configPath,
    storePath:
      options.store === undefined ? resolve(folder, config.store ?? defaultStore) : resolve(options.store),
    agentFiles: (options.agent ?? []).map((path) => resolve(path)),
    configAgentFiles: (config.agents ?? []).map((path) => resolve(folder, path)),
    defaultModel: defaultModel(config),
    providers: providerSettings(config.providers ?? {}, variableOf),
    counter: counterOf(config, configPath),
    channels: () => channelSettings(config.channels ?? [], variableOf),
    secrets: new Map([
      ...secretValues([
        ...(config.secrets ?? []),
        ...keyVariables(config.providers ?? {}),
        ...channelVariables(config.channels ?? []),
      ]),
      ...triggers.secrets,
    ]),
    webhooks: triggers.webhooks,
    schedules: triggers.schedules,
    telemetry: telemetryOf(config),
    server: config.server ?? {},
    checks: config.checks ?? [],
    principal,
    isNamed: options.as !== undefined,
    roles: rolesOf(principal, people),
    people,
    sameOptions: sameOptions(options),
  };
}

/** Loaded when there are some: most commands need no calendar. */
async function triggersOf({ webhooks = [], schedules = [] }: Config): Promise<TriggerSettings> {
  if (webhooks.length + schedules.length === 0)
    return { webhooks: () => [], schedules: [], secrets: new Map() };
  const { readTriggers } = await import("./trigger-settings.ts");
  return readTriggers({ webhooks, schedules }, variableOf);
}

function findConfig(named: string | undefined): string | null {
  if (named === undefined) {
    const found = configNames.find((name) => existsSync(name));
    return found === undefined ? null : resolve(found);
  }
  const path = resolve(named);
  if (existsSync(path)) return path;
  throw usageError(`there is no config file ${named}`, "Check the path after --config.");
}

async function readConfig(path: string): Promise<Config> {
  const parsed = configSchema.safeParse(await configValue(path));
  if (parsed.success) return parsed.data;
  const why = parsed.error.issues
    .map((issue) => `${issue.path.join(".")} ${issue.message}`.trim())
    .join("; ");
  throw usageError(
    `the config ${formatPath(path)} is not valid: ${why}`,
    `It takes store, agents (paths), defaultModel, secrets (names of environment variables), people (each with id, name, roles, email, slack), providers (each with baseURL, apiKeyVariable, headers, supportsStructuredOutputs, strict, stream), channels (docs/channels.md), telemetry (docs/telemetry.md), webhooks, schedules (docs/triggers.md), server (${Object.keys(serverMembers).join(", ")}); in a .ts or .js file also counter ({ name, count }) and checks (docs/check.md).`,
  );
}

async function configValue(path: string): Promise<unknown> {
  if (path.endsWith(".json"))
    return parseJsonArgument(await readText(path), `the config ${formatPath(path)}`);
  const { default: value } = await importModule(path);
  if (value !== undefined) return value;
  throw usageError(`the config ${formatPath(path)} has no default export`, "Write `export default { … }`.");
}

/** @throws `usage` when there is no such file, it cannot be read, or it is not UTF-8. */
export async function readText(path: string): Promise<string> {
  const file = `the file ${formatPath(path)}`;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    throw new HoldpointError("usage", `${file} cannot be read`, {
      fix: "Check the path and its permissions.",
      cause,
    });
  }
  return decodeText(bytes, file);
}

/**
 * For files that are read as a whole, and maybe again: a pipe may never end, and has nothing left the second time.
 *
 * @throws `usage` for what is there and is no file.
 */
export async function assertFile(path: string): Promise<void> {
  const found = await stat(path).catch(() => null); // what cannot be looked at is told of when it is read
  if (!found || found.isFile()) return;
  throw new HoldpointError("usage", `${formatPath(path)} cannot be read: it is no regular file`, {
    fix: "Name a file; write what comes out of a pipe into one first.",
  });
}

/** On where it is not turned off: without an SDK in the process nothing leaves. */
function telemetryOf({ telemetry = true }: Config): OpenTelemetryOptions | null {
  if (telemetry === false) return null;
  return telemetry === true ? {} : telemetry;
}

function counterOf({ counter }: Config, path: string | null): TokenCounter | undefined {
  if (counter === undefined) return undefined;
  try {
    return soundCounter(counter);
  } catch (cause) {
    if (!isHoldpointError(cause)) throw cause;
    throw new HoldpointError("usage", `in the config ${formatPath(path ?? "")}, ${cause.message}`, {
      fix: cause.fix,
      cause,
    });
  }
}

function defaultModel(config: Config): string | undefined {
  const byKey = providerKeys.find(([variable]) => variableOf(variable) !== undefined)?.[1];
  return variableOf("HOLDPOINT_MODEL") ?? config.defaultModel ?? byKey;
}

/** I11. Providers' keys are secrets without being declared. */
function secretValues(names: readonly string[]): ReadonlyMap<string, string> {
  const all = [...names, ...providerKeys.map(([variable]) => variable)];
  return new Map(
    all.flatMap((name) => {
      const secret = variableOf(name);
      return secret === undefined ? [] : secretForms(name, secret);
    }),
  );
}

function variableOf(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

function principalOf(given: string | undefined): string {
  if (given === undefined) return `cli:${userName()}`;
  if (/^[\x21-\x7e\u00a0-\uffff][^\p{Cc}]{0,199}$/u.test(given)) return given;
  throw usageError(
    "--as takes a principal: up to 200 characters on one line",
    "For example --as dana@example.com.",
  );
}

/** @throws `usage` for another name of somebody in the directory: they would have two votes, or approve what they asked for. */
export function assertOwnName(principal: string, people: readonly Person[]): void {
  const person = otherNameOf(principal, people);
  if (person === undefined) return;
  const who = JSON.stringify(principal);
  throw usageError(`${who} is ${person.id} in the people directory`, `Name them as ${person.id}.`);
}

/** Who runs the command, as whoever decides requests. */
export function principalIn({ principal, roles }: Settings): Principal {
  return { id: principal, roles };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return variableOf("USER") ?? "unknown"; // a user without an entry in the system's list
  }
}

function sameOptions({ store, config, agent = [] }: GlobalOptions): string {
  const given = [
    ...(store === undefined ? [] : ["--store", store]),
    ...(config === undefined ? [] : ["--config", config]),
    ...agent.flatMap((path) => ["--agent", path]),
  ];
  return given.map((word) => ` ${shellWord(word)}`).join("");
}
