// Channels in a config: objects made by the factories of the package, or, where secrets are to stay out of the file, plain
// descriptions that name environment variables.
import { z } from "zod";
import type { Duration } from "../core/duration.ts";
import type { DeliveryChannel } from "../ports/channel.ts";
import { usageError } from "./screen.ts";

const variable = z.string().min(1);
const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, "is no channel's name: use lower-case letters, digits and -");

const webhookSchema = z.strictObject({
  type: z.literal("webhook"),
  url: z.string(),
  secretVariables: z.array(variable).min(1),
  name: name.optional(),
  allowPrivate: z.boolean().optional(),
});
const emailSchema = z.strictObject({
  type: z.literal("email"),
  from: z.string(),
  publicUrl: z.string(),
  secretVariable: variable,
  smtp: z.strictObject({
    host: z.string().min(1),
    port: z.int().min(1).max(65_535).optional(),
    secure: z.boolean().optional(),
    requireTls: z.boolean().optional(),
    user: z.string().optional(),
    passwordVariable: variable.optional(),
  }),
  name: name.optional(),
  linkExpiresIn: z.custom<Duration>((value) => typeof value === "string").optional(),
});
const slackSchema = z.strictObject({
  type: z.literal("slack"),
  tokenVariable: variable,
  signingSecretVariable: variable,
  channel: z.string().optional(),
  publicUrl: z.string().optional(),
  rejectReason: z.string().optional(),
  name: name.optional(),
});

/** What is made by a factory is recognised by its members: it may come from another copy of the package. */
function isChannel(value: unknown): value is DeliveryChannel {
  if (typeof value !== "object" || value === null) return false;
  const { name, recipients, deliver }: { name?: unknown; recipients?: unknown; deliver?: unknown } = value;
  return typeof name === "string" && typeof recipients === "function" && typeof deliver === "function";
}

interface WebhookConfig {
  readonly type: "webhook";
  readonly url: string;
  readonly secretVariables: readonly string[];
  readonly name?: string | undefined;
  readonly allowPrivate?: boolean | undefined;
}

interface EmailConfig {
  readonly type: "email";
  readonly from: string;
  readonly publicUrl: string;
  readonly secretVariable: string;
  readonly smtp: {
    readonly host: string;
    readonly port?: number | undefined;
    readonly secure?: boolean | undefined;
    readonly requireTls?: boolean | undefined;
    readonly user?: string | undefined;
    readonly passwordVariable?: string | undefined;
  };
  readonly name?: string | undefined;
  readonly linkExpiresIn?: Duration | undefined;
}

interface SlackConfig {
  readonly type: "slack";
  readonly tokenVariable: string;
  readonly signingSecretVariable: string;
  readonly channel?: string | undefined;
  readonly publicUrl?: string | undefined;
  readonly rejectReason?: string | undefined;
  readonly name?: string | undefined;
}

type NamedConfig = WebhookConfig | EmailConfig | SlackConfig;

export type ChannelConfig = DeliveryChannel | NamedConfig;

export const channelsSchema: z.ZodType<readonly ChannelConfig[]> = z.array(
  z.union([
    z.custom<DeliveryChannel>(isChannel),
    z.discriminatedUnion("type", [webhookSchema, emailSchema, slackSchema]),
  ]),
);

/** I11. Names of the variables that hold what must not be shown. */
export function channelVariables(channels: readonly ChannelConfig[]): readonly string[] {
  return channels.flatMap((channel) => {
    if (isChannel(channel)) return [];
    switch (channel.type) {
      case "webhook":
        return channel.secretVariables;
      case "email":
        return [channel.secretVariable, channel.smtp.passwordVariable ?? []].flat();
      case "slack":
        return [channel.tokenVariable, channel.signingSecretVariable];
      default:
        return channel satisfies never;
    }
  });
}

/** @throws `usage` for a variable that is not set, and for what a factory refuses. */
export async function channelSettings(
  channels: readonly ChannelConfig[],
  variableOf: (name: string) => string | undefined,
): Promise<readonly DeliveryChannel[]> {
  const missing = channelVariables(channels).filter((name) => variableOf(name) === undefined);
  if (missing.length > 0)
    throw usageError(
      `channels in the config need environment variables that are not set: ${missing.join(", ")}`,
      "Set them.",
    );
  const secretOf = (name: string): string => variableOf(name) ?? "";
  const made: DeliveryChannel[] = [];
  for (const channel of channels) made.push(isChannel(channel) ? channel : await make(channel, secretOf));
  return made;
}

/** Loaded when a config has them: most commands need none. */
async function make(channel: NamedConfig, secretOf: (name: string) => string): Promise<DeliveryChannel> {
  switch (channel.type) {
    case "webhook": {
      const { webhookChannel } = await import("../channels/webhook.ts");
      const { type: _, secretVariables, ...rest } = channel;
      return webhookChannel({ ...given(rest), secrets: secretVariables.map(secretOf) });
    }
    case "email": {
      const { emailChannel } = await import("../channels/email/email.ts");
      const { type: _, secretVariable, smtp, ...rest } = channel;
      const { passwordVariable, ...server } = smtp;
      const password = passwordVariable === undefined ? {} : { password: secretOf(passwordVariable) };
      const secret = secretOf(secretVariable);
      return emailChannel({ ...given(rest), secret, smtp: { ...given(server), ...password } });
    }
    case "slack": {
      const { slackChannel } = await import("../channels/slack/slack.ts");
      const { type: _, tokenVariable, signingSecretVariable, ...rest } = channel;
      const signingSecret = secretOf(signingSecretVariable);
      return slackChannel({ ...given(rest), token: secretOf(tokenVariable), signingSecret });
    }
    default:
      return channel satisfies never;
  }
}

type Given<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Without members that are there and undefined, which `exactOptionalPropertyTypes` tells from those that are not. */
function given<T extends object>(options: T): Given<T> {
  const members = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(members) as Given<T>; // the same members, less those that are undefined
}
