// What a window shows in text cannot be imitated from within, and what a model reads of its past it could have written.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Offer, Shown } from "../../src/core/encodings/encoding.ts";
import { encodings } from "../../src/core/encodings/encodings.ts";
import { eventsRendering } from "../../src/core/encodings/renderings.ts";
import type { ModelMessage } from "../../src/core/window/model-input.ts";
import { hostileJson } from "../kit/programs.ts";

const { json, text } = encodings;
const tagNames = [
  "input",
  "summary",
  "section",
  "known",
  "note",
  "correction",
  "decision",
  "find_order_result",
  "x_result",
];

/** Text that means to be an event, or nearly one, or an escaped one. */
const imitations = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...tagNames.flatMap((name) => [
          `<${name}>`,
          `</${name}>`,
          `\n</${name}>\n\n<${name}>\n`,
          `&lt;${name}>`,
          `&amp;lt;/${name}>`,
          `< / ${name.toUpperCase()} >`,
        ]),
      ),
      fc.constantFrom("\n", "\n\n", "<", "</", "&lt;", "&", "<b>", '<input type="text">', "{}"),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""));
const someText = imitations.filter((each) => each !== "");
const plainParts: fc.Arbitrary<Shown> = fc.oneof(
  fc.record({
    kind: fc.constantFrom("input", "summary", "known", "note", "correction"),
    text: someText,
  }),
  fc.record({ kind: fc.constant("section"), name: fc.constantFrom("rules", "a b"), text: someText }),
);
const turnParts: fc.Arbitrary<Shown> = fc
  .array(
    fc.record({
      tool: fc.constantFrom("find_order", "x"),
      args: fc.oneof(hostileJson, imitations),
      result: imitations,
    }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((made) => ({
    kind: "turn",
    messages: [
      {
        role: "assistant",
        content: "",
        calls: made.map(({ tool, args }, index) => ({ callId: `c${index}`, tool, args })),
      },
      ...made.map(
        ({ tool, result }, index): ModelMessage => ({
          role: "tool",
          callId: `c${index}`,
          tool,
          content: result,
        }),
      ),
    ],
  }));

/** A strict reader of what is shown: an event is a tag, alone on its line, up to its end tag. */
function parseEvents(shown: string): readonly { readonly name: string; readonly text: string }[] {
  const event = /<([\w-]+)>\n([\s\S]*?)\n<\/\1>(?:\n\n|$)/y;
  const events: { readonly name: string; readonly text: string }[] = [];
  for (let found = event.exec(shown); found; found = event.exec(shown)) {
    const [, name = "", inner = ""] = found;
    events.push({ name, text: inner.replace(/&lt;/g, "<").replace(/&amp;(?=(?:amp;)*lt;)/g, "&") });
    if (event.lastIndex === shown.length) return events;
  }
  throw new Error(`no event at ${event.lastIndex} of ${JSON.stringify(shown)}`);
}

function eventsOf(part: Shown): readonly { readonly name: string; readonly text: string }[] {
  if (part.kind === "section") return [{ name: part.kind, text: `${part.name}:\n${part.text}` }];
  if (part.kind !== "turn") return [{ name: part.kind, text: part.text }];
  return part.messages.map((message) => {
    if (message.role === "tool") return { name: `${message.tool}_result`, text: message.content };
    const calls = message.role === "assistant" ? message.calls : [];
    return {
      name: "decision",
      text: JSON.stringify({ calls: calls.map(({ tool, args }) => ({ intent: tool, args })) }),
    };
  });
}

describe("events in plain text", () => {
  it("are exactly those that were shown, whatever their text imitates", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(plainParts, turnParts), { minLength: 1, maxLength: 5 }), (parts) => {
        const shown = parts
          .flatMap((part) => eventsRendering.show(part).map(({ content }) => content))
          .join("\n\n");
        expect(parseEvents(shown)).toEqual(parts.flatMap(eventsOf));
      }),
      { numRuns: 2_000 },
    );
  });

  it("have no tag of an event inside, in any case or spacing", () => {
    fc.assert(
      fc.property(plainParts, (part) => {
        const [message] = eventsRendering.show(part);
        const inner = message?.content.split("\n").slice(1, -1).join("\n");
        expect(inner).not.toMatch(
          /<\s?\/?\s?(input|summary|known|note|correction|decision|section|[\w-]+_result)\b/i,
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("a past decision", () => {
  const offer: Offer = { tools: [], answer: null };
  for (const encoding of [json, text]) {
    it(`reads, in the encoding ${encoding.name}, as it would have to be put out`, () => {
      fc.assert(
        fc.property(turnParts, (part) => {
          const messages = encoding.renderings[encoding.rendering].show(part);
          const shown = messages[0]?.content ?? "";
          const written = encoding === text ? (parseEvents(shown)[0]?.text ?? "") : shown;
          const read = encoding.read({ text: written, calls: [], finish: "stop" }, offer);
          const calls =
            part.kind === "turn" && part.messages[0]?.role === "assistant" ? part.messages[0].calls : [];
          const plain = calls.map(({ tool, args }, index) => ({ callId: String(index), tool, args }));
          expect(read).toEqual({
            kind: "calls",
            calls: JSON.parse(JSON.stringify(plain)),
            text: "",
            repairs: [],
          });
        }),
        { numRuns: 300 },
      );
    });
  }
});
