// Every recorded exchange, served over loopback HTTP to the real package of its provider, comes out as one validated
// decision, one rejection that says why, or one typed error, and none hangs. The tables are printed, and are the test's
// expectation: a file or an outcome more or less shows at once.
import { afterAll, describe, expect, test } from "vitest";
import { asStream } from "./as-stream.ts";
import {
  cassetteFiles,
  type Exchange,
  hasCorpus,
  type Recorded,
  readCassettes,
  readFixtures,
  whyNoCorpus,
} from "./corpus.ts";
import { essence, type Outcome, outcomeOf, replay } from "./corpus-outcome.ts";
import { createRealModel } from "./corpus-packages.ts";
import { playPieces, recordedStreams } from "./corpus-streams.ts";
import { type Counted, count, newTable, showRows, showWhys } from "./corpus-table.ts";
import { type Loopback, openLoopback, toEvents } from "./loopback.ts";

/** As the port's comment has them. */
const portCodes = [
  "model_overflow",
  "model_throttled",
  "model_interrupted",
  "model_timeout",
  "model_circuit_open",
  "model_unavailable",
  "wire_mismatch",
  "model_failed",
];

const printed: string[] = [];
afterAll(() => void process.stdout.write(printed.map((text) => `${text}\n`).join("")));

async function serve(server: Loopback, exchange: Exchange): Promise<Outcome> {
  server.respond = replay(exchange);
  const { dialect, vendor, model, name } = exchange;
  const asked = server.received.length;
  const outcome = await outcomeOf(createRealModel(dialect, vendor, model, { baseURL: server.url }), exchange);
  expect(server.received.length - asked, `requests for ${name}`).toBe(1);
  return outcome;
}

async function sweep(title: string, recorded: readonly Recorded[]): Promise<string> {
  const server = await openLoopback();
  const table = newTable();
  for (const { vendor, exchange } of recorded) {
    const outcome = exchange && settled(exchange, await serve(server, exchange));
    count(table, vendor, outcome);
  }
  const rows = showRows(table);
  printed.push(title, rows, showWhys(table));
  return rows;
}

/** What no exchange may come to fails here, by its name. */
function settled(exchange: Exchange, outcome: Outcome): Counted {
  switch (outcome.kind) {
    case "untyped":
    case "hang":
      throw new Error(`${exchange.name}: ${outcome.kind}`, { cause: outcome.error });
    case "error":
      expect(portCodes, exchange.name).toContain(outcome.code);
      return outcome;
    case "calls":
      expect(foreignCalls(exchange, outcome), exchange.name).toEqual([]);
      return outcome;
    case "answer":
      if (exchange.output) expect(() => JSON.parse(outcome.output.text), exchange.name).not.toThrow();
      return outcome;
    default:
      return outcome;
  }
}

/** I5. Calls that the response does not leave to its caller: what a provider runs by itself is no action. */
function foreignCalls(
  { called }: Exchange,
  { decision }: Extract<Outcome, { kind: "calls" | "answer" }>,
): string[] {
  return decision.kind === "calls"
    ? decision.calls.map(({ tool }) => tool).filter((name) => !called.includes(name))
    : [];
}

describe.skipIf(!hasCorpus)(`recorded exchanges${whyNoCorpus}`, () => {
  test("every file of ai-sdk-fixtures is one decision or one typed error", { timeout: 300_000 }, async () => {
    expect(await sweep("ai-sdk-fixtures, files", readFixtures())).toMatchInlineSnapshot(`
      "                        found    calls  answers rejected   errors    other
      alibaba                     6        2        4        0        0        0
      amazon-bedrock             24       19        4        0        0        1
      anthropic                  64       10       17        3       32        2
      azure                      18        3        5        0       10        0
      cohere                     12        4        5        1        0        2
      deepseek                    7        2        3        2        0        0
      google                     37       10       19        0        3        5
      google-vertex               1        0        0        0        0        1
      groq                        7        2        4        0        0        1
      harness-claude-code         1        0        0        0        0        1
      mistral                     8        3        4        0        0        1
      moonshotai                  4        1        3        0        0        0
      open-responses              7        3        4        0        0        0
      openai                     68        6       16       17       27        2
      openai-compatible           4        2        2        0        0        0
      perplexity                  4        0        4        0        0        0
      togetherai                  1        0        0        0        0        1
      voyage                      2        0        0        0        0        2
      xai                        15        2        5        0        8        0
      total                     290       69       99       23       80       19"
    `);
  });

  test("every exchange of pydantic-ai-cassettes is one decision or one typed error", {
    timeout: 300_000,
  }, async () => {
    const title = `pydantic-ai-cassettes, exchanges in ${cassetteFiles().length} files`;
    expect(await sweep(title, readCassettes())).toMatchInlineSnapshot(`
      "                        found    calls  answers rejected   errors    other
      anthropic                 236       72      116        2       38        8
      azure                       3        0        3        0        0        0
      bedrock                    12        6        5        0        1        0
      cerebras                   13        1       11        0        0        1
      cohere                      8        6        1        0        1        0
      crusoecloud                 5        1        4        0        0        0
      deepseek                    5        2        3        0        0        0
      deepwiki                   17        0        0        0        0       17
      ftcdn                       4        0        0        0        0        4
      githubusercontent           1        0        0        0        0        1
      google                    177       44      100        5        7       21
      grepit                      1        0        0        0        0        1
      groq                       35        6       27        0        2        0
      heroku                      1        0        0        0        0        1
      huggingface                14        5        8        1        0        0
      localhost                   1        0        1        0        0        0
      mistral                    21        7       14        0        0        0
      none                        8        0        0        0        0        8
      ollama                      3        1        2        0        0        0
      online-convert              2        0        0        0        0        2
      openai                    439      117      223       14       40       45
      openrouter                 63        5       51        5        2        0
      pydantic                    1        0        0        0        0        1
      snowflakecomputing         10        0        1        7        2        0
      w3                          4        0        0        0        0        4
      workers                     2        0        0        0        2        0
      z                          10        0       10        0        0        0
      total                    1096      273      580       34       95      114"
    `);
  });

  test("a stream of OpenAI's responses decides what the response at its end decides", {
    timeout: 300_000,
  }, async () => {
    const pairs = recordedStreams().flatMap((streamed) => {
      const response = abridged.includes(streamed.name) ? undefined : lastResponse(streamed);
      return response ? [{ streamed, atOnce: asJson(streamed, response) }] : [];
    });
    expect(await compare(pairs)).toMatchInlineSnapshot(`
      {
        "differ": [],
        "same": 77,
      }
    `);
  });

  test("a recorded response decides the same when it comes as a stream of small pieces", {
    timeout: 300_000,
  }, async () => {
    const pairs = readCassettes().flatMap(({ exchange }) => {
      const streamed = exchange && asSmallPieces(exchange);
      return streamed ? [{ streamed, atOnce: exchange }] : [];
    });
    expect(await compare(pairs)).toMatchInlineSnapshot(`
      {
        "differ": [],
        "same": 830,
      }
    `);
  });
});

/** Most pieces of its text were taken out by hand. */
const abridged = ["openai/responses/openai-phase.1.chunks.txt"];

interface Pair {
  readonly streamed: Exchange;
  readonly atOnce: Exchange;
}

async function compare(pairs: readonly Pair[]) {
  const counts = { same: 0, differ: [] as string[] };
  for (const { streamed, atOnce } of pairs) {
    const one = meaning(await playPieces(streamed, streamed.chunks));
    const other = meaning(await playPieces(atOnce, atOnce.chunks));
    if (JSON.stringify(one) === JSON.stringify(other)) counts.same += 1;
    else counts.differ.push(streamed.name);
  }
  return counts;
}

/** Errors differ by where they are noticed; OpenAI's package repeats a reasoning's data at each of its parts, or has it at the last. */
function meaning(outcome: Outcome): unknown {
  if (outcome.kind === "error") return outcome.retryable;
  return JSON.stringify(essence(outcome), (key, value) =>
    key === "reasoning" ? value.map(({ text }: { text: string }) => text) : value,
  );
}

function asJson(exchange: Exchange, response: unknown): Exchange {
  const headers = { "content-type": "application/json" };
  return { ...exchange, headers, isStream: false, chunks: [Buffer.from(JSON.stringify(response))] };
}

const apis: { readonly [Dialect in Exchange["dialect"]]?: Parameters<typeof asStream>[0] } = {
  messages: "anthropic",
  responses: "responses",
  generate: "google",
  chat: "chat",
};

/** As its provider would stream it. */
function asSmallPieces(exchange: Exchange): Exchange | null {
  const api = apis[exchange.dialect];
  if (!api || exchange.isStream || exchange.status !== 200) return null;
  try {
    const events = asStream(api, JSON.parse(String(exchange.chunks[0])));
    const sent = exchange.vendor === "mistral" ? events.slice(0, -1) : events; // it has no event of usage alone
    const headers = { "content-type": "text/event-stream" };
    return { ...exchange, headers, isStream: true, chunks: [Buffer.from(toEvents(sent))] };
  } catch {
    return null; // not a response of that API
  }
}

function lastResponse({ chunks }: Exchange): unknown {
  const last = chunks.map(String).find((chunk) => chunk.includes('"type":"response.completed"'));
  const data = /^data: ?(.*)$/m.exec(last ?? "")?.[1];
  try {
    return JSON.parse(data ?? "{}").response;
  } catch {
    return undefined; // the one recorded line that is no JSON
  }
}
