// Holds a request, as a provider's package makes it, against the model input that it is made of. Nothing here knows
// which package made it: the body's own form says how to read it.
import type { ModelInput, ModelTool } from "../../ports/model.ts";
import { conversationDifferences } from "./conversation.ts";
import { memberDifferences } from "./members.ts";
import { hasContents, readGoogle } from "./read-google.ts";
import { hasMessages, readMessages } from "./read-messages.ts";
import { hasInput, readResponses } from "./read-responses.ts";
import { isObject, type Members } from "./same-json.ts";
import { schemaDifference } from "./schema-translation.ts";
import { unknownFormDifferences } from "./unknown-form.ts";
import { quoted, type WireDifference, type WireExpectation } from "./wire-difference.ts";
import type { WireRequest, WireTool } from "./wire-request.ts";

/**
 * How the body of a request (its JSON value) differs from what it should hold. Known are the forms of OpenAI's chat
 * completions and those that speak like it, OpenAI's Responses, Anthropic's messages and Google's generateContent; of
 * any other form, texts alone are compared, and it is said so.
 */
export function wireDifferences(body: unknown, expected: WireExpectation): readonly WireDifference[] {
  const request = isObject(body) ? readRequest(body) : null;
  if (!request) return unknownFormDifferences(body, expected.input);
  const { input, asked } = expected;
  return [
    ...conversationDifferences(input, request.items),
    ...toolDifferences(input.tools, request.tools),
    ...choiceDifferences(request),
    ...limitDifferences(input.maxOutputTokens, request),
    ...outputDifferences(input.output, request.output),
    ...memberDifferences(request.members, asked),
  ];
}

function readRequest(body: Members): WireRequest | null {
  if (hasContents(body)) return readGoogle(body);
  if (hasMessages(body)) return readMessages(body);
  if (hasInput(body)) return readResponses(body);
  return null;
}

/** The order of tools means nothing. */
function toolDifferences(asked: readonly ModelTool[], sent: readonly WireTool[]): readonly WireDifference[] {
  const differences: WireDifference[] = [];
  const left = new Map(asked.map((tool) => [tool.name, tool]));
  for (const tool of sent) {
    const want = tool.byProvider ? undefined : left.get(tool.name);
    left.delete(want?.name ?? "");
    if (want) differences.push(...changesOf(want, tool));
    else {
      const what = tool.byProvider ? " (run by the provider itself)" : "";
      differences.push({ kind: "tool_added", what: `the tool ${tool.name}${what} is offered` });
    }
  }
  for (const name of left.keys())
    differences.push({ kind: "tool_missing", what: `the tool ${name} is not offered` });
  return differences;
}

function changesOf(want: ModelTool, got: WireTool): readonly WireDifference[] {
  const kind = "tool_changed";
  const differences: WireDifference[] = [];
  if (want.description !== got.description)
    differences.push({ kind, what: `the tool ${want.name} is described as ${quoted(got.description)}` });
  const path = schemaDifference(want.inputSchema, got.schema, got.translation);
  if (path !== null) differences.push({ kind, what: `the tool ${want.name} has another schema, at ${path}` });
  return differences;
}

function choiceDifferences({ choice, tools }: WireRequest): readonly WireDifference[] {
  if (choice === "auto" || (choice === "none" && tools.length === 0)) return [];
  return [{ kind: "choice_changed", what: `the choice of tools is ${quoted(choice)}` }];
}

function limitDifferences(asked: number, { limits, thinkingTokens }: WireRequest): readonly WireDifference[] {
  if (limits.length === 0)
    return [
      { kind: "limit_missing", what: `no limit of output is sent, where the window asks for ${asked}` },
    ];
  return limits.flatMap(({ path, value }): readonly WireDifference[] =>
    value === asked || value === asked + thinkingTokens
      ? []
      : [{ kind: "limit_changed", what: `${path} is ${String(value)}, where the window asks for ${asked}` }],
  );
}

function outputDifferences(
  asked: ModelInput["output"],
  sent: WireRequest["output"],
): readonly WireDifference[] {
  if (!asked)
    return sent ? [{ kind: "schema_added", what: "JSON is asked for, where the window asks for text" }] : [];
  if (!sent) return [{ kind: "schema_dropped", what: `the schema of ${asked.name} is left out` }];
  if (sent.schema === undefined)
    return [
      { kind: "schema_dropped", what: `JSON is asked for, but the schema of ${asked.name} is left out` },
    ];
  const differences: WireDifference[] = [];
  const path = schemaDifference(asked.schema, sent.schema, sent.translation);
  if (path !== null)
    differences.push({ kind: "schema_changed", what: `the schema of ${asked.name} is another, at ${path}` });
  if (sent.name !== undefined && sent.name !== asked.name)
    differences.push({
      kind: "schema_changed",
      what: `the schema of ${asked.name} is called ${quoted(sent.name)}`,
    });
  if (sent.description)
    differences.push({ kind: "text_added", what: `the schema is described as ${quoted(sent.description)}` });
  return differences;
}
