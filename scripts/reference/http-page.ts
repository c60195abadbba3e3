import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { closeRuntime, openEmbedded, openSqliteStore } from "../../src/index.ts";
import { createServer } from "../../src/server/index.ts";
import { generated, page, table } from "./markdown.ts";

const schema = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
});
const parameter = z.looseObject({
  name: z.string(),
  in: z.string(),
  required: z.boolean().optional(),
  description: z.string().optional(),
  schema: schema.optional(),
});
const media = z.record(z.string(), z.looseObject({ schema: schema.optional() }));
const operation = z.looseObject({
  operationId: z.string().optional(),
  summary: z.string().optional(),
  description: z.string().optional(),
  parameters: z.array(parameter).optional(),
  requestBody: z.looseObject({ content: media }).optional(),
  responses: z.record(
    z.string(),
    z.looseObject({ description: z.string().optional(), content: media.optional() }),
  ),
});
const openApi = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

type Operation = z.infer<typeof operation>;
type Media = z.infer<typeof media>;

export async function httpPage(): Promise<string> {
  const { paths, components } = openApi.parse(await openApiDocument());
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, value]) => ({ name: `${method.toUpperCase()} ${path}`, value })),
  );
  return page(
    "# HTTP reference",
    generated,
    "The operations of `holdpoint serve`, as `/openapi.json` describes them. Tokens, refusals and streams: [The HTTP service](../http.md). Every refusal is a `Problem`, with one of the [codes](errors.md).",
    table(
      ["operation", ""],
      all.map(({ name, value }) => [`[\`${name}\`](#${anchorOf(name)})`, value.summary ?? ""]),
    ),
    ...all.flatMap(({ name, value }) => section(name, value)),
    "## Schemas",
    ...Object.entries(components.schemas).flatMap(schemaSection),
  );
}

const member = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  description: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
});

/** An object by its members; anything else as it is. */
function schemaSection([name, value]: readonly [string, unknown]): readonly string[] {
  const { description = "", properties, required = [] } = member.parse(value);
  if (!properties)
    return [`### ${name}`, description, `\`\`\`json\n${JSON.stringify(value, null, 2)}\n\`\`\``];
  const rows = Object.entries(properties).map(([key, inner]) => {
    const optional = required.includes(key) ? "" : "?";
    return [`\`${key}${optional}\``, shownType(inner), member.parse(inner).description ?? ""];
  });
  return [`### ${name}`, description, table(["member", "type", ""], rows)];
}

function shownType(value: unknown): string {
  const inner = member.parse(value);
  const name = inner.$ref?.split("/").at(-1);
  if (name !== undefined) return `[${name}](#${name.toLowerCase()})`;
  if (inner.const !== undefined) return JSON.stringify(inner.const);
  if (inner.enum) return inner.enum.map((each) => JSON.stringify(each)).join(", ");
  const either = inner.anyOf ?? inner.oneOf;
  if (either) return either.map(shownType).join(" or ");
  if (inner.items !== undefined) return `list of ${shownType(inner.items)}`;
  return inner.type === undefined ? "any JSON" : [inner.type].flat().join(" or ");
}

/** Of a service that is never asked anything else. */
async function openApiDocument(): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), "holdpoint-reference-"));
  const path = join(folder, "holdpoint.db");
  const store = await openSqliteStore({ path });
  const runtime = await openEmbedded({ path, store, agents: [] });
  const server = createServer({ runtime, tokens: store.tokens, feed: store.feed, numbers: store.numbers });
  try {
    const answer = await server.fetch(new Request("http://localhost:7433/openapi.json"));
    return await answer.json();
  } finally {
    await server.close();
    await closeRuntime(runtime);
    rmSync(folder, { recursive: true, force: true });
  }
}

function section(name: string, value: Operation): readonly string[] {
  const { summary = "", description = "", parameters = [], requestBody, responses } = value;
  return [
    `## ${name}`,
    summary === "" ? "" : `${summary}.`.replace("..", "."),
    description,
    table(
      ["parameter", "in", ""],
      parameters.map((each) => [
        `\`${each.name}\``,
        `${each.in}${each.required ? ", required" : ""}`,
        each.description ?? each.schema?.description ?? String(each.schema?.type ?? ""),
      ]),
    ),
    requestBody ? `Body: ${typesOf(requestBody.content)}` : "",
    table(
      ["status", "answer", ""],
      Object.entries(responses).map(([status, { description: said = "", content = {} }]) => [
        status,
        typesOf(content),
        said,
      ]),
    ),
  ];
}

function typesOf(content: Media): string {
  return Object.entries(content)
    .map(([type, { schema: shown }]) => {
      const name = shown?.$ref?.split("/").at(-1);
      return name === undefined ? `\`${type}\`` : `[${name}](#${name.toLowerCase()}), \`${type}\``;
    })
    .join("; ");
}

function anchorOf(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");
}
