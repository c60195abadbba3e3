// From the doc model of api-extractor: https://api-extractor.com/pages/setup/generating_docs/
import { z } from "zod";
import { generated, page, table } from "./markdown.ts";

const token = z.looseObject({ text: z.string() });
const member = z.looseObject({
  kind: z.string(),
  name: z.string().optional(),
  docComment: z.string().optional(),
  isOptional: z.boolean().optional(),
  excerptTokens: z.array(token),
});
const exported = member.extend({
  name: z.string(),
  fileUrlPath: z.string().optional(),
  members: z.array(member).optional(),
});
const docModel = z.looseObject({ members: z.tuple([z.looseObject({ members: z.array(exported) })]) });

type Member = z.infer<typeof member>;
type Exported = z.infer<typeof exported>;

/** Where exports are told about, by the folder or file that they come from; the first that fits. */
const areas: readonly (readonly [title: string, from: RegExp])[] = [
  [
    "Agents, tools, flows",
    /^(core\/(agent|tool|flow|default-flow|schema|limits|duration|replay|preview)\b|json-schema)/,
  ],
  ["The gate and people", /^core\/(gate|rule|cumulative|standing|office-hours|person|request-view)\b/],
  ["Prompts", /^(core\/prompt|prompts)\//],
  ["The window", /^core\/(window|encodings|read-part|artifact-ref|describe-value)\b/],
  ["Models", /^(models\/|core\/(cost|silent-overflow)|ports\/(model|token-counter))/],
  ["Errors", /^core\/(errors|error-compaction)\b/],
  ["Running threads", /^(runtime\/|embedded|dispatch\/|ports\/(clock|dispatcher))/],
  ["Webhooks and schedules", /^(triggers\/|core\/webhook-signature|ports\/mount)/],
  ["Channels", /^(channels\/|ports\/(channel|outbox))/],
  ["Check and statistics", /^(check-agent|core\/(check|numbers)|ports\/numbers)/],
  ["Events and state", /^core\//],
  ["Stores", /^(stores|ports)\//],
  ["More", /./],
];

/** @throws when the model is not as api-extractor 7 writes it. */
export function apiPage(model: unknown): string {
  const [{ members }] = docModel.parse(model).members;
  const sorted = members.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const grouped = Map.groupBy(sorted, areaOf);
  const anchors = anchorsIn(grouped);
  const titles = areas.map(([title]) => title).filter((title) => grouped.has(title));
  return page(
    "# API reference",
    generated,
    `All ${members.length} exports of \`holdpoint\`. The test kit \`holdpoint/testing\` is told in [Testing agents](../testing.md), \`holdpoint/server\` and \`holdpoint/client\` in [The HTTP service](../http.md).`,
    titles.map((title) => `[${title}](#${anchorOf(title)})`).join(" · "),
    ...titles.flatMap((title) => areaOfPage(title, grouped.get(title) ?? [], anchors)),
  );
}

function areaOf({ fileUrlPath = "" }: Exported): string {
  const path = fileUrlPath.replace(/^dist\//, "").replace(/\.d\.ts$/, "");
  return areas.find(([, from]) => from.test(path))?.[0] ?? "More";
}

/** As GitHub numbers headings that differ in case alone, such as `Tool` and `tool`. */
function anchorsIn(grouped: ReadonlyMap<string, readonly Exported[]>): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  const named = areas.flatMap(([title]) => [title, ...(grouped.get(title) ?? []).map(({ name }) => name)]);
  return new Map(
    named.map((name) => {
      const anchor = anchorOf(name);
      const count = counts.get(anchor) ?? 0;
      counts.set(anchor, count + 1);
      return [name, count === 0 ? anchor : `${anchor}-${count}`];
    }),
  );
}

function areaOfPage(
  title: string,
  members: readonly Exported[],
  anchors: ReadonlyMap<string, string>,
): readonly string[] {
  return [
    `## ${title}`,
    members.map(({ name }) => `[\`${name}\`](#${anchors.get(name)})`).join(" · "),
    ...members.flatMap(section),
  ];
}

function section(each: Exported): readonly string[] {
  const { members = [] } = each;
  const { text, notes } = readComment(each.docComment);
  return [
    `### ${each.name}`,
    text,
    `\`\`\`typescript\n${codeOf(each)}\n\`\`\``,
    notes.map((note) => `- ${note}`).join("\n"),
    table(
      ["member", "", "type"],
      members.map((inner) => [
        `\`${inner.name ?? inner.kind}${inner.isOptional ? "?" : ""}\``,
        readComment(inner.docComment).text,
        `\`${typeOf(inner)}\``,
      ]),
    ),
  ];
}

function codeOf({ excerptTokens, docComment: _ }: Member): string {
  const code = excerptTokens.map(({ text }) => text).join("");
  return code
    .replaceAll(/^\s*\/\*\*.*?\*\/\n/gms, "")
    .replace(/^export (declare )?/, "")
    .trim();
}

/** A member's declaration on one line, without its name where that is all that comes before. */
function typeOf(inner: Member): string {
  const code = codeOf(inner)
    .replaceAll(/\/\*\*.*?\*\//gs, "")
    .replaceAll(/\s+/g, " ")
    .replace(/;$/, "");
  return code.replace(/^(readonly )?[\w~"-]+\??: /, "").replaceAll("`", "'");
}

interface Comment {
  readonly text: string;
  /** `@param` and `@throws`, in words. */
  readonly notes: readonly string[];
}

function readComment(comment = ""): Comment {
  const lines = comment
    .replace(/^\/\*\*/, "")
    .replace(/\*\/\s*$/, "")
    .replaceAll(/^\s*\* ?/gm, "");
  const [text = "", ...tags] = ` ${lines}`.split(/(?<!\{)(?=@(?:param|throws|returns)\b)/);
  return { text: plain(text), notes: tags.map(noteOf) };
}

function noteOf(tag: string): string {
  const text = plain(tag);
  const [, name, said] = /^@param (\w+) - (.*)$/s.exec(text) ?? [];
  if (name !== undefined) return `\`${name}\`: ${said}`;
  return text.replace(/^@(\w+)\s*/, (_, word: string) => `${word} `);
}

function plain(text: string): string {
  return text
    .replaceAll(/\{@link ([^}|]+)(?:\|[^}]*)?\}/g, "`$1`")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .replaceAll(" ", "-");
}
