// I6. Who may decide a request: pure, from what the request itself records, so that it can be checked again at any time.
//
// A1. An agent decides nothing, whatever a list says.
// A2. Where approvers are named, only they decide; who started the thread does not, unless the policy says so.
// A3. `role:x` is matched by roles only: a principal who is called so is not meant by it.
// A4. One person may reach us under several spellings, by a token, a terminal, a directory. Spellings never add rights:
//     approvers are named exactly, and who is refused, or has voted, is so in every spelling.
import { HoldpointError } from "./errors.ts";
import type { EventOf } from "./events.ts";

type Opened = Pick<
  EventOf<"request_opened">,
  "requestId" | "approvers" | "requesters" | "requesterMayDecide"
>;

/** A principal, with the roles that whoever authenticated it knows of, without `role:`. */
export interface Principal {
  readonly id: string;
  readonly roles: readonly string[];
}

/** True for the voice of an agent or of a thread, also in other spellings. */
export function isAgentVoice(principal: string): boolean {
  return /^(agent|thread):/.test(bareSpelling(principal));
}

/** A4. Whether two principals differ in letter case, width, spaces and what has no glyph at most. */
export function isSamePrincipal(one: string, other: string): boolean {
  return one === other || bareSpelling(one) === bareSpelling(other);
}

function bareSpelling(principal: string): string {
  const bare = principal.normalize("NFKC").replaceAll(/[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}]/gu, "");
  return bare.toLowerCase();
}

/**
 * Why this principal may not decide the request: a sentence without its subject; `null` when it may. `approvers` are
 * those of now: more may have been asked since it was opened.
 */
export function whyNotApprover(
  opened: Opened,
  approvers: readonly string[],
  principal: Principal,
): string | null {
  if (isAgentVoice(principal.id)) return "is no person, and an agent cannot decide a request";
  const { requesters = [], requesterMayDecide = true } = opened;
  if (!requesterMayDecide && requesters.some((requester) => isSamePrincipal(requester, principal.id)))
    return "started this thread, and its requests are decided by others";
  return approvers.length === 0 || entryOf(approvers, principal) !== null ? null : "is none of its approvers";
}

/** The entry of the list by which this principal may decide; `null` when there is none. */
export function entryOf(approvers: readonly string[], { id, roles }: Principal): string | null {
  if (!id.startsWith("role:") && approvers.includes(id)) return id; // A3
  return approvers.find((entry) => entry.startsWith("role:") && roles.includes(entry.slice(5))) ?? null;
}

/** Who may decide, in words. */
function describeApprovers(opened: Opened, approvers: readonly string[]): string {
  const { requesters = [], requesterMayDecide = true } = opened;
  const who = approvers.length === 0 ? "anybody with access to the store" : approvers.join(", ");
  if (requesterMayDecide || requesters.length === 0) return who;
  return `${who}; not ${requesters.join(" or ")}, who started the thread`;
}

/** @throws `not_an_approver`, naming who may decide. */
export function assertApprover(opened: Opened, approvers: readonly string[], principal: Principal): void {
  const why = whyNotApprover(opened, approvers, principal);
  if (why === null) return;
  const who = describeApprovers(opened, approvers);
  throw new HoldpointError(
    "not_an_approver",
    `${principal.id} ${why}: request ${opened.requestId} may be decided by ${who}`,
    {
      fix: "Ask one of them, or say who you are: --as on the command line. Roles come from `people` in the config, or from a token.",
    },
  );
}

/** Most entries of a list, and characters of an entry: a list is kept with every request. */
const mostApprovers = 50;
const mostCharacters = 200;

/** A list of approvers as it may be recorded. @throws `agent_invalid` for anything else; `where` names it. */
export function soundApprovers(given: unknown, where: string): readonly string[] {
  const fail = (why: string): never => {
    throw new HoldpointError("agent_invalid", `${where}: ${why}`, {
      fix: 'Give principals and roles, such as ["dana@example.com", "role:support-lead"].',
    });
  };
  if (!Array.isArray(given)) return fail("the approvers are no list");
  if (given.length > mostApprovers) fail(`there are more than ${mostApprovers} approvers`);
  return given.map((entry: unknown) => {
    if (
      typeof entry !== "string" ||
      entry.trim() === "" ||
      entry.length > mostCharacters ||
      entry === "role:"
    )
      return fail(`${JSON.stringify(entry) ?? String(entry)} is neither a principal nor a role`);
    return isAgentVoice(entry) ? fail(`${entry} is no person, and an agent cannot decide a request`) : entry;
  });
}
