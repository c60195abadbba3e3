// What a run is of. A folder goes on with the same only: results of other cases, code or models are not to be mixed.
import { z } from "zod";

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

const given = z.string().nullable();
/** Of what is read from a file. */
export const runIdentitySchema: z.ZodType<RunIdentity> = z.object({
  suite: z.string(),
  digest: z.string(),
  agents: z.array(z.object({ name: z.string(), version: z.string(), digest: z.string() })),
  model: given,
  prompt: z.object({ name: z.string(), version: z.string() }).nullable(),
  faults: z.number().nullable(),
  seed: z.string(),
  createdAt: z.iso.datetime(),
});

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
