import type { ErrorKind } from "./error-kind.ts";

/** What to check, where it is known by the kind alone. No entry where a hint would only repeat the cause. */
const hints: { readonly [Kind in ErrorKind]?: string } = {
  unauthorized: "The credentials are missing, wrong or expired.",
  forbidden: "These credentials lack the right to it.",
  not_found: "Check the id and the path.",
  conflict: "Read the current state first.",
  rate_limited: "Wait, and make fewer calls.",
  server_error: "A later try may work.",
  unavailable: "Try later.",
  timeout: "It may have happened: check before trying again.",
  connection_refused: "Nothing listens there: check host, port and service.",
  connection_lost: "It may have happened: check before trying again.",
  unreachable: "Check the address and the network.",
  dns: "Check the host name.",
  tls: "Check the certificate's name, date and issuer.",
  unique_violation: "It exists already: read or update it.",
  foreign_key_violation: "It refers to what does not exist, or is referred to.",
  missing_relation: "Check the table's name and schema.",
  missing_column: "List the table's columns.",
  deadlock: "Nothing was changed: try again.",
  lock_timeout: "Try later, or touch fewer rows.",
  too_many_connections: "Try later.",
  read_only: "Write to the primary.",
  disk_full: "Free some space, or write elsewhere.",
  image_missing: "Check the image's name and tag.",
  command_not_found: "It is not installed, or not on the PATH.",
  missing_module: "Check its name, and whether it is installed.",
  no_such_file: "List the folder.",
  invalid_json: "What was read is not JSON.",
};

/** One short sentence, or `undefined`. `retryAfter`: what the other side said. */
export function hintFor(kind: ErrorKind, cause: string, retryAfter: string | undefined): string | undefined {
  if (retryAfter !== undefined) return `Wait ${retryAfter} before the next call.`;
  if (kind === "invalid_json" && /<!?(?:doctype|html)|"<|'<'/i.test(cause))
    return "HTML came where JSON was expected: check the address, and whether one is logged in.";
  return hints[kind];
}
