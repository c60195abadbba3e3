import { expect, test } from "vitest";
import { channelSettings, channelsSchema, channelVariables } from "./channel-settings.ts";

const webhookSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const variables: Readonly<Record<string, string>> = {
  HOOK: webhookSecret,
  LINKS: "a secret of at least thirty-two bytes, for tests",
  SMTP: "password",
  TOKEN: "xoxb-test",
  SIGNING: "signing secret",
};
const config = [
  { type: "webhook", url: "https://example.com/hook", secretVariables: ["HOOK"] },
  {
    type: "email",
    from: "holdpoint@example.com",
    publicUrl: "https://holdpoint.example.com",
    secretVariable: "LINKS",
    smtp: { host: "smtp.example.com", user: "holdpoint", passwordVariable: "SMTP" },
    linkExpiresIn: "2d",
  },
  { type: "slack", tokenVariable: "TOKEN", signingSecretVariable: "SIGNING", channel: "C1", name: "desk" },
];

test("plain descriptions become channels, and what they name are secrets", async () => {
  const described = channelsSchema.parse(config);
  const made = await channelSettings(described, (name) => variables[name]);
  expect(made.map(({ name }) => name)).toEqual(["webhook", "email", "desk"]);
  expect(channelVariables(described)).toEqual(["HOOK", "LINKS", "SMTP", "TOKEN", "SIGNING"]);
});

test("objects of one's own are taken as they are, and name no variables", async () => {
  const own = { name: "board", recipients: () => [], deliver: async () => null };
  const described = channelsSchema.parse([own]);
  expect(await channelSettings(described, () => undefined)).toEqual([own]);
  expect(channelVariables(described)).toEqual([]);
});

test.each(config)("a variable that is not set is named: $type", async (described) => {
  await expect(channelSettings(channelsSchema.parse([described]), () => undefined)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringMatching(/need environment variables that are not set: [A-Z]+/),
  });
});

test("a secret in the config itself, and what a factory refuses, are refused", async () => {
  const [webhook] = config;
  expect(channelsSchema.safeParse([{ ...webhook, secrets: webhookSecret }]).success).toBe(false);
  const plain = channelsSchema.parse([{ ...webhook, url: "http://example.com" }]);
  await expect(channelSettings(plain, (name) => variables[name])).rejects.toMatchObject({ code: "usage" });
});
