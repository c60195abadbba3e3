import type { ModelOutput, ModelProgress } from "../ports/model.ts";

/** Characters in a piece of a call's arguments: so few that a test with ordinary arguments sees several. */
const argumentPieceLength = 16;

/** An output as a stream would show it: reasoning, text, then each call's arguments, in small pieces. */
export function outputPieces(output: ModelOutput): readonly ModelProgress[] {
  return [
    ...(output.reasoning ?? []).flatMap((part) => words(part.text).map(progressOf("reasoning"))),
    ...words(output.text).map(progressOf("text")),
    ...output.calls.flatMap(({ callId, tool, args }) =>
      slices(argumentsText(args)).map((text) => ({ kind: "call" as const, callId, tool, text })),
    ),
  ];
}

/** The JSON text of a call's arguments; what is no JSON stays the text that it is. */
export function argumentsText(args: unknown): string {
  return typeof args === "string" ? args : (JSON.stringify(args) ?? "");
}

function progressOf(kind: "text" | "reasoning"): (text: string) => ModelProgress {
  return (text) => ({ kind, text });
}

function words(text: string): readonly string[] {
  return text.match(/\S+\s*|\s+/g) ?? [];
}

/** By code points: no piece ends in half a character. */
function slices(text: string): readonly string[] {
  const characters = Array.from(text);
  return Array.from({ length: Math.ceil(characters.length / argumentPieceLength) }, (_, index) =>
    characters.slice(index * argumentPieceLength, (index + 1) * argumentPieceLength).join(""),
  );
}
