// Real tool schemas and the calls they should get, from `../shared/data/bfcl`.
import { existsSync, readFileSync } from "node:fs";
import type { Json } from "../../src/core/json.ts";
import type { Schema } from "../../src/core/schema.ts";
import { type Tool, tool } from "../../src/core/tool.ts";
import { jsonSchema } from "../../src/json-schema.ts";

const folder = "../shared/data/bfcl";
export const hasBfcl: boolean = existsSync(folder);
export const bfclReason: string = hasBfcl ? "" : ` (skipped: no ${folder})`;

export type JsonObject = { readonly [key: string]: Json };

interface Described {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
}

export interface GoldCall {
  readonly tool: string;
  readonly args: JsonObject;
}

/** One question: the tools that are offered, and the calls that answer it. */
export interface GoldCase {
  readonly id: string;
  readonly tools: readonly Described[];
  readonly calls: readonly GoldCall[];
}

const called = ["live_simple", "live_multiple", "parallel_multiple", "simple_javascript"];

function readLines<T>(path: string): readonly T[] {
  const lines = readFileSync(`${folder}/${path}`, "utf8").split("\n");
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as T); // the data set's own shape
}

type Question = { readonly id: string; readonly function: readonly Described[] };
type Answer = {
  readonly id: string;
  readonly ground_truth: readonly { readonly [tool: string]: JsonObject }[];
};

/** The parameters of every tool of the files, as they are. */
export function readSchemas(): readonly JsonObject[] {
  return [...called, "irrelevance"].flatMap((file) =>
    readLines<Question>(`BFCL_v4_${file}.json`).flatMap((question) =>
      question.function.map((described) => described.parameters),
    ),
  );
}

export function readGoldCases(): readonly GoldCase[] {
  return called.flatMap((file) => {
    const answers = new Map(
      readLines<Answer>(`possible_answer/BFCL_v4_${file}.json`).map((answer) => [
        answer.id,
        answer.ground_truth,
      ]),
    );
    return readLines<Question>(`BFCL_v4_${file}.json`).flatMap((question) => {
      const truth = answers.get(question.id);
      if (!truth) return [];
      const tools = question.function.map((described) => ({
        ...described,
        name: toolName(described.name),
        parameters: normalise(described.parameters) as JsonObject, // of an object it makes one
      }));
      return [
        { id: `${file} ${question.id}`, tools, calls: truth.flatMap((each) => goldCalls(each, tools)) },
      ];
    });
  });
}

/** Providers take no dots in names. */
function toolName(name: string): string {
  return name.replace(/[^\w-]/g, "_").slice(0, 64);
}

function goldCalls(truth: { readonly [tool: string]: JsonObject }, tools: readonly Described[]): GoldCall[] {
  return Object.entries(truth).map(([name, members]) => {
    const schema = tools.find((each) => each.name === toolName(name))?.parameters;
    const required = (schema?.required ?? []) as readonly string[];
    const full = pickMembers(members, required, false);
    const isValid = schema !== undefined && !("issues" in compile(schema)["~standard"].validate(full));
    return { tool: toolName(name), args: isValid ? full : pickMembers(members, required, true) };
  });
}

/** Of each member's acceptable values the first; "" stands for leaving it out, which `lean` does where it may. */
function pickMembers(members: JsonObject, required: readonly string[], lean: boolean): JsonObject {
  const picked = Object.entries(members).flatMap(([key, values]): [string, Json][] => {
    const list = Array.isArray(values) ? (values as readonly Json[]) : [values];
    if (lean && list.includes("") && !required.includes(key)) return [];
    const value = list.find((each) => each !== "") ?? (required.includes(key) ? "" : undefined);
    return value === undefined ? [] : [[key, pick(value, lean)]];
  });
  return Object.fromEntries(picked);
}

function pick(value: Json, lean: boolean): Json {
  if (Array.isArray(value)) return value.map((item: Json) => pick(item, lean));
  return typeof value === "object" && value !== null ? pickMembers(value as JsonObject, [], lean) : value;
}

const realTypes: { readonly [name: string]: string | null } = {
  dict: "object",
  float: "number",
  tuple: "array",
  String: "string",
  Boolean: "boolean",
  any: null,
  "": null,
};

/** JSON Schema from the data set's own notation: Python's and JavaScript's type names, and `optional`, which is no keyword. */
export function normalise(schema: Json): Json {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return schema;
  const { type, optional: _, properties, items, ...rest } = schema as JsonObject;
  const real = typeof type === "string" && Object.hasOwn(realTypes, type) ? realTypes[type] : type;
  return {
    ...(real == null ? {} : { type: real }),
    ...rest,
    ...(properties === undefined ? {} : { properties: mapMembers(properties as JsonObject) }),
    ...(items === undefined ? {} : { items: normalise(items) }),
  };
}

function mapMembers(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).map(([key, inner]) => [key, normalise(inner)]));
}

/** Many questions share their tools; a schema takes a millisecond to compile. */
const compiled = new Map<string, Schema<Json>>();

export function compile(schema: JsonObject): Schema<Json> {
  const text = JSON.stringify(schema);
  const known = compiled.get(text) ?? jsonSchema(schema);
  compiled.set(text, known);
  return known;
}

export function toolsOf(gold: GoldCase, risk: "low" | "high"): ReadonlyMap<string, Tool> {
  return new Map(
    gold.tools.map(({ name, description, parameters }) => [
      name,
      tool({ name, description, input: compile(parameters), risk, run: () => null }),
    ]),
  );
}
