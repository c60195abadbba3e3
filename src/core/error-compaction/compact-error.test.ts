import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { errorFixtures } from "../../../test/kit/error-fixtures.ts";
import { redactor } from "../../runtime/redact.ts";
import { recordError } from "../errors.ts";
import type { EventBody } from "../events.ts";
import { compactError, failureKey } from "./compact-error.ts";
import { renderError } from "./render-error.ts";

const compactText = (message: string, raw?: string): string =>
  renderError(
    compactError(
      { code: "tool_failed", message, ...(raw === undefined ? {} : { raw }) },
      { operation: "look_up", attempts: 2 },
    ),
  );
const keyOf = (message: string, operation = "look_up"): string =>
  failureKey({ code: "tool_failed", message }, operation);

describe("what a tool explains", () => {
  const error = { code: "tool_failed", message: "Request failed with status code 404" };

  it("stands for cause and hint", () => {
    const compact = compactError(error, { operation: "find", explain: "No such order. Ask for its number." });
    expect(compact.cause).toBe("No such order. Ask for its number.");
    expect(compact.hint).toBeUndefined();
    expect(compact.status).toBe(404);
  });

  it("is ignored when it says nothing, or is no text", () => {
    const plain = compactError(error, { operation: "find" });
    for (const explain of [null, "", "  \n", 42, {}, []])
      expect(compactError(error, { operation: "find", explain: explain as string | null })).toEqual(plain);
  });

  it("is one bounded line without credentials", () => {
    const explain = `a\nb api_key=abcdef123456 ${"x".repeat(1_000)}`;
    const { cause } = compactError(error, { operation: "find", explain });
    expect(cause).toMatch(/^a b api_key=\[masked\] x+…$/);
    expect(cause.length).toBeLessThanOrEqual(240);
  });
});

describe("any text at all", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc
      .array(
        fc.constantFrom(
          ...'Error: |\n|    at |Caused by: | ---> |{"error":|}|[|(|HTTP 404|<html>|<title>|\'| in /a.php:1|\\|\u001b[31m|panic: |\ud800'.split(
            "|",
          ),
        ),
        { maxLength: 60 },
      )
      .map((parts) => parts.join("")),
  );

  it("gives one to three short lines, the same each time, with no character that a terminal obeys", () => {
    fc.assert(
      fc.property(texts, fc.option(texts, { nil: undefined }), (message, raw) => {
        const text = compactText(message, raw);
        expect(text.length).toBeLessThanOrEqual(400);
        expect(text.split("\n").length).toBeLessThanOrEqual(3);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
        expect(text.isWellFormed()).toBe(true);
        expect(compactText(message, raw)).toBe(text);
        expect(keyOf(message)).toBe(keyOf(message));
      }),
      { numRuns: 300 },
    );
  });

  it("takes little time, however long and hostile it is", () => {
    const pieces = [
      ...[
        "(((",
        "a: a: a:",
        "\n",
        " ",
        "at ",
        "{",
        '{"a":',
        "[{",
        '"',
        "'",
        "<",
        "<style>",
        "<title>",
        "a@",
        "//a@",
      ],
      ...'\\|0|x|-|a-|_1|Caused by: |Caused by:\n|  at x (a:1:1)\n| ---> |File "a", line 1\n|https://|=|Bearer |api_key=|eyJ|.|::|Error: |GET /|a.b.c.|1.1.1.|key|\r|\u001b['.split(
        "|",
      ),
    ];
    for (const piece of pieces) {
      const long = piece.repeat(Math.ceil(1_000_000 / piece.length));
      const startedAt = performance.now();
      compactText(long);
      keyOf(long);
      expect(performance.now() - startedAt, JSON.stringify(piece)).toBeLessThan(4_000); // some 50 ms on a free machine
    }
  });
});

describe("no secret survives", () => {
  const secrets = fc.dictionary(
    fc.stringMatching(/^[A-Z]{3,8}$/),
    fc.oneof(
      fc.string({ minLength: 8, maxLength: 60 }),
      fc.stringMatching(/^[A-Za-z0-9+/=_-]{8,60}$/),
      fc.stringMatching(/^[a-z0-9"\\\n]{8,40}$/),
    ),
    { minKeys: 1, maxKeys: 3 },
  );
  const raws = errorFixtures().map(({ raw }) => raw);

  /** As the runtime does it: recorded, redacted where it is appended, then compacted. */
  function shown(error: Error, declared: Readonly<Record<string, string>>): string {
    const body: EventBody = {
      type: "action_failed",
      v: 1,
      key: "a1",
      attempt: 1,
      durationMs: 1,
      error: recordError(error, "tool_failed"),
    };
    const logged = redactor(new Map(Object.entries(declared))).event(body);
    if (logged.type !== "action_failed") throw new Error("another event came out");
    const inLog = JSON.stringify(logged.error);
    for (const secret of Object.values(declared))
      expect(inLog).not.toContain(JSON.stringify(secret).slice(1, -1));
    return renderError(compactError(logged.error, { operation: "look_up" }));
  }

  /** Ordinary words may be secrets too: what a text of ours says without them proves nothing. */
  const own = compactText("x") + raws.join("\n");

  it("wherever it stands in an error, not even half of it", () => {
    fc.assert(
      fc.property(
        secrets,
        fc.constantFrom(...raws),
        fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
        fc.constantFrom("plain", "JSON", "cause", "member"),
        (declared, raw, places, form) => {
          const values = Object.values(declared).filter((value) => !own.includes(value.slice(0, 7)));
          fc.pre(values.length > 0);
          const put = (text: string): string =>
            places
              .map((place) => place % (text.length + 1))
              .sort((left, right) => right - left) // from the end: none is put into another
              .reduce(
                (left, at, index) => left.slice(0, at) + values[index % values.length] + left.slice(at),
                text,
              );
          const texts = { plain: put(raw), JSON: JSON.stringify({ message: put(raw.slice(0, 400)) }) };
          const error =
            form === "cause"
              ? new Error("it failed", { cause: new Error(put(raw)) })
              : form === "member"
                ? Object.assign(new Error("it failed"), { response: { data: { message: put("no") } } })
                : new Error(texts[form === "JSON" ? "JSON" : "plain"]);
          const text = shown(error, declared);
          for (const value of values) {
            expect(text).not.toContain(value);
            expect(text).not.toContain(value.slice(0, Math.max(7, Math.ceil(value.length / 2))));
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("also where a long output is cut before it is redacted, and after", () => {
    const secret = "s3cr3t-of-the-long-output";
    for (let shift = 0; shift <= secret.length; shift += 1) {
      const stdout = `${"x".repeat(198_000 + shift)}${`${secret} `.repeat(200)}`;
      const short = `${"x".repeat(13_000 + shift)}${`${secret} `.repeat(500)}`;
      for (const text of [stdout, short]) {
        const error = recordError(Object.assign(new Error("it failed"), { stdout: text }), "step_failed");
        const times = { attempt: 1, durationMs: 1, retryAt: null };
        const body: EventBody = { type: "step_failed", v: 1, key: "s1", ...times, error };
        const logged = redactor(new Map([["KEY", secret]])).event(body);
        expect(JSON.stringify(logged)).not.toContain(secret.slice(0, 3));
      }
    }
  });
});

describe("the key of a failure", () => {
  it("is equal for one cause with other values", () => {
    const pairs = [
      ["user 17 not found", "user 4711 not found"],
      ['no customer "Dana"', 'no customer "Kim"'],
      ["order ord_8sk2ab is closed", "order ord_99zz1c is closed"],
      [
        "GET https://a.example.com/u/1?x=1 failed: 404 Not Found",
        "GET https://a.example.com/u/2?x=7 failed: 404 Not Found",
      ],
      [
        "lease 0b6ef7c8-6b0a-4d3f-8f3e-1c0f6a1b2c3d lost at 2026-11-23T09:12:47Z",
        "lease 1b6ef7c8-6b0a-4d3f-8f3e-1c0f6a1b2c3e lost at 2026-11-24T10:00:00Z",
      ],
      ["connect ECONNREFUSED 10.0.0.1:5432", "connect ECONNREFUSED 10.0.0.2:5432"],
      ["object at 0x7f3c5a1e2d90 is gone", "object at 0x7f00000000aa is gone"],
    ] as const;
    for (const [left, right] of pairs) expect(keyOf(left)).toBe(keyOf(right));
  });

  it("is another for another cause, operation, status or endpoint", () => {
    const texts = [
      "user 17 not found",
      "user 17 is locked",
      'relation "orders" does not exist',
      'relation "users" does not exist',
      "ORA-00942: table or view does not exist",
      "ORA-01722: invalid number",
      "GET https://a.example.com/u/1 failed: 404 Not Found",
      "GET https://a.example.com/orders/1 failed: 404 Not Found",
      "GET https://a.example.com/u/1 failed: 409 Conflict",
      "POST https://a.example.com/u/1 failed: 409 Conflict",
      "Process exited with code 2",
      "Process exited with code 3",
      "Cannot read properties of undefined (reading 'items')",
      "Cannot read properties of undefined (reading 'total')",
    ];
    expect(new Set(texts.map((text) => keyOf(text))).size).toBe(texts.length);
    expect(keyOf("x", "a")).not.toBe(keyOf("x", "b"));
  });
});
