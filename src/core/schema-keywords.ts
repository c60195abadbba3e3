/** Keywords of JSON Schema whose value is a schema, a list of schemas, or schemas by name. */
export const schemaKeywords: ReadonlyMap<string, "schema" | "list" | "names"> = new Map([
  ...words("schema", "items additionalItems contains not if then else propertyNames additionalProperties"),
  ...words("schema", "unevaluatedProperties unevaluatedItems contentSchema"),
  ...words("list", "anyOf oneOf allOf prefixItems"),
  ...words("names", "properties patternProperties dependentSchemas $defs definitions"),
]);

function words<Kind extends "schema" | "list" | "names">(
  kind: Kind,
  list: string,
): readonly (readonly [string, Kind])[] {
  return list.split(" ").map((word) => [word, kind]);
}
