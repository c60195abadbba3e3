import type { ThreadEvent } from "../../core/events.ts";
import { type ExactInput, exactInput, exactInputs, modelCallsOf } from "../../core/window/exact-input.ts";
import type { Store } from "../../ports/store.ts";
import { promptDocument } from "../../runtime/prompt-document.ts";
import { threadRow } from "../../runtime/thread-report.ts";
import type { AddCommand } from "../command-line.ts";
import { type Context, withStore } from "../context.ts";
import { describeCall, describeDifference, describeInput, describeManifest } from "../describe-prompt.ts";
import { withNearIds } from "../near-ids.ts";
import { type CommandResult, usageError } from "../screen.ts";

interface Options {
  readonly diff?: boolean;
  readonly manifest?: boolean;
  readonly try?: string;
}

export const addPrompt: AddCommand = (program, run) => {
  program
    .command("prompt")
    .description("show the exact input of a model call, as it went out")
    .argument("<thread>", "the thread's id")
    .argument("[call]", "the event that ended it, or a decision's key such as decide#3 (default: the newest)")
    .option("--diff", "only what changed since the model call before")
    .option(
      "--manifest",
      "its parts instead of their text: where they are from, their tokens, what was done to them",
    )
    .option("--try <file>", "what another prompt file would change, in this call or (without one) in all")
    .action(
      run<Options>((context, [threadId = "", call], { diff = false, manifest = false, try: path }) => {
        if ([diff, manifest, path !== undefined].filter(Boolean).length > 1)
          throw usageError("--diff, --manifest and --try show different things", "Give one of them.");
        return withStore(context, "read", async (store) => {
          await withNearIds(store, { threadId }, () => threadRow(store, threadId));
          const events = await store.read(threadId);
          if (path !== undefined) return tried(context, store, { threadId, events, call, path });
          const shown = await inputOf(store, events, seqOf(events, call));
          const before = diff ? await inputBefore(store, events, shown) : null;
          const { paint, columns } = context.screen;
          return {
            document: {
              ...promptDocument(threadId, shown),
              ...(before && {
                before: { seq: before.event.seq, key: before.event.key, input: before.input },
              }),
            },
            lines: [
              describeCall(threadId, shown, paint),
              "",
              ...(manifest
                ? describeManifest(shown, paint, columns)
                : diff
                  ? describeDifference(before, shown, paint)
                  : describeInput(shown, paint)),
            ],
          } satisfies CommandResult;
        });
      }),
    );
};

async function tried(
  { screen }: Context,
  store: Store,
  { threadId, events, call, path }: Trial,
): Promise<CommandResult> {
  const { describeTried, tryPrompt } = await import("../try-prompt.ts"); // with it come libraries that no other command needs
  const newest = seqOf(events, call);
  const calls = call === undefined ? await allInputs(store, events) : [await inputOf(store, events, newest)];
  const result = await tryPrompt(store, events, calls, path);
  return { document: { threadId, ...result }, lines: describeTried(result, screen.paint) };
}

async function allInputs(store: Store, events: readonly ThreadEvent[]): Promise<readonly ExactInput[]> {
  const inputs: ExactInput[] = [];
  for await (const input of exactInputs(events, (digest) => store.artifact(digest))) inputs.push(input);
  return inputs;
}

interface Trial {
  readonly threadId: string;
  readonly events: readonly ThreadEvent[];
  readonly call: string | undefined;
  readonly path: string;
}

function inputOf(store: Store, events: readonly ThreadEvent[], seq: number): Promise<ExactInput> {
  return exactInput(events, seq, (digest) => store.artifact(digest));
}

async function inputBefore(
  store: Store,
  events: readonly ThreadEvent[],
  { event }: ExactInput,
): Promise<ExactInput | null> {
  const before = modelCallsOf(events).findLast(({ seq }) => seq < event.seq);
  return before ? inputOf(store, events, before.seq) : null;
}

/** A number is an event; anything else the key of a decision, whose newest try is meant. */
function seqOf(events: readonly ThreadEvent[], call: string | undefined): number {
  const calls = modelCallsOf(events);
  if (call !== undefined && /^\d+$/.test(call)) return Number(call);
  const found = call === undefined ? calls.at(-1) : calls.findLast(({ key }) => key === call);
  if (found) return found.seq;
  const keys = [...new Set(calls.map(({ key }) => key))];
  throw usageError(
    call === undefined
      ? "the thread has no model call whose input was recorded"
      : `the thread has no model call ${JSON.stringify(call)}`,
    keys.length === 0
      ? "It never asked a model, or an older version of Holdpoint wrote it."
      : `Its model calls: ${keys.slice(-20).join(", ")}.`,
  );
}
