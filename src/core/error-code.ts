/** The `code` that errors of Node and of the system have, such as `ENOENT`; `undefined` for what has none. */
export function errorCode(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
