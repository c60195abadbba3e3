// Clicks. Slack waits three seconds: the verdict is made durable first, and when that takes longer, the answer follows.
// Every click is answered, also one that nobody may make; who clicked is told, and nobody else.
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { type HoldpointError, isHoldpointError } from "../../core/errors.ts";
import type { VerdictKind } from "../../core/events.ts";
import type { Json } from "../../core/json.ts";
import type { Person } from "../../core/person.ts";
import { typedVerdict } from "../../core/typed-verdict.ts";
import type { Desk } from "../../ports/channel.ts";
import type { Mount } from "../../ports/mount.ts";
import type { RequestRow } from "../../ports/store.ts";
import { describeOutcome, describeRecorded } from "../describe-outcome.ts";
import { shownDigest } from "../shown-digest.ts";
import { type ClickValue, dialogView, needsDialog, noteMessage, postBody, resultView } from "./blocks.ts";
import type { SlackApi } from "./slack-api.ts";
import { slackGuard } from "./slack-signature.ts";

export interface InteractionOptions {
  readonly name: string;
  readonly api: SlackApi;
  readonly signingSecret: string;
  /** The reason of a rejection; `undefined` asks for one. */
  readonly rejectReason: string | undefined;
  /** How long Slack is kept waiting at most, in milliseconds. */
  readonly acknowledgeMs: number;
}

const clickSchema = z.object({
  type: z.literal("block_actions"),
  user: z.object({ id: z.string() }),
  trigger_id: z.string().default(""),
  response_url: z.string().optional(),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().optional() })).min(1),
});
const submissionSchema = z.object({
  type: z.literal("view_submission"),
  user: z.object({ id: z.string() }),
  view: z.object({
    private_metadata: z.string(),
    state: z.object({
      values: z.record(z.string(), z.record(z.string(), z.object({ value: z.string().nullish() }))),
    }),
  }),
});
const valueSchema = z.object({ requestId: z.string(), digest: z.string(), kind: z.string().optional() });

type Click = z.infer<typeof clickSchema>;
type Submission = z.infer<typeof submissionSchema>;

const never = new AbortController().signal;

export function interactionMount(desk: Desk, options: InteractionOptions): Mount {
  const guard = slackGuard(options.signingSecret);

  return async (request) => {
    if (!new URL(request.url).pathname.endsWith(`/channels/${options.name}/interactions`))
      return new Response("not found", { status: 404 });
    if (request.method !== "POST")
      return new Response("POST only", { status: 405, headers: { allow: "POST" } });
    const body = new Uint8Array(await request.arrayBuffer()); // as it was signed
    const refusal = guard.refuse(request.headers, body, desk.now());
    if (refusal !== null) return new Response(refusal, { status: 401 });
    const payload = payloadOf(new TextDecoder().decode(body));
    const click = clickSchema.safeParse(payload);
    if (click.success) return onClick(desk, options, click.data);
    const submission = submissionSchema.safeParse(payload);
    if (submission.success) return onSubmission(desk, options, submission.data);
    return new Response(null, { status: 200 }); // a closed dialog, or a kind of interaction that is none of ours
  };
}

function payloadOf(body: string): unknown {
  try {
    return JSON.parse(new URLSearchParams(body).get("payload") ?? "null");
  } catch {
    return null;
  }
}

async function onClick(desk: Desk, options: InteractionOptions, click: Click): Promise<Response> {
  const work = answerClick(desk, options, click);
  desk.later(work);
  await within(work, options.acknowledgeMs);
  return new Response(null, { status: 200 });
}

async function answerClick(desk: Desk, options: InteractionOptions, click: Click): Promise<void> {
  const [action] = click.actions;
  const kind = /^holdpoint:(.+)$/.exec(action?.action_id ?? "")?.[1];
  if (kind === undefined || kind === "page") return; // a link, or a button of somebody else's
  const outcome = await settled(async () => {
    const admitted = await admit(desk, click.user.id, action?.value);
    if (typeof admitted === "string") return admitted;
    if (kind !== "reject" || options.rejectReason === undefined) {
      if (needsDialog(kind as VerdictKind)) return openDialog(options, click, admitted, kind as VerdictKind);
    }
    return decide(desk, admitted, kind, options.rejectReason ?? "");
  });
  if (outcome !== null) await tell(options.api, click.user.id, click.response_url, outcome);
}

interface Admitted {
  readonly request: RequestRow;
  readonly person: Person;
}

/** The reason, for whoever may not decide, or comes too late. */
async function admit(desk: Desk, slackId: string, value: string | undefined): Promise<Admitted | string> {
  const person = desk.people.find(({ slack }) => slack === slackId);
  if (!person) return `Nothing was recorded: ${slackId}, you are not in the people directory of Holdpoint.`;
  const asked = clickValueOf(value);
  const request = asked && (await desk.find(asked.requestId));
  if (!request) return "Nothing was recorded: there is no such request any more.";
  if (asked.digest !== shownDigest(request))
    return "Nothing was recorded: this button is for something else than what the request asks for.";
  if (request.status !== "open") return `Nothing was changed. ${describeOutcome(request)}`;
  return { request, person };
}

function clickValueOf(
  text: string | undefined,
): (ClickValue & { readonly kind?: string | undefined }) | null {
  try {
    return valueSchema.safeParse(JSON.parse(text ?? "null")).data ?? null;
  } catch {
    return null;
  }
}

/** A trigger is good for three seconds, so this is one call and no second try. */
async function openDialog(
  { api }: InteractionOptions,
  click: Click,
  { request }: Admitted,
  kind: VerdictKind,
): Promise<null> {
  const dialog = { requestId: request.requestId, digest: shownDigest(request), kind };
  await api.call("views.open", { trigger_id: click.trigger_id, view: dialogView(request, dialog) }, never);
  return null; // the dialog is the answer
}

async function decide(
  desk: Desk,
  { request, person }: Admitted,
  kind: string,
  text: string,
): Promise<string> {
  const decided = await desk.decide(request.requestId, typedVerdict(request.opened, { kind, text }), person);
  return describeRecorded(decided);
}

async function onSubmission(
  desk: Desk,
  options: InteractionOptions,
  submission: Submission,
): Promise<Response> {
  const { user, view } = submission;
  const text = view.state.values.text?.text?.value ?? "";
  let invalid: HoldpointError | null = null;
  const work = settled(async () => {
    const admitted = await admit(desk, user.id, view.private_metadata);
    if (typeof admitted === "string") return admitted;
    return decide(desk, admitted, clickValueOf(view.private_metadata)?.kind ?? "", text).catch(
      (error: unknown) => {
        if (isHoldpointError(error, "verdict_invalid")) invalid = error;
        throw error;
      },
    );
  });
  const outcome = await within(work, options.acknowledgeMs);
  if (outcome === undefined) {
    desk.later(work.then((late) => tell(options.api, user.id, undefined, late ?? "Nothing was recorded.")));
    return Response.json({
      response_action: "update",
      view: resultView("It takes a while. You will be told."),
    });
  }
  const said = invalid as HoldpointError | null; // set in the work above
  if (said)
    return Response.json({ response_action: "errors", errors: { text: said.message.slice(0, 1_000) } });
  return Response.json({ response_action: "update", view: resultView(outcome ?? "Nothing was recorded.") });
}

/** What to say, whatever happened. */
async function settled(work: () => Promise<string | null>): Promise<string | null> {
  try {
    return await work();
  } catch (error) {
    if (!isHoldpointError(error))
      return "Nothing was recorded: something went wrong here. Try again, or use another way.";
    if (error.code === "request_already_decided") return `Nothing was changed: ${error.message}.`;
    return `Nothing was recorded: ${error.message}. ${error.fix ?? ""}`.trim();
  }
}

/** Seen by whoever clicked alone: in place, or in a direct message when that fails or there is no place. */
async function tell(
  api: SlackApi,
  user: string,
  responseUrl: string | undefined,
  text: string,
): Promise<void> {
  const message = noteMessage(text);
  if (responseUrl !== undefined) {
    const blocks = [...message.blocks];
    const body = { text: message.text, blocks, response_type: "ephemeral", replace_original: false };
    const isTold = await api.respond(responseUrl, body, never).then(
      () => true,
      () => false,
    );
    if (isTold) return;
  }
  const opened = await api.call("conversations.open", { users: user }, never);
  await api.call("chat.postMessage", { ...postBody(message), channel: directChannel(opened) }, never);
}

/** Of an answer to `conversations.open`. */
export function directChannel({ channel }: { readonly [member: string]: Json }): string {
  const id = typeof channel === "object" && channel !== null && "id" in channel ? channel.id : undefined;
  return typeof id === "string" ? id : "";
}

/** `undefined` when it takes longer; what it does then goes on. */
async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const timer = new AbortController();
  const late = delay(ms, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
