import type { ErrorKind } from "./error-kind.ts";

/** What to check, where it is known by the kind alone. No entry where a hint would only repeat the cause. */
const hints: { readonly [Kind in ErrorKind]?: string } = {
  unauthorized: "The credentials are missing, wrong or expired; the same call fails again.",
  forbidden: "These credentials lack the right; the same call fails again.",
  not_found: "Check the id and the path; look the id up before trying again.",
  conflict: "Read the current state first; it may have happened already.",
  validation: "Change the named fields; the same input fails again.",
  bad_request: "Change the input; the same call fails again.",
  rate_limited: "Wait before the next call, and make fewer.",
  server_error: "The other side failed; a later try may work.",
  unavailable: "The service is down or overloaded; try later.",
  timeout: "It may have happened nevertheless: check before trying again.",
  connection_refused: "Nothing listens there: is the service up, are host and port right?",
  connection_lost: "It may have happened nevertheless: check before trying again.",
  unreachable: "There is no way to that host from here: check network and address.",
  dns: "The host name does not resolve: check its spelling.",
  tls: "The certificate is not trusted: check host name, date and issuer.",
  address_in_use: "Another process has this port: use another, or stop that one.",
  unique_violation: "It exists already: read or update it instead of creating it.",
  foreign_key_violation: "What it refers to does not exist, or is still referred to.",
  not_null_violation: "Give a value for this column.",
  check_violation: "The value breaks a rule of the table.",
  missing_relation: "Check the table's name and schema; list the tables first.",
  missing_column: "Check the column's name; list the table's columns first.",
  missing_database: "Check the database's name.",
  sql_syntax: "Correct the statement; the same one fails again.",
  bad_value: "Give a value of the column's type, range and length.",
  deadlock: "Nothing was changed; try the transaction again.",
  lock_timeout: "Another transaction holds the rows; try again later.",
  database_auth: "Check the database's user and password.",
  database_permission: "The database's user lacks this right.",
  too_many_connections: "All connections are taken; try later.",
  read_only: "This is a read-only replica or transaction; write elsewhere.",
  out_of_memory: "It ran out of memory: process less at a time.",
  disk_full: "Free some space, or write elsewhere.",
  remote_auth: "Check the keys or the token for this host.",
  image_missing: "Check the image's name and tag.",
  dependency_conflict: "The versions asked for do not go together.",
  command_not_found: "It is not installed here, or not on the PATH.",
  missing_module: "Check the name; it may not be installed.",
  bad_archive: "The file is not of this format, or is incomplete.",
  permission_denied: "This user may not do that with this file or device.",
  no_such_file: "Check the path; list the folder first.",
  file_exists: "It exists already: use another name, or replace it on purpose.",
  invalid_json: "What was read is not JSON.",
};

/** One short sentence, or `undefined`. `retryAfter`: what the other side said. */
export function hintFor(kind: ErrorKind, cause: string, retryAfter: string | undefined): string | undefined {
  if (retryAfter !== undefined) return `Wait ${retryAfter} before the next call.`;
  if (kind === "invalid_json" && /<!?(?:doctype|html)|"<|'<'/i.test(cause))
    return "HTML came where JSON was expected: check the address, and whether one is logged in.";
  return hints[kind];
}
