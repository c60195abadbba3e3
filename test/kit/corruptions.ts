// Seeded corruptions of a model's JSON: of its form, never of a value, so that whatever can still be read must be what
// was meant. Each may find nothing to corrupt, and then returns `null`.
import type { Json } from "../../src/core/json.ts";
import type { GoldCall, JsonObject } from "./bfcl.ts";

export type Random = () => number;

/** mulberry32: small, and the same numbers everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function choose<T>(random: Random, list: readonly T[]): T | undefined {
  return list[Math.floor(random() * list.length)];
}

/** Where the pieces of a JSON text are: those within text are not its form. */
interface Form {
  readonly brackets: readonly number[];
  readonly quotes: readonly number[];
  readonly commas: readonly number[];
  readonly colons: readonly number[];
  /** Characters within text, and of numbers and words. */
  readonly inText: readonly number[];
  readonly inScalar: readonly number[];
}

function formOf(json: string): Form {
  const form = {
    brackets: [] as number[],
    quotes: [] as number[],
    commas: [] as number[],
    colons: [] as number[],
    inText: [] as number[],
    inScalar: [] as number[],
  };
  let quoted = false;
  for (let at = 0; at < json.length; at += 1) {
    const char = json[at] ?? "";
    if (char === '"') {
      quoted = !quoted;
      form.quotes.push(at);
    } else if (quoted) {
      form.inText.push(at);
      if (char === "\\") at += 1;
    } else if ("{}[]".includes(char)) form.brackets.push(at);
    else if (char === ",") form.commas.push(at);
    else if (char === ":") form.colons.push(at);
    else form.inScalar.push(at);
  }
  return form;
}

export interface TextCorruption {
  readonly name: string;
  /** It can be read without doubt, so it has to be repaired, unless the tool is risky. */
  readonly repairable: boolean;
  readonly corrupt: (json: string, random: Random) => string | null;
}

function at(
  places: (form: Form) => readonly number[],
  change: (json: string, place: number) => string | null,
) {
  return (json: string, random: Random): string | null => {
    const place = choose(random, places(formOf(json)));
    return place === undefined ? null : change(json, place);
  };
}

const drop = (json: string, place: number): string => json.slice(0, place) + json.slice(place + 1);
const double = (json: string, place: number): string =>
  json.slice(0, place) + json[place] + json.slice(place);
const cut = (json: string, place: number): string => json.slice(0, place);
const put =
  (text: string) =>
  (json: string, place: number): string =>
    json.slice(0, place) + text + json.slice(place + 1);

/** Every piece of text anew, quotes and all. */
function eachText(json: string, change: (inner: string, isKey: boolean) => string): string | null {
  const changed = json.replace(
    /"((?:[^"\\]|\\.)*)"(\s*:)?/g,
    (_, inner: string, colon: string | undefined) => `${change(inner, colon !== undefined)}${colon ?? ""}`,
  );
  return changed === json ? null : changed;
}

function trailingComma(json: string): string | null {
  const last = lastBracket(json);
  return last === 1 ? null : `${json.slice(0, last)},${json.slice(last)}`; // {} has nothing to set a comma after
}

const lastBracket = (json: string): number => Math.max(json.lastIndexOf("}"), json.lastIndexOf("]"));

export const textCorruptions: readonly TextCorruption[] = [
  { name: "bracket dropped", repairable: false, corrupt: at((form) => form.brackets, drop) },
  { name: "bracket doubled", repairable: false, corrupt: at((form) => form.brackets, double) },
  {
    name: "bracket of the other kind",
    repairable: false,
    corrupt: at(
      (form) => form.brackets,
      (json, place) => put({ "{": "[", "[": "{", "}": "]", "]": "}" }[json[place] ?? ""] ?? "")(json, place),
    ),
  },
  { name: "quote dropped", repairable: false, corrupt: at((form) => form.quotes, drop) },
  { name: "quote doubled", repairable: false, corrupt: at((form) => form.quotes, double) },
  {
    name: "comma dropped",
    repairable: false,
    corrupt: at(
      (form) => form.commas,
      (json, place) => (/\d,[\d-]/.test(json.slice(place - 1, place + 2)) ? null : drop(json, place)),
    ), // 1,2 would be 12
  },
  { name: "comma doubled", repairable: false, corrupt: at((form) => form.commas, double) },
  { name: "comma as semicolon", repairable: false, corrupt: at((form) => form.commas, put(";")) },
  { name: "colon dropped", repairable: false, corrupt: at((form) => form.colons, drop) },
  { name: "colon as equals sign", repairable: false, corrupt: at((form) => form.colons, put("=")) },
  { name: "cut in text", repairable: false, corrupt: at((form) => form.inText, cut) },
  { name: "cut at a quote", repairable: false, corrupt: at((form) => form.quotes, cut) },
  {
    name: "cut after a quote",
    repairable: false,
    corrupt: at(
      (form) => form.quotes,
      (json, place) => cut(json, place + 1),
    ),
  },
  { name: "cut at a bracket", repairable: false, corrupt: at((form) => form.brackets, cut) },
  { name: "cut at a comma", repairable: false, corrupt: at((form) => form.commas, cut) },
  {
    name: "cut after a comma",
    repairable: false,
    corrupt: at(
      (form) => form.commas,
      (json, place) => cut(json, place + 1),
    ),
  },
  {
    name: "cut after a colon",
    repairable: false,
    corrupt: at(
      (form) => form.colons,
      (json, place) => cut(json, place + 1),
    ),
  },
  { name: "cut in a number or word", repairable: false, corrupt: at((form) => form.inScalar, cut) },
  { name: "cut before the last bracket", repairable: false, corrupt: (json) => cut(json, lastBracket(json)) },
  {
    name: "beginning cut off",
    repairable: false,
    corrupt: at(
      (form) => form.brackets.slice(1, -1),
      (json, place) => json.slice(place),
    ),
  },
  { name: "put out twice", repairable: false, corrupt: (json) => `${json}\n${json}` },
  { name: "another object after it", repairable: false, corrupt: (json) => `${json} {"done": true}` },
  {
    name: "two fences",
    repairable: false,
    corrupt: (json) => `\`\`\`json\n${json}\n\`\`\`\nor\n\`\`\`json\n${json}\n\`\`\``,
  },
  {
    name: "ellipsis for the rest",
    repairable: false,
    corrupt: (json) => `${json.slice(0, lastBracket(json))}, ...}`,
  },
  { name: "a key given twice", repairable: false, corrupt: (json, random) => duplicateKey(json, random) },
  {
    name: "reasoning that never ends",
    repairable: false,
    corrupt: (json) => `<think>I could put out ${json}`,
  },
  {
    name: "trailing comma",
    repairable: true,
    corrupt: trailingComma,
  },
  {
    name: "single quotes",
    repairable: true,
    corrupt: (json) => eachText(json, (inner) => `'${inner.replaceAll("'", "\\'")}'`),
  },
  {
    name: "single quotes, careless",
    repairable: false,
    corrupt: (json) => eachText(json, (inner) => `'${inner.replaceAll('\\"', '"')}'`),
  },
  {
    name: "typographic quotes",
    repairable: true,
    corrupt: (json) => (/[“”]/.test(json) ? null : eachText(json, (inner) => `“${inner}”`)),
  },
  {
    name: "typographic quotes, careless",
    repairable: false,
    corrupt: (json) => eachText(json, (inner) => `“${inner.replaceAll('\\"', "”")}”`),
  },
  {
    name: "keys without quotes",
    repairable: true,
    corrupt: (json) =>
      eachText(json, (inner, isKey) => (isKey && /^[A-Za-z_]\w*$/.test(inner) ? inner : `"${inner}"`)),
  },
  {
    name: "line breaks in text",
    repairable: true,
    corrupt: (json) =>
      /\\n/.test(json)
        ? eachText(json, (inner, isKey) => `"${isKey ? inner : inner.replaceAll("\\n", "\n")}"`)
        : null,
  },
  {
    name: "Python's words",
    repairable: true,
    corrupt: pythonWords,
  },
  { name: "comments", repairable: true, corrupt: at((form) => form.commas, put(", // and\n/* then */ ")) },
  { name: "code fence", repairable: true, corrupt: (json) => `\`\`\`json\n${json}\n\`\`\`` },
  {
    name: "code fence, prose around",
    repairable: true,
    corrupt: (json) => `Here it is:\n\`\`\`\n${json}\n\`\`\`\nAnything else?`,
  },
  { name: "code fence, not closed", repairable: true, corrupt: (json) => `\`\`\`json\n${json}` },
  { name: "prose before", repairable: true, corrupt: (json) => `I'll make the call now: ${json}` },
  { name: "prose after", repairable: true, corrupt: (json) => `${json}\n\nThat's "all".` },
  {
    name: "reasoning before",
    repairable: true,
    corrupt: (json) => `<think>\nMaybe {"a": 1}, or [${json}]?\n</think>\n${json}`,
  },
  {
    name: "reasoning within reasoning",
    repairable: true,
    corrupt: (json) => `<think>a <think>${json}</think> b</think>${json}`,
  },
  {
    name: "reasoning, its beginning swallowed",
    repairable: true,
    corrupt: (json) => `So {it} is.\n</think>\n\n${json}`,
  },
  {
    name: "reasoning, fence, comma and quotes",
    repairable: true,
    corrupt: (json) =>
      `<think>hm</think>\n\`\`\`json\n${singleQuotedKeys(trailingComma(json) ?? json)}\n\`\`\``,
  },
];

function singleQuotedKeys(json: string): string {
  return (
    eachText(json, (inner, isKey) => (isKey ? `'${inner.replaceAll("'", "\\'")}'` : `"${inner}"`)) ?? json
  );
}

function pythonWords(json: string): string | null {
  const changed = json.replace(
    /([:,[])(true|false|null)(?=[,}\]])/g,
    (_, before: string, word: string) =>
      `${before}${word === "null" ? "None" : word === "true" ? "True" : "False"}`,
  );
  return changed === json ? null : changed;
}

/** A member of some object once more, in front, with another value. */
function duplicateKey(json: string, random: Random): string | null {
  const members = [...json.matchAll(/([{,])("(?:[^"\\]|\\.)*"):/g)].filter((found) =>
    isForm(json, found.index),
  );
  const found = choose(random, members);
  if (!found) return null;
  const place = found.index + 1;
  return `${json.slice(0, place)}${found[2]}:0,${json.slice(place)}`;
}

function isForm(json: string, place: number): boolean {
  const { brackets, commas } = formOf(json);
  return brackets.includes(place) || commas.includes(place);
}

export interface CallCorruption {
  readonly name: string;
  readonly corrupt: (
    call: GoldCall,
    schema: JsonObject,
    random: Random,
  ) => { readonly tool: string; readonly args: Json } | null;
}

type Properties = { readonly [name: string]: JsonObject };

function propertiesOf(schema: JsonObject): Properties {
  return (schema.properties ?? {}) as Properties; // of a normalised schema
}

/** The arguments with the member `key` anew. */
function withMember(call: GoldCall, key: string, value: Json): GoldCall {
  return { ...call, args: { ...call.args, [key]: value } };
}

const wrongValues: { readonly [type: string]: Json } = {
  string: { text: "x" },
  number: "many",
  integer: "many",
  boolean: "yes",
  array: "one, two",
  object: ["x"],
};

function typedMembers(call: GoldCall, schema: JsonObject, types: readonly string[]): readonly string[] {
  const properties = propertiesOf(schema);
  return Object.keys(call.args).filter((key) => types.includes(String(properties[key]?.type)));
}

const allTypes = Object.keys(wrongValues);

export const callCorruptions: readonly CallCorruption[] = [
  {
    name: "required member dropped",
    corrupt: (call, schema, random) => {
      const required = (schema.required ?? []) as readonly string[];
      const key = choose(
        random,
        required.filter((each) => Object.hasOwn(call.args, each)),
      );
      if (key === undefined) return null;
      const { [key]: _, ...args } = call.args;
      return { ...call, args };
    },
  },
  { name: "member added", corrupt: (call) => withMember(call, "confirmed_by_user", true) },
  {
    name: "member renamed",
    corrupt: (call, _, random) => {
      const key = choose(random, Object.keys(call.args));
      if (key === undefined) return null;
      const { [key]: value = null, ...args } = call.args;
      return { ...call, args: { ...args, [`${key}_`]: value } };
    },
  },
  {
    name: "wrong type",
    corrupt: (call, schema, random) => {
      const key = choose(random, typedMembers(call, schema, allTypes));
      return key === undefined
        ? null
        : withMember(call, key, wrongValues[String(propertiesOf(schema)[key]?.type)] ?? null);
    },
  },
  {
    name: "number as text",
    corrupt: (call, schema, random) => {
      const key = choose(random, typedMembers(call, schema, ["number", "integer"]));
      return key === undefined ? null : withMember(call, key, String(call.args[key]));
    },
  },
  {
    name: "text as number",
    corrupt: (call, schema, random) => {
      const key = choose(random, typedMembers(call, schema, ["string"]));
      return key === undefined ? null : withMember(call, key, 7);
    },
  },
  {
    name: "null for a value",
    corrupt: (call, schema, random) => {
      const key = choose(random, typedMembers(call, schema, allTypes));
      return key === undefined ? null : withMember(call, key, null);
    },
  },
  {
    name: "a value in a list",
    corrupt: (call, schema, random) => {
      const key = choose(
        random,
        typedMembers(call, schema, ["string", "number", "integer", "boolean", "object"]),
      );
      return key === undefined ? null : withMember(call, key, [call.args[key] ?? null]);
    },
  },
  {
    name: "types swapped",
    corrupt: (call, schema, random) => {
      const text = choose(random, typedMembers(call, schema, ["string"]));
      const other = choose(
        random,
        typedMembers(call, schema, ["number", "integer", "boolean", "array", "object"]),
      );
      if (text === undefined || other === undefined) return null;
      return {
        ...call,
        args: { ...call.args, [text]: call.args[other] ?? null, [other]: call.args[text] ?? null },
      };
    },
  },
  {
    name: "inner value of a wrong type",
    corrupt: (call, schema, random) => {
      const key = choose(random, typedMembers(call, schema, ["array"]));
      const type =
        key === undefined ? undefined : (propertiesOf(schema)[key]?.items as JsonObject | undefined)?.type;
      const wrong = wrongValues[String(type)];
      return key === undefined || wrong === undefined ? null : withMember(call, key, [wrong]);
    },
  },
  {
    name: "inner member added",
    corrupt: (call, schema, random) => {
      const properties = propertiesOf(schema);
      const declared = typedMembers(call, schema, ["object"]).filter(
        (each) => properties[each]?.properties !== undefined,
      );
      const key = choose(random, declared);
      const inner = key === undefined ? undefined : call.args[key];
      if (key === undefined || typeof inner !== "object" || inner === null || Array.isArray(inner))
        return null;
      return withMember(call, key, { ...(inner as JsonObject), confirmed_by_user: true });
    },
  },
  {
    name: "a prototype",
    corrupt: (call) => ({
      ...call,
      args: JSON.parse(
        `{"__proto__":{"a":1},${JSON.stringify(call.args).slice(1)}`.replace(",}", "}"),
      ) as Json,
    }),
  },
  { name: "arguments in a list", corrupt: (call) => ({ ...call, args: [call.args] }) },
  { name: "arguments one level deeper", corrupt: (call) => ({ ...call, args: { arguments: call.args } }) },
  { name: "arguments that are null", corrupt: (call) => ({ ...call, args: null }) },
  { name: "tool that does not exist", corrupt: (call) => ({ ...call, tool: `${call.tool}_v2` }) },
  {
    name: "tool in another case",
    corrupt: (call) => ({
      ...call,
      tool: call.tool === call.tool.toUpperCase() ? call.tool.toLowerCase() : call.tool.toUpperCase(),
    }),
  },
  { name: "tool with a namespace", corrupt: (call) => ({ ...call, tool: `functions.${call.tool}` }) },
];
