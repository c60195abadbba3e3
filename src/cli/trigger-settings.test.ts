import { describe, expect, test } from "vitest";
import { schedule } from "../triggers/schedule.ts";
import { github, webhook } from "../triggers/webhook.ts";
import { readTriggers } from "./trigger-settings.ts";

const secret = `whsec_${Buffer.from("0123456789abcdef01234567").toString("base64")}`;
const environment: Readonly<Record<string, string>> = {
  SHOP_SECRET: secret,
  NEXT_SECRET: `whsec_${Buffer.from("76543210fedcba9876543210").toString("base64")}`,
  REPO_SECRET: "a secret of a repository",
  BAD_SECRET: "short",
};
const variableOf = (name: string): string | undefined => environment[name];

const shop = {
  name: "shop",
  verify: "standard-webhooks",
  secretVariables: ["SHOP_SECRET", "NEXT_SECRET"],
  agent: "triage",
};
const nightly = { name: "nightly", agent: "report", cron: "0 2 * * *" };

describe("webhooks of a config", () => {
  test("take their secrets from the environment, and those are secrets of the runtime", () => {
    const repo = {
      name: "repo",
      verify: "github",
      secretVariables: ["REPO_SECRET"],
      onceBy: "body",
      agent: "triage",
    };
    const { webhooks, secrets } = readTriggers({ webhooks: [shop, repo] }, variableOf);
    expect(webhooks()).toMatchObject([
      {
        name: "shop",
        agent: "triage",
        verify: { scheme: "standard-webhooks", secrets: [secret, environment.NEXT_SECRET] },
      },
      { name: "repo", agent: "triage", verify: { scheme: "github", secrets: [environment.REPO_SECRET] } },
    ]);
    expect([...secrets]).toContainEqual(["SHOP_SECRET", secret]);
    expect([...secrets]).toContainEqual(["SHOP_SECRET key", secret.slice("whsec_".length)]);
    expect([...secrets.keys()]).toContain("REPO_SECRET");
  });

  test("may hold functions, or be made in code", () => {
    const made = webhook({
      name: "made",
      verify: github({ secrets: ["a secret of a repository"] }),
      agent: "triage",
    });
    const signal = (): undefined => undefined;
    const { webhooks, secrets } = readTriggers(
      { webhooks: [made, { name: "paid", verify: "github", secretVariables: ["REPO_SECRET"], signal }] },
      variableOf,
    );
    expect(webhooks()).toMatchObject([{ name: "made" }, { name: "paid", signal }]);
    expect([...secrets.keys()]).toEqual(["webhook made 1", "REPO_SECRET"]);
  });

  test("whose secret is not set, or cannot be used, are refused when they are served, and only then", () => {
    const missing = readTriggers({ webhooks: [{ ...shop, secretVariables: ["NO_SECRET"] }] }, variableOf);
    expect(() => missing.webhooks()).toThrow(
      expect.objectContaining({
        code: "usage",
        message: "the environment variable NO_SECRET, a secret of webhook shop, is not set",
      }),
    );
    const bad = readTriggers({ webhooks: [{ ...shop, secretVariables: ["BAD_SECRET"] }] }, variableOf);
    expect(() => bad.webhooks()).toThrow(/^webhook shop \(BAD_SECRET\): a secret .* cannot be used/);
  });

  test.each<[string, unknown, RegExp]>([
    [
      "no secrets",
      { ...shop, secretVariables: [] },
      /webhooks\.0\.secretVariables names no environment variable/,
    ],
    ["a secret itself", { ...shop, secrets: [secret] }, /webhooks\.0 .*secrets/],
    ["an unknown scheme", { ...shop, verify: "none" }, /webhooks\.0\.verify /],
    ["nothing to do", { ...shop, agent: undefined }, /webhook "shop": it takes either an agent or a signal/],
    ["two things to do", { ...shop, signal: () => undefined }, /either an agent or a signal/],
    ["a name that is no path", { ...shop, name: "a/b" }, /webhook "a\/b": its name/],
    ["text for a function", { ...shop, input: "body.id" }, /webhooks\.0\.input is no function/],
    ["once by what is signed elsewhere", { ...shop, onceBy: "body" }, /webhooks\.0\.onceBy is for github/],
    ["no object", "shop", /webhooks\.0 /],
  ])("with %s are refused", (_name, entry, message) => {
    const read = (): unknown => readTriggers({ webhooks: [entry] }, variableOf);
    expect(read).toThrow(expect.objectContaining({ code: "usage", message: expect.stringMatching(message) }));
    expect(read).not.toThrow(secret);
  });

  test("of one name are refused", () => {
    expect(() => readTriggers({ webhooks: [shop, shop] }, variableOf)).toThrow(
      'the config has two webhooks "shop"',
    );
  });
});

describe("schedules of a config", () => {
  test("are read with their defaults", () => {
    const made = schedule({ name: "made", agent: "report", cron: "@hourly" });
    expect(readTriggers({ schedules: [nightly, made] }, variableOf).schedules).toMatchObject([
      { name: "nightly", agent: "report", cron: "0 2 * * *", timezone: "UTC", missed: "once" },
      { name: "made" },
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    [
      "an invalid expression",
      { ...nightly, cron: "0 25 * * *" },
      /schedule "nightly": "0 25 \* \* \*" is no cron expr/,
    ],
    [
      "an unknown time zone",
      { ...nightly, timezone: "Mars/Olympus" },
      /there is no time zone "Mars\/Olympus"/,
    ],
    ["an unknown policy", { ...nightly, missed: "some" }, /schedules\.0\.missed /],
    ["an unknown member", { ...nightly, every: "1h" }, /schedules\.0 .*every/],
    ["no agent", { name: "nightly", cron: "0 2 * * *" }, /schedules\.0\.agent /],
  ])("with %s are refused", (_name, entry, message) => {
    expect(() => readTriggers({ schedules: [entry] }, variableOf)).toThrow(
      expect.objectContaining({
        code: "usage",
        message: expect.stringMatching(message),
        fix: expect.any(String),
      }),
    );
  });
});
