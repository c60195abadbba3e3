// The members of a request besides its conversation, tools, limit and schema.
import { isObject, type Members } from "./same-json.ts";
import { quoted, type WireDifference, type WireDifferenceKind } from "./wire-difference.ts";
import type { WireMember } from "./wire-request.ts";

/** A name however it is written: `top_k` and `topK` are one. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

function names(...lists: readonly string[]): ReadonlySet<string> {
  return new Set(lists.flatMap((list) => list.split(" ")).map(plain));
}

/** Whom the request goes to, who pays, how it is kept and how the answer comes: nothing that the model sees. */
const silent = names(
  "model stream stream_options store include user metadata labels service_tier safety_identifier safety_settings",
  "cache_control prompt_cache_key prompt_cache_options prompt_cache_retention anthropic_version anthropic_beta",
  "inference_geo logprobs top_logprobs usage provider speed",
  "continuationToken", // where Google's package goes on with an output that took several requests
);

/** Change what comes out. */
const settings = names(
  "temperature top_p top_k min_p seed stop stop_sequences n best_of candidate_count logit_bias",
  "frequency_penalty presence_penalty repetition_penalty",
);

/** Bring in, or leave out, what the window did not: on the provider's side, where nobody sees it. */
const contexts = names(
  "previous_response_id conversation prompt cached_content container thread context_management compaction truncation",
  "transforms",
);

/** Tools that the provider runs. */
const tools = names("mcp_servers web_search_options plugins functions");

/** What the members of a request add to what was asked for. */
export function memberDifferences(members: readonly WireMember[], asked: unknown): readonly WireDifference[] {
  const differences: WireDifference[] = [];
  for (const { path, value } of members) {
    const kind = value === undefined || value === null ? null : kindOf(path, value, asked);
    if (kind !== null)
      differences.push({
        kind,
        what: `${path} is sent, for which nobody asked: ${quoted(JSON.stringify(value)).replaceAll('\\"', "'")}`,
      });
  }
  return differences;
}

function kindOf(path: string, value: unknown, asked: unknown): WireDifferenceKind | null {
  const name = plain(path.slice(path.lastIndexOf(".") + 1));
  if (!path.includes(".") || path.startsWith("generationConfig.")) {
    if (silent.has(name)) return null;
    if (contexts.has(name)) return value === "disabled" ? null : "context_added";
    if (tools.has(name)) return "tool_added";
  }
  if (holdsText(value)) return "text_added";
  if (leaves(name, value).every((leaf) => isAsked(leaf, asked))) return null;
  return settings.has(name) ? "setting_added" : "member_added";
}

/** Longer than any name of a setting, or more than one word. */
function holdsText(value: unknown): boolean {
  if (typeof value === "string") return value.length > 64 || /\S\s+\S/.test(value);
  if (Array.isArray(value)) return value.some(holdsText);
  return isObject(value) && Object.entries(value).some(([name, each]) => holdsText(name) || holdsText(each));
}

type Leaf = readonly [name: string, value: unknown];

/** The single values of a setting, each under its own name. */
function leaves(name: string, value: unknown): readonly Leaf[] {
  if (Array.isArray(value)) return value.flatMap((each) => leaves(name, each));
  if (!isObject(value)) return [[name, value]];
  return Object.entries(value as Members).flatMap(([key, each]) => leaves(plain(key), each));
}

/** Packages rename what they are given, so `reasoningEffort` explains `effort` when the values are the same. */
function isAsked([name, value]: Leaf, asked: unknown): boolean {
  return leaves("", asked).some(
    ([key, given]) => given === value && key !== "" && (key.endsWith(name) || name.endsWith(key)),
  );
}
