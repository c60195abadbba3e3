import { describe, expect, it } from "vitest";
import { z } from "zod";
import { definitionDigest } from "../../src/core/check/definition-digest.ts";
import {
  type Agent,
  agent,
  checkAgent,
  checkCodes,
  type Finding,
  type Schema,
  tool,
  window,
} from "../../src/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { aroundAll, denying, innocents, mistakes, ownFinding } from "./seeded-mistakes.ts";

function aboutOf({ about }: Finding): string {
  if (!about) return "";
  const { kind, ...rest } = about;
  return [kind, ...Object.values(rest)].join(" ");
}

/** Found by the command line, which has the model's packages and the agents' files. */
const elsewhere = new Set([
  "model_unavailable",
  "agent_invalid",
  "channel_unusable",
  "probe_model_failed",
  "probe_count_low",
  "probe_channel_failed",
]);

describe("a check before the run", () => {
  it.each(
    mistakes.map((mistake) => ({
      ...mistake,
      title: [mistake.code, mistake.name].filter(Boolean).join(", "),
    })),
  )("finds $title", async ({ code, agent, about, options = aroundAll }) => {
    const findings = await checkAgent(agent, options);
    const found = findings.filter((finding) => finding.code === code);
    expect(found.map(aboutOf)).toContain(about);
    for (const { level, area, message, why, fix } of found) {
      expect({ level, area }).toEqual({ level: checkCodes[code].level, area: checkCodes[code].area });
      for (const text of [message, why, fix]) expect(text).not.toBe("");
    }
    const others = findings.filter((finding) => finding.code !== code && finding.level !== "note");
    expect(others.map((finding) => `${finding.code}: ${finding.message}`)).toEqual([]);
  });

  it.each(innocents)("finds nothing in $name", async ({ agent, options = aroundAll }) => {
    const findings = await checkAgent(agent, options);
    expect(findings.filter(({ level }) => level !== "note")).toEqual([]);
  });

  it("tells definitions apart, and the same one from no other", () => {
    const digests = innocents.map(({ agent }) => definitionDigest(agent));
    expect(digests).toEqual(innocents.map(({ agent }) => definitionDigest(agent)));
    const differing = mistakes
      .filter(({ options }) => options === undefined)
      .map(({ agent }) => definitionDigest(agent));
    expect(new Set(differing).size).toBe(differing.length);
    const [first] = innocents;
    const withSummary = first && {
      ...first.agent,
      window: window({ summary: { model: Object.assign({}, { self: globalThis }) } }),
    };
    expect(withSummary && definitionDigest(withSummary)).toMatch(/^[0-9a-f]{16}$/);
  });

  it("tells definitions apart by what they take and give, in JSON Schema", () => {
    const digestOf = (input?: Schema, output?: Schema, taken: Schema = z.object({})): string =>
      definitionDigest(
        agent({
          name: "a",
          ...(input && { input }),
          ...(output && { output }),
          tools: [tool({ name: "look", description: "Looks.", input: taken, run: () => null })],
        }),
      );
    const one = z.object({ id: z.string() });
    const two = z.object({ id: z.string(), note: z.string().optional() });
    const ofDate = z.string().transform((text) => new Date(text));
    const silent: Schema = { "~standard": { version: 1, vendor: "own", validate: (value) => ({ value }) } };
    const defaulted = z.object({ id: z.string().default("none") });
    const digests = [
      digestOf(),
      digestOf(one),
      digestOf(two),
      digestOf(ofDate),
      digestOf(silent),
      digestOf(defaulted),
      digestOf(undefined, one),
      digestOf(undefined, two),
      digestOf(undefined, undefined, one),
      digestOf(undefined, undefined, two),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    expect(digestOf(z.object({ id: z.string() }))).toBe(digests[1]);
  });

  it("has a seeded mistake for each code", () => {
    const seeded = new Set<string>(mistakes.map(({ code }) => code));
    expect(Object.keys(checkCodes).filter((code) => !seeded.has(code) && !elsewhere.has(code))).toEqual([]);
    expect(seeded.size).toBeGreaterThanOrEqual(40);
  });

  it("says nothing about people and channels where nobody knows them", async () => {
    const unreachable = mistakes.find(({ code }) => code === "approver_unreachable");
    expect(unreachable && (await checkAgent(unreachable.agent)).map(({ level }) => level)).not.toContain(
      "error",
    );
  });

  it("says nothing of people who are not asked, since every action is denied", async () => {
    const codesOf = async (agent: Agent): Promise<readonly string[]> =>
      (await checkAgent(agent, { ...aroundAll, channels: [] })).map(({ code }) => code);
    expect(await codesOf(denying([{ outcome: "deny" }]))).toEqual([]);
    const mayStillHold = denying([
      { tool: "pay_out", when: () => true, outcome: "hold" },
      { outcome: "deny" },
    ]);
    const onTrial = denying([{ outcome: "deny", shadow: true }]);
    for (const agent of [mayStillHold, onTrial])
      expect(await codesOf(agent)).toEqual(["no_escalation", "approvers_not_told"]);
  });

  it("adds what the config's own checks find", async () => {
    const abouts = [
      { kind: "agent" },
      { kind: "gate", text: "all" },
      { kind: "prompt", line: 3 },
      { kind: "tool", name: "x" },
    ] as const;
    const where = { file: "agent.ts", line: 1 };
    const found: readonly Finding[] = [
      ownFinding,
      ...abouts.map((about) => ({ ...ownFinding, about })),
      { ...ownFinding, where },
    ];
    const [first] = innocents;
    const checks = [async () => found];
    const findings = first && (await checkAgent(first.agent, { ...aroundAll, checks }));
    expect(findings?.slice(-found.length)).toEqual(found);
  });

  it("waits for a check of one's own no longer than a minute, nor after it is told to stop", async () => {
    const [first] = innocents;
    if (!first) throw new Error("there is an innocent");
    const never = (): Promise<never> => new Promise(() => {});
    const clock = manualClock();
    const stop = new AbortController();
    const late = checkAgent(first.agent, { checks: [never, () => [ownFinding]], clock });
    const stopped = checkAgent(first.agent, { checks: [never], clock, signal: stop.signal });
    stop.abort();
    await clock.advance(1_000);
    expect((await stopped).map(({ code, message }) => [code, message])).toEqual([
      ["own_check_failed", "check never was stopped before it gave anything"],
    ]);
    await clock.advance(59_000);
    expect((await late).map(({ code, message }) => [code, message])).toEqual([
      ["own_check_failed", "check never gave nothing within 60 s"],
      [ownFinding.code, ownFinding.message],
    ]);
    expect(clock.pending).toBe(0);
  });
});
