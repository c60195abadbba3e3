// What a run is of. A folder goes on with the same only: results of other cases, code or models are not to be mixed.
export interface RunIdentity {
  readonly suite: string;
  /** Of the suite's content. */
  readonly digest: string;
  readonly agents: readonly { readonly name: string; readonly version: string; readonly digest: string }[];
  /** Given instead of the agents' own; `null` for those. */
  readonly model: string | null;
  /** Of a prompt given instead of the agents' own. */
  readonly prompt: { readonly name: string; readonly version: string } | null;
  readonly faults: number | null;
  readonly seed: string;
  /** ISO 8601, UTC. Not compared. */
  readonly createdAt: string;
}

/** In words, what differs between two runs; empty when they are of the same. */
export function differences(known: RunIdentity, given: RunIdentity): readonly string[] {
  const parts: readonly (readonly [what: string, of: (run: RunIdentity) => unknown])[] = [
    ["the suite's name", ({ suite }) => suite],
    ["the suite's content", ({ digest }) => digest],
    ["the agents' code", ({ agents }) => agents],
    ["the model", ({ model }) => model],
    ["the prompt", ({ prompt }) => prompt],
    ["the rate of faults", ({ faults }) => faults],
    ["the seed", ({ seed }) => seed],
  ];
  return parts.flatMap(([what, of]) => {
    const [one, other] = [of(known), of(given)].map((value) => JSON.stringify(value));
    const isShort = (one?.length ?? 0) + (other?.length ?? 0) < 120;
    return one === other ? [] : [isShort ? `${what} (${one} there, ${other} now)` : what];
  });
}
