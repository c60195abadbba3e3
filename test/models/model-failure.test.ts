// What real providers said, told apart: first the table of messages, then every error that the recordings hold.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { classifyModelFailure } from "../../src/models/model-failure.ts";
import { type ProviderMessage, providerMessages } from "./provider-messages.ts";

/** As the SDK throws it; without a status it comes out of a stream, as the plain object that was in it. */
function thrown({ status, message, body, headers }: ProviderMessage): unknown {
  if (status === undefined && message === "") return body;
  return Object.assign(new Error(message), {
    name: "AI_APICallError",
    ...(status !== undefined && { statusCode: status }),
    ...(body !== undefined && { responseBody: JSON.stringify(body) }),
    ...(headers && { responseHeaders: headers }),
    url: "https://api.example.com/v1/chat/completions",
  });
}

const retryableKinds = ["throttled", "overloaded", "server", "network", "timeout", "interrupted", "garbled"];

describe("classifyModelFailure", () => {
  for (const given of providerMessages) {
    test(`${given.from}: ${given.kind} (${given.source})`, () => {
      const { status: _, message: __, fix: ___, ...failure } = classifyModelFailure(thrown(given));
      const {
        kind,
        retryable = retryableKinds.includes(kind),
        limitTokens,
        sentTokens,
        retryAfterMs,
      } = given;
      expect(failure).toEqual({
        kind,
        retryable,
        ...(limitTokens !== undefined && { limitTokens }),
        ...(sentTokens !== undefined && { sentTokens }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });
    });
  }

  test("the table is large, and no message is in it twice", () => {
    const keys = providerMessages.map((each) => JSON.stringify([each.status, each.message, each.body]));
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.length).toBeGreaterThanOrEqual(100);
    expect(
      providerMessages.every(({ limitTokens, sentTokens }) => (sentTokens ?? 1e9) > (limitTokens ?? 0)),
    ).toBe(true);
  });
});

describe("recorded failures", () => {
  const shared = new URL("../../../shared/data/", import.meta.url);
  const skip = (folder: string) =>
    existsSync(new URL(folder, shared)) ? "" : ` (skipped: ../shared/data/${folder} is not here)`;

  const cassettes = skip("pydantic-ai-cassettes");
  test.skipIf(cassettes !== "")(
    `every error response of pydantic-ai-cassettes has a kind${cassettes}`,
    () => {
      const kinds = countKinds(recordedErrors(new URL("pydantic-ai-cassettes/", shared)));
      console.log("pydantic-ai-cassettes, error responses by kind:", JSON.stringify(kinds));
      expect(kinds).toEqual({ not_found: 9, invalid_request: 5 });
    },
  );

  const fixtures = skip("ai-sdk-fixtures");
  test.skipIf(fixtures !== "")(`every error of ai-sdk-fixtures has a kind${fixtures}`, () => {
    const kinds = countKinds(fixtureErrors(new URL("ai-sdk-fixtures/", shared)));
    console.log("ai-sdk-fixtures, errors by kind:", JSON.stringify(kinds));
    expect(kinds).toEqual({ throttled: 1, invalid_request: 2, quota: 3 });
  });
});

function countKinds(errors: readonly unknown[]): { readonly [kind: string]: number } {
  const kinds: { [kind: string]: number } = {};
  for (const error of errors) {
    const { kind } = classifyModelFailure(error);
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  }
  return kinds;
}

interface Recording {
  readonly interactions: readonly {
    readonly request: { readonly uri: string };
    readonly response: {
      readonly status: number | null;
      readonly headers: { readonly [name: string]: string };
      readonly body: unknown;
    };
  }[];
}

/** As the SDK throws them. */
function recordedErrors(folder: URL): readonly unknown[] {
  return filesIn(folder, ".json").flatMap((file) => {
    const { interactions } = JSON.parse(readFileSync(file, "utf8")) as Recording;
    return interactions
      .filter(({ response }) => (response.status ?? 0) >= 400)
      .map(({ request, response: { status, headers, body } }) =>
        Object.assign(new Error("Bad Request"), {
          name: "AI_APICallError",
          url: request.uri,
          statusCode: status,
          responseHeaders: headers,
          responseBody: JSON.stringify(body),
        }),
      );
  });
}

/** Bodies with an `error`, and the events of streams that have one: the status is not recorded. */
function fixtureErrors(folder: URL): readonly unknown[] {
  return [...filesIn(folder, ".json"), ...filesIn(folder, ".chunks.txt")].flatMap((file) =>
    (file.pathname.endsWith(".json") ? [readFileSync(file, "utf8")] : readFileSync(file, "utf8").split("\n"))
      .map(parseJson)
      .map((json) =>
        isRecord(json) && isRecord(json.response) && json.response.error ? json.response : json,
      )
      .filter((json) => isRecord(json) && isRecord(json.error)),
  );
}

function filesIn(folder: URL, ending: string): readonly URL[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => new URL(name.split("/").map(encodeURIComponent).join("/"), folder));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
