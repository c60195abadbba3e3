// A request in Slack's blocks. What was written by models or strangers stands in `plain_text`, where Slack obeys no
// mention, link or markup, with `& < >` escaped. Nobody approves what they cannot see: where the limits leave something
// out, it says so, and there is no button to approve.
import type { VerdictKind } from "../../core/events.ts";
import type { Json } from "../../core/json.ts";
import { type RequestField, viewRequest } from "../../core/request-view.ts";
import type { RequestRow } from "../../ports/store.ts";
import { describeOutcome } from "../describe-outcome.ts";
import { shownDigest } from "../shown-digest.ts";

export interface SlackMessage {
  /** For notifications. */
  readonly text: string;
  readonly blocks: readonly Json[];
}

/** docs.slack.dev/reference/block-kit: text of a section, of a header; and, of a message, less than Slack takes. */
const maxSection = 3_000;
const maxHeader = 150;
const maxShown = 9_000;
/** Of the 50 blocks that a message may have, leaving room for ours. */
const maxFieldBlocks = 40;

/** What a button or a dialog brings back. */
export interface ClickValue {
  readonly requestId: string;
  readonly digest: string;
}

/** A message that asks; `pageUrl` is where the whole request can be seen and decided. */
export function askMessage(request: RequestRow, pageUrl: string | undefined): SlackMessage {
  const view = viewRequest(request);
  const shown = fieldSections([{ label: "", text: view.question }, ...view.fields]);
  const where = pageUrl === undefined ? "`holdpoint inbox --json`" : "the page";
  const cut =
    shown.hidden === 0
      ? []
      : [
          section(
            `${shown.hidden} MORE CHARACTERS ARE NOT SHOWN HERE: see ${where}. It cannot be approved from here.`,
          ),
        ];
  return {
    text: begun(`${view.title}: ${view.question}`),
    blocks: [header(view.title), ...shown.blocks, ...cut, buttons(request, shown.hidden === 0, pageUrl)],
  };
}

/** The same message when there is nothing to decide any more. */
export function closedMessage(request: RequestRow): SlackMessage {
  const { title, question, fields } = viewRequest(request);
  const shown = fieldSections([{ label: "", text: question }, ...fields]);
  const outcome = describeOutcome(request);
  return {
    text: begun(`${outcome} ${title}: ${question}`),
    blocks: [header(title), ...sections(outcome), ...shown.blocks],
  };
}

/** A few lines of ours, which may hold what others wrote. */
export function noteMessage(text: string): SlackMessage {
  return { text: begun(text), blocks: sections(text) };
}

/** A message for `chat.postMessage`. Nothing in it is turned into a link, a mention or a preview. */
export function postBody({ text, blocks }: SlackMessage): { readonly [member: string]: Json } {
  const unobeyed = { parse: "none", link_names: false, unfurl_links: false, unfurl_media: false };
  return { text, blocks: [...blocks], ...unobeyed };
}

export interface SlackDialog extends ClickValue {
  readonly kind: VerdictKind;
}

const dialogTexts: { readonly [Kind in VerdictKind]?: { readonly title: string; readonly label: string } } = {
  reject: { title: "Reject", label: "Why?" },
  stop: { title: "Stop the thread", label: "Why?" },
  answer: { title: "Answer", label: "Your answer (JSON, unless text is asked for)" },
};

/** What a choice is asked in a dialog; `undefined` for one that needs none. */
export function needsDialog(kind: VerdictKind): boolean {
  return dialogTexts[kind] !== undefined;
}

export function dialogView(request: RequestRow, dialog: SlackDialog): Json {
  const { title, label } = dialogTexts[dialog.kind] ?? { title: "Decide", label: "Text" };
  return {
    type: "modal",
    callback_id: "holdpoint",
    private_metadata: JSON.stringify(dialog),
    title: plainText(title),
    submit: plainText(title.split(" ")[0] ?? title),
    close: plainText("Later"),
    blocks: [
      ...sections(viewRequest(request).question),
      {
        type: "input",
        block_id: "text",
        label: plainText(label),
        element: { type: "plain_text_input", action_id: "text", multiline: true, max_length: 3_000 },
      },
    ],
  };
}

/** A dialog that only says how it ended. */
export function resultView(text: string): Json {
  return { type: "modal", title: plainText("Holdpoint"), close: plainText("Close"), blocks: sections(text) };
}

/** docs.slack.dev/messaging/formatting-message-text: the three characters that Slack gives a meaning. */
function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function plainText(text: string): Json {
  return { type: "plain_text", text: escapeSlack(text), emoji: false };
}

function header(title: string): Json {
  return {
    type: "header",
    text: { type: "plain_text", text: escapeSlack(title).slice(0, maxHeader), emoji: false },
  };
}

function section(text: string): Json {
  return { type: "section", text: plainText(text) };
}

/** As many sections as a text needs, within reason. */
function sections(text: string): readonly Json[] {
  return chunks(text === "" ? " " : text)
    .slice(0, 3)
    .map(section);
}

/** The beginning of a text, escaped, for a notification. */
function begun(text: string): string {
  return escapeSlack(chunks(text)[0] ?? "");
}

function fieldSections(fields: readonly RequestField[]): {
  readonly blocks: readonly Json[];
  readonly hidden: number;
} {
  const blocks: Json[] = [];
  let left = maxShown;
  let hidden = 0;
  for (const { label, text } of fields) {
    const whole = `${label === "" ? "" : `${label}: `}${text.replaceAll("\n", "\n    ")}`;
    const pieces = chunks(whole);
    const size = escapeSlack(whole).length;
    if (size <= left && blocks.length + pieces.length <= maxFieldBlocks) {
      left -= size;
      blocks.push(...pieces.map(section));
      continue;
    }
    const [first = ""] = pieces;
    const begin = first.slice(0, Math.min(500, Math.max(0, left))).toWellFormed();
    left = Math.max(0, left - escapeSlack(begin).length);
    hidden += whole.length - begin.length;
    if (blocks.length < maxFieldBlocks) blocks.push(section(`${begin}…`));
  }
  return { blocks, hidden };
}

/** Pieces whose escaped text fits a section; no character is torn apart. */
function chunks(text: string): readonly string[] {
  const pieces: string[] = [];
  let piece = "";
  let size = 0;
  for (const character of text) {
    const length = escapeSlack(character).length;
    if (size + length > maxSection) {
      pieces.push(piece);
      piece = "";
      size = 0;
    }
    piece += character;
    size += length;
  }
  return [...pieces, piece];
}

const buttonTexts: { readonly [Kind in VerdictKind]?: { readonly text: string; readonly style?: string } } = {
  approve: { text: "Approve", style: "primary" },
  reject: { text: "Reject", style: "danger" },
  answer: { text: "Answer" },
  continue: { text: "Continue", style: "primary" },
  stop: { text: "Stop", style: "danger" },
};

function buttons(request: RequestRow, isWhole: boolean, pageUrl: string | undefined): Json {
  const value = JSON.stringify({
    requestId: request.requestId,
    digest: shownDigest(request),
  } satisfies ClickValue);
  const choices = request.opened.choices.flatMap((kind) => {
    const button = buttonTexts[kind];
    if (!button || (kind === "approve" && !isWhole)) return [];
    const { text, style } = button;
    return [
      {
        type: "button",
        action_id: `holdpoint:${kind}`,
        text: plainText(text),
        value,
        ...(style && { style }),
      },
    ];
  });
  const page =
    pageUrl === undefined
      ? []
      : [{ type: "button", action_id: "holdpoint:page", text: plainText("Open the page"), url: pageUrl }];
  const elements = [...choices, ...page];
  if (elements.length > 0) return { type: "actions", block_id: "holdpoint", elements };
  return section("It is answered on the command line: see `holdpoint inbox`.");
}
