import { meaningGroups, meanings } from "../../src/cli/error-meanings.ts";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { type ErrorCode, HoldpointError } from "../../src/core/errors.ts";
import { statusOf } from "../../src/server/problem.ts";
import { generated, page, table } from "./markdown.ts";

export function errorsPage(): string {
  return page(
    "# Error reference",
    generated,
    "Every error has one of these codes: `code` of a `HoldpointError`, of `{error: {code, message, fix}}` with `--json`, of a problem over HTTP, and of what a log records. Switch on it; messages are for people, and `fix` says more exactly what to do. How failures are told to a model: [Errors](../errors.md).",
    ...meaningGroups.flatMap(({ title, codes }) => [
      `## ${title}`,
      table(
        ["code", "exit", "HTTP", "what it means", "the way out"],
        codes.map((name) => {
          const code = name as ErrorCode; // the groups are made of codes
          const { what, wayOut } = meanings[code];
          const error = new HoldpointError(code, "");
          return [`\`${code}\``, String(exitCodeOf(error)), String(statusOf(error)), what, wayOut];
        }),
      ),
    ]),
  );
}
