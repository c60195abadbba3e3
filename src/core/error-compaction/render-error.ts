import { oneLine } from "./clean-lines.ts";
import type { CompactError } from "./compact-error.ts";

/** Longest text of a compact error. About 100 tokens: a failure may be shown many times. */
const maxText = 400;

/**
 * One to three lines, at most 400 characters:
 *
 * ```text
 * get_profile failed after 3 attempts: not_found 404, GET api.shop.example.com/users/{id}/profile
 * Cause: no user with this id (src/profile.ts:41)
 * Check the id and the path; look the id up before trying again.
 * ```
 */
export function renderError(compact: CompactError): string {
  const { operation, kind, status, endpoint, attempts, location, hint } = compact;
  const times = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  const what = [
    status === undefined ? kind : `${kind} ${status}`,
    ...(endpoint === undefined ? [] : [endpoint]),
  ];
  const first = oneLine(`${operation} failed after ${times}: ${what.join(", ")}`, 220);
  const place = location === undefined ? "" : ` (${oneLine(location, 60)})`;
  const last = hint === undefined ? "" : `\n${oneLine(hint, 100)}`;
  const room = maxText - first.length - place.length - last.length - "\nCause: ".length;
  if (room < 60) return `${first}\nCause: ${oneLine(compact.cause, maxText - first.length - 8)}`;
  return `${first}\nCause: ${oneLine(compact.cause, room)}${place}${last}`;
}
