import { describe, expect, it } from "vitest";
import { errorFixtures } from "../../../test/kit/error-fixtures.ts";
import { redactor } from "../../runtime/redact.ts";
import { compactError, failureKey } from "./compact-error.ts";
import { renderError } from "./render-error.ts";

const fixtures = errorFixtures();

describe("a raw error is compacted to what a model needs", () => {
  it.each(fixtures.map((fixture) => [fixture.name, fixture] as const))("%s", (_, fixture) => {
    const { raw, operation, attempts, kind, status, endpoint, location, cause } = fixture;
    const compact = compactError({ code: "tool_failed", message: raw }, { operation, attempts });
    const text = renderError(compact);

    expect(compact).toMatchObject({ operation, attempts, kind });
    expect(compact.status).toBe(status);
    if (endpoint !== undefined) expect(compact.endpoint).toBe(endpoint);
    if (location !== undefined) expect(compact.location).toBe(location);
    for (const part of cause) expect(text).toContain(part);
    expect(text).toContain(operation);
    expect(text).toContain(`after ${attempts} attempt`);
    if (status !== undefined) expect(text).toContain(` ${status}`);
    expect(text.length).toBeLessThanOrEqual(400);
    expect(text.split("\n").length).toBeLessThanOrEqual(3);
  });

  it("as well when it comes from the log, where messages are short and the rest is raw", () => {
    for (const { raw, operation, name, cause } of fixtures) {
      const logged = redactor(new Map()).event({
        type: "action_failed",
        v: 1,
        key: "a1",
        attempt: 1,
        durationMs: 1,
        error: { code: "tool_failed", message: raw, raw },
      });
      if (logged.type !== "action_failed") throw new Error("another event came out");
      const text = renderError(compactError(logged.error, { operation }));
      for (const part of cause) expect(text, name).toContain(part);
    }
  });
});

describe("all of them", () => {
  it("are at least 80, of all kinds, and become at least eight times smaller in the median", () => {
    const ratios = fixtures
      .map(({ raw, operation, attempts }) => {
        const compact = compactError({ code: "tool_failed", message: raw }, { operation, attempts });
        return raw.length / renderError(compact).length;
      })
      .sort((left, right) => left - right);
    expect(ratios.length).toBeGreaterThanOrEqual(80);
    expect(ratios[Math.floor(ratios.length / 2)]).toBeGreaterThanOrEqual(8);
  });

  it("have keys of their own", () => {
    const keys = fixtures.map(({ raw, operation }) =>
      failureKey({ code: "tool_failed", message: raw }, operation),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("keep their keys under other ids, times and addresses", () => {
    for (const { raw, operation, name } of fixtures) {
      const key = failureKey({ code: "tool_failed", message: raw }, operation);
      const changed = raw
        .replaceAll("48213", "91177")
        .replaceAll("8841", "77302")
        .replaceAll("BK-20931", "BK-7745102")
        .replaceAll("100241", "9")
        .replaceAll("c7f2a9d4e1b8", "0b1c2d3e4f5a")
        .replaceAll("2026-11-23", "2027-01-04")
        .replaceAll("10.2.8.14", "10.2.9.211")
        .replaceAll("dana@example.com", "kim@example.org")
        .replaceAll("0x7f3c5a1e2d90", "0x7f11aa0e2d90");
      expect(failureKey({ code: "tool_failed", message: changed }, operation), name).toBe(key);
    }
  });
});
