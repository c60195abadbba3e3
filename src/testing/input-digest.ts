import { sha256 } from "../core/digest.ts";
import { canonicalJson, toJson } from "../core/json.ts";
import type { ModelInput } from "../ports/model.ts";

/** SHA-256 of a model's whole input in canonical JSON: what a test finds a call by. */
export function inputDigest(input: ModelInput): string {
  return sha256(canonicalJson(toJson(input)));
}
