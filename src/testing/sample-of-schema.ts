import type { Json } from "../core/json.ts";

/** A small value that a plain JSON Schema takes, as a model might make one up. Patterns and formats are not heeded. */
export function sampleOfSchema(schema: Json | undefined): Json {
  const node = membersOf(schema);
  if (node.const !== undefined) return node.const;
  const choice = [node.enum, node.anyOf, node.oneOf].find(isList)?.[0];
  if (choice !== undefined) return isList(node.enum) ? choice : sampleOfSchema(choice);
  switch (isList(node.type) ? node.type[0] : node.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(membersOf(node.properties)).map(([name, member]) => [name, sampleOfSchema(member)]),
      );
    case "array":
      return [sampleOfSchema(node.items)];
    case "string":
      return "Done.";
    case "integer":
    case "number":
      return 1;
    case "boolean":
      return true;
    default:
      return null;
  }
}

/** The members of a JSON object; none of anything else. */
export function membersOf(value: Json | undefined): { readonly [name: string]: Json } {
  if (typeof value !== "object" || value === null || isList(value)) return {};
  return value;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
