import type { Problem, Store } from "../ports/store.ts";

/**
 * What is wrong with a thread's log itself: an event that is missing, or is not what was appended. Reading a log does not
 * tell, since it does not compute the chain. Lists beside the log, which can be made anew, do not count.
 *
 * @throws `thread_not_found`
 */
export async function logDamage(store: Store, threadId: string): Promise<readonly Problem[]> {
  const { problems } = await store.verify({ threadId });
  return problems.filter(({ kind }) => kind !== "projection" && kind !== "artifact");
}
