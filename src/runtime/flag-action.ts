import { HoldpointError } from "../core/errors.ts";
import { event } from "../core/events.ts";
import { assertPerson, changeThread } from "./change-thread.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Records that an action which started was wrong, whoever approved it: the misoperation rate counts it. Also after the
 * thread's end. A second flag of the same action by the same principal changes nothing.
 *
 * @returns false when it was flagged by this principal before.
 * @throws `thread_not_found`; `operation_not_found` for what is no action that started; `not_an_approver` for an agent's
 *   own voice.
 */
export async function flagAction(
  runtime: Runtime,
  threadId: string,
  key: string,
  { by, why }: { readonly by: string; readonly why: string },
): Promise<boolean> {
  assertPerson(by);
  let isNew = false;
  await changeThread(runtime, threadId, (state) => {
    const action = state.operations.get(key);
    if (!action?.start)
      throw new HoldpointError("operation_not_found", `thread ${threadId} has started no action ${key}`, {
        fix: `\`holdpoint show ${threadId}\` lists what it did.`,
      });
    isNew = !action.flaggedBy.includes(by);
    return isNew ? [event("action_flagged", { key, by, why })] : [];
  });
  return isNew;
}
