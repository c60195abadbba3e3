// What the command line knows around an agent, for its check.
import { existsSync } from "node:fs";
import type { CheckAgentOptions } from "../check-agent.ts";
import type { Agent } from "../core/agent.ts";
import { isHoldpointError } from "../core/errors.ts";
import type { Person } from "../core/person.ts";
import type { DeliveryChannel } from "../ports/channel.ts";
import { systemClock } from "../runtime/system-clock.ts";
import { isUsable } from "../server/tokens.ts";
import { type Context, withStore } from "./context.ts";

/**
 * @param channels Left out, nobody knows of them, and nothing is said.
 * @param startedBy Who is about to start threads, where it is known.
 */
export async function checkOptions(
  context: Context,
  agents: readonly Agent[],
  around: { readonly channels?: readonly DeliveryChannel[]; readonly startedBy?: string },
): Promise<CheckAgentOptions> {
  const { people, defaultModel, counter, checks } = context.settings;
  const isAsked = agents.some(({ gate }) => gate.approvers.length > 0);
  return {
    people: isAsked ? [...people, ...(await tokenHolders(context))] : people,
    checks,
    signal: context.signal,
    ...around,
    ...(defaultModel !== undefined && { defaultModel }),
    ...(counter && { counter }),
  };
}

/** Whoever decides with a token is reached by the service's page, in the directory or not. */
async function tokenHolders(context: Context): Promise<readonly Person[]> {
  if (!existsSync(context.settings.storePath)) return [];
  const now = systemClock.now();
  try {
    return await withStore(context, "read", async ({ tokens }) =>
      (await tokens.list())
        .filter(
          (token) =>
            isUsable(token, now) && token.scopes.some((scope) => scope === "decide" || scope === "admin"),
        )
        .map(({ principal, roles }) => ({ id: principal, roles })),
    );
  } catch (error) {
    if (isHoldpointError(error)) return []; // what is wrong with the store is said by whoever needs it
    throw error;
  }
}
