import { isSamePrincipal } from "./approvers.ts";

/** Somebody who may be asked: an entry of the directory (`people` in the config). */
export interface Person {
  /** The principal under which verdicts are recorded, such as `dana@example.com`. */
  readonly id: string;
  readonly name?: string;
  /** Without the `role:` before them. */
  readonly roles?: readonly string[];
  readonly email?: string;
  /** Id of the user in Slack. */
  readonly slack?: string;
}

/** Those whom a list of approvers names, by id or as `role:x`; everybody when it names nobody. */
export function peopleFor(approvers: readonly string[], people: readonly Person[]): readonly Person[] {
  if (approvers.length === 0) return people;
  return people.filter(
    ({ id, roles = [] }) =>
      (!id.startsWith("role:") && approvers.includes(id)) ||
      roles.some((role) => approvers.includes(`role:${role}`)),
  );
}

/** The person whom a principal names in another way than by their id, which would make two of them. */
export function otherNameOf(principal: string, people: readonly Person[]): Person | undefined {
  if (people.some(({ id }) => id === principal)) return undefined;
  return people.find((person) => namesOf(person).some((name) => isSamePrincipal(name, principal)));
}

/** Whether two entries of a directory would reach one person under two names. */
export function isSamePerson(one: Person, other: Person): boolean {
  if (one.slack !== undefined && one.slack === other.slack) return true;
  return namesOf(one).some((name) => namesOf(other).some((theirs) => isSamePrincipal(name, theirs)));
}

function namesOf({ id, email }: Person): readonly string[] {
  return email === undefined ? [id] : [id, email];
}

/** The roles that the directory gives a principal; none for somebody it does not know. */
export function rolesOf(principal: string, people: readonly Person[]): readonly string[] {
  return people.find(({ id }) => id === principal)?.roles ?? [];
}
