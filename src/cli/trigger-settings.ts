// Webhooks and schedules of a config. In a .ts file they may also hold functions, or be made by `webhook` and `schedule`.
import { z } from "zod";
import { HoldpointError } from "../core/errors.ts";
import { secretForms } from "../core/webhook-signature.ts";
import { isSchedule, type Schedule, type ScheduleDefinition, schedule } from "../triggers/schedule.ts";
import {
  github,
  isWebhook,
  standardWebhook,
  type Webhook,
  type WebhookDefinition,
  type WebhookMessage,
  type WebhookSignal,
  type WebhookVerification,
  webhook,
  webhookSecrets,
} from "../triggers/webhook.ts";
import { usageError } from "./screen.ts";

type VariableOf = (name: string) => string | undefined;

export interface TriggerSettings {
  /** Made when they are served. @throws `usage` for a secret that is not set: nothing is served without. */
  readonly webhooks: () => readonly Webhook[];
  readonly schedules: readonly Schedule[];
  /** I11. Of the webhooks' secrets, those that are set. */
  readonly secrets: ReadonlyMap<string, string>;
}

const isFunction = (value: unknown): boolean => typeof value === "function";

/** I11. A config names the variables that hold secrets, never a secret. */
const webhookSchema = z
  .strictObject({
    name: z.string(),
    verify: z.enum(["standard-webhooks", "github"]),
    secretVariables: z.array(z.string().min(1)).min(1, "names no environment variable that holds a secret"),
    onceBy: z.enum(["delivery", "body"]).optional(),
    agent: z.string().optional(),
    input: z.custom<(message: WebhookMessage) => unknown>(isFunction, "is no function").optional(),
    signal: z
      .custom<(message: WebhookMessage) => WebhookSignal | undefined>(isFunction, "is no function")
      .optional(),
    maxBodyBytes: z.number().optional(),
  })
  .refine(({ verify, onceBy }) => verify === "github" || onceBy === undefined, {
    path: ["onceBy"],
    message: "is for github: what others sign has an id",
  });

const scheduleSchema = z.strictObject({
  name: z.string(),
  agent: z.string(),
  cron: z.string(),
  timezone: z.string().optional(),
  input: z.unknown().optional(),
  missed: z.enum(["skip", "once", "all"]).optional(),
});

type WebhookEntry = z.infer<typeof webhookSchema>;

const webhookForm =
  'A webhook is { name, verify: "standard-webhooks" or "github", secretVariables (names of environment variables), agent }; in a .ts or .js file also input or signal, functions of a message; or what webhook() makes.';
const scheduleForm =
  "A schedule is { name, agent, cron, timezone, input, missed }, the last three optional; in a .ts or .js file input may be a function; or what schedule() makes.";

/** Reads both lists of a config. `variableOf` reads the environment. @throws `usage` saying where and what is wrong. */
export function readTriggers(
  config: { readonly webhooks?: readonly unknown[]; readonly schedules?: readonly unknown[] },
  variableOf: VariableOf,
): TriggerSettings {
  const entries = (config.webhooks ?? []).map((value, index) =>
    isWebhook(value) ? value : parsed(webhookSchema, value, `webhooks.${index}`, webhookForm),
  );
  assertDistinct(entries, "webhook");
  for (const entry of entries) if (!isWebhook(entry)) checkForm(entry);
  const schedules = (config.schedules ?? []).map(
    (value, index) =>
      isSchedule(value)
        ? value
        : schedule(parsed(scheduleSchema, value, `schedules.${index}`, scheduleForm) as ScheduleDefinition), // its optional members may be undefined, which counts as left out
  );
  assertDistinct(schedules, "schedule");
  return {
    webhooks: () => entries.map((entry) => (isWebhook(entry) ? entry : made(entry, variableOf))),
    schedules,
    secrets: new Map(entries.flatMap((entry) => [...secretsOf(entry, variableOf)])),
  };
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string, form: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const why = result.error.issues.map(({ path, message }) => `${[where, ...path].join(".")} ${message}`);
  throw usageError(`the config is not valid: ${why.join("; ")}`, form);
}

function assertDistinct(list: readonly { readonly name: string }[], noun: string): void {
  const names = new Set<string>();
  for (const { name } of list) {
    if (names.has(name)) throw usageError(`the config has two ${noun}s "${name}"`, "Rename one.");
    names.add(name);
  }
}

/** What is wrong with a webhook is told by every command, without its secrets, which only the service has. */
function checkForm(entry: WebhookEntry): void {
  webhook(definitionOf(entry, unverified));
}

const unverified: WebhookVerification = {
  scheme: "github",
  secrets: [],
  check: () => ({ ok: false, why: "it is not served" }),
  idOf: () => null,
  eventOf: () => null,
};

function made(entry: WebhookEntry, variableOf: VariableOf): Webhook {
  const secrets = entry.secretVariables.map((variable) => secretOf(entry.name, variable, variableOf));
  return webhook(definitionOf(entry, verificationOf(entry, secrets)));
}

function secretOf(name: string, variable: string, variableOf: VariableOf): string {
  const secret = variableOf(variable);
  if (secret !== undefined) return secret;
  throw usageError(
    `the environment variable ${variable}, a secret of webhook ${name}, is not set`,
    "Set it to the secret that the sender shows, or take it out of the config; without a secret nothing is accepted.",
  );
}

function verificationOf(
  { name, verify, onceBy, secretVariables }: WebhookEntry,
  secrets: readonly string[],
): WebhookVerification {
  try {
    return verify === "github"
      ? github({ secrets, ...(onceBy && { onceBy }) })
      : standardWebhook({ secrets });
  } catch (cause) {
    if (!(cause instanceof HoldpointError)) throw cause;
    const message = `webhook ${name} (${secretVariables.join(", ")}): ${cause.message}`;
    throw new HoldpointError("usage", message, { fix: cause.fix, cause });
  }
}

function definitionOf(
  { name, agent, input, signal, maxBodyBytes }: WebhookEntry,
  verify: WebhookVerification,
): WebhookDefinition {
  const members = {
    name,
    verify,
    ...(agent !== undefined && { agent }),
    ...(input && { input }),
    ...(signal && { signal }),
    ...(maxBodyBytes !== undefined && { maxBodyBytes }),
  };
  return members as WebhookDefinition; // `webhook` refuses one with neither or both of agent and signal
}

function secretsOf(
  entry: WebhookEntry | Webhook,
  variableOf: VariableOf,
): Iterable<readonly [string, string]> {
  if (isWebhook(entry)) return webhookSecrets([entry]);
  return entry.secretVariables.flatMap((variable) => {
    const secret = variableOf(variable);
    return secret === undefined ? [] : secretForms(variable, secret);
  });
}
