// A regular expression may take ages on a text that a model wrote; meanwhile nothing else runs, not even the end of the
// process that was told to stop. Only `node:vm` can interrupt one.
import { type Context, createContext, Script } from "node:vm";
import { HoldpointError } from "../core/errors.ts";

/** Milliseconds: sound expressions take a few on a megabyte. */
const defaultMostMs = 5_000;

const search = new Script("new RegExp(source, 'u').test(text)");
let place: Context | null = null;

/**
 * Whether a regular expression of a suite matches somewhere in a text.
 *
 * @throws `suite_invalid` when it takes more than 5 s: neither answer would be true, and `$not` makes either one pass.
 */
export function fitsRegex(source: string, text: string, mostMs: number = defaultMostMs): boolean {
  place ??= createContext({});
  Object.assign(place, { source, text });
  try {
    return search.runInContext(place, { timeout: mostMs }) === true;
  } catch (cause) {
    throw new HoldpointError(
      "suite_invalid",
      `the regular expression ${JSON.stringify(source.slice(0, 200))} takes over ${mostMs} ms on a text of ${text.length} characters`,
      { fix: "Write it without repetitions within repetitions, such as (a+)+.", cause },
    );
  }
}
