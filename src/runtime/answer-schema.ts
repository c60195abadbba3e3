// An early look at answers, by the JSON Schema that the log keeps of a question. The agent's own schema has the last word,
// when its thread goes on, and asks again where it refuses.
import { z } from "zod";
import type { Json } from "../core/json.ts";

/** What is wrong with a value, or `null`. */
type LookAtAnswer = (value: Json) => string | null;

/** `null` where nothing can be said early: the question takes anything, or its schema has what zod cannot read, such as `if`. */
export function lookAtAnswers(schema: Json | undefined): LookAtAnswer | null {
  const read = schema === undefined ? null : readSchema(schema);
  if (read === null) return null;
  return (value) => {
    const result = read.safeParse(value);
    if (result.success) return null;
    return result.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`.trim()).join("; ");
  };
}

function readSchema(schema: Json): z.ZodType | null {
  try {
    return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]); // of a Standard Schema library, or a person's
  } catch {
    return null; // of `not`, `if`, `dependentRequired`, references elsewhere
  }
}
