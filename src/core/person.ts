/** Someone who may be asked, as the people directory of a config names them. */
export interface Person {
  /** The principal that their verdicts are recorded for, such as `dana@example.com`. */
  readonly id: string;
  readonly name?: string;
  /** Without the prefix that approver lists use: `support-lead`, not `role:support-lead`. */
  readonly roles?: readonly string[];
  /** Where mail reaches them. */
  readonly email?: string;
  /** Their user id in Slack, such as `U012AB3CD`. */
  readonly slack?: string;
}

/** Those whom a list of approvers names, by id or by `role:…`, in the directory's order; everybody when it is empty. */
export function peopleFor(approvers: readonly string[], people: readonly Person[]): readonly Person[] {
  if (approvers.length === 0) return people;
  const named = new Set(approvers);
  return people.filter(
    ({ id, roles = [] }) => named.has(id) || roles.some((role) => named.has(`role:${role}`)),
  );
}
