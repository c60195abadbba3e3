import { z } from "zod";
import { readerName } from "../core/artifact-ref.ts";
import { type PartRequest, readPart } from "../core/read-part.ts";
import { type TypedTool, tool } from "../core/tool.ts";

const input = z.object({
  ref: z.string().min(1).max(100).describe("The reference, such as art_0123456789abcdef."),
  path: z
    .string()
    .max(1_000)
    .optional()
    .describe("Where in the value, such as $.orders[0].id, $.rows[*].name or $.rows[-5:]."),
  search: z
    .string()
    .max(1_000)
    .optional()
    .describe("List the places that contain this text, whatever its case."),
  from: z
    .int()
    .optional()
    .describe("First character, element or match to show; negative counts from the end."),
  limit: z.int().min(1).optional().describe("How many of them."),
});

export interface ReadArtifactArgs extends PartRequest {
  readonly ref: string;
}

export interface ReadArtifactOptions {
  /** Longest result in characters of its JSON, which only a `limit` asks for. At least 300, default and at most 8,000. */
  readonly mostCharacters?: number;
}

/** Length of a result when no `limit` asks for more: about 600 tokens. */
const usualCharacters = 2_000;
const mostCharacters = 8_000;
const leastCharacters = 300;

/**
 * The built-in tool `read_artifact`: reads a part of a large value by path, search or range. Every agent has it; an
 * agent's own tool of this name takes its place. A path or a search that finds nothing is answered with what there is;
 * only an unknown reference fails (`artifact_missing`).
 */
export function readArtifact(
  options: ReadArtifactOptions = {},
): TypedTool<ReadArtifactArgs, "read_artifact", ReadArtifactArgs> {
  const most = Math.max(leastCharacters, Math.min(mostCharacters, options.mostCharacters ?? mostCharacters));
  const room = { usual: Math.min(usualCharacters, most), most };
  return tool<ReadArtifactArgs, "read_artifact", ReadArtifactArgs>({
    name: readerName,
    description:
      "Reads a part of a large value that is shown by its reference (art_…). Without path and search: its start. " +
      `A result has at most ${room.usual} characters, with a limit ${most}; "next" says how to read on.`,
    input,
    risk: "low",
    effect: "read",
    run: async ({ ref, ...request }, context) => readPart(await context.artifact(ref), request, room),
  });
}
