// Dashboards hang on these names: a change here is a change for users, and stands in the changelog.
import { expect, test } from "vitest";
import { openTelemetry } from "../../src/index.ts";
import { conventions, genAi, holdpoint, splitModel } from "../../src/telemetry/names.ts";
import { approvedRun } from "../kit/approved-run.ts";
import { useSpans } from "../kit/spans.ts";

const register = useSpans();

test("the names are those of one release of the conventions, and Holdpoint's own", () => {
  expect(conventions).toBe("1.41.0");
  expect([...Object.values(genAi), ...Object.values(holdpoint)].sort()).toEqual([
    "gen_ai.agent.name",
    "gen_ai.agent.version",
    "gen_ai.conversation.id",
    "gen_ai.input.messages",
    "gen_ai.operation.name",
    "gen_ai.output.messages",
    "gen_ai.output.type",
    "gen_ai.provider.name",
    "gen_ai.request.max_tokens",
    "gen_ai.request.model",
    "gen_ai.response.finish_reasons",
    "gen_ai.response.model",
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.id",
    "gen_ai.tool.call.result",
    "gen_ai.tool.name",
    "gen_ai.tool.type",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.reasoning.output_tokens",
    "holdpoint.attempt",
    "holdpoint.cost.usd",
    "holdpoint.event.seq",
    "holdpoint.input",
    "holdpoint.operation.key",
    "holdpoint.outcome",
    "holdpoint.output",
    "holdpoint.prompt.name",
    "holdpoint.prompt.version",
    "holdpoint.request.by",
    "holdpoint.request.id",
    "holdpoint.request.via",
    "holdpoint.thread.id",
    "holdpoint.thread.outcome",
    "holdpoint.thread.parent.id",
    "holdpoint.tool.effect",
    "holdpoint.tool.risk",
    "holdpoint.tool.verify",
    "holdpoint.tool.version",
    "holdpoint.turn.end",
    "holdpoint.turn.first_seq",
    "holdpoint.turn.last_seq",
    "holdpoint.wait.kind",
    "holdpoint.wait.outcome",
    "holdpoint.window.tokens",
  ]);
});

test("what leaves carries no other names", async () => {
  const spans = register();
  await approvedRun({ telemetry: openTelemetry({ content: true }) });
  const known: readonly string[] = ["error.type", ...Object.values(genAi), ...Object.values(holdpoint)];
  const used = spans
    .ended()
    .flatMap(({ attributes, events }) =>
      [attributes, ...events.map((event) => event.attributes ?? {})].flatMap(Object.keys),
    );
  expect(used.filter((name) => !known.includes(name))).toEqual([]);
  expect(new Set(spans.ended().map(({ instrumentationScope }) => instrumentationScope.schemaUrl))).toEqual(
    new Set(["https://opentelemetry.io/schemas/1.41.0"]),
  );
});

test("models are named in the two parts of the conventions", () => {
  expect(
    ["openai/gpt-6", "openai.chat/gpt-6", "google/gemini-4", "ollama/library/phi", "phi"].map(splitModel),
  ).toEqual([
    { provider: "openai", model: "gpt-6" },
    { provider: "openai", model: "gpt-6" },
    { provider: "gcp.gemini", model: "gemini-4" },
    { provider: "ollama", model: "library/phi" },
    { provider: "unknown", model: "phi" },
  ]);
});
