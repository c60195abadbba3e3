import { requestDocument } from "../../runtime/thread-report.ts";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import { withStore } from "../context.ts";
import { describeRequest, requestView } from "../describe-request.ts";
import { plural } from "../format.ts";

interface Options {
  readonly limit?: number;
  readonly cursor?: string;
}

export const addInbox: AddCommand = (program, run) => {
  program
    .command("inbox")
    .description("list the open requests, oldest first: what people are asked, and how to answer")
    .option("--limit <count>", "at most so many, 1 to 1000 (default: 50)", wholeNumber)
    .option("--cursor <cursor>", "the next page, as the page before names it")
    .action(
      run<Options>((context, _args, { limit, cursor }) =>
        withStore(context, "read", async (store) => {
          const query = {
            status: "open" as const,
            ...(limit !== undefined && { limit }),
            ...(cursor && { cursor }),
          };
          const { rows, nextCursor } = await store.requests(query);
          const view = requestView(context);
          const more =
            nextCursor === null
              ? []
              : [
                  "",
                  `There are more: ${context.settings.program} inbox --cursor '${nextCursor}'${context.settings.sameOptions}`,
                ];
          const head =
            rows.length === 0
              ? "Nothing waits for a person."
              : `${plural(rows.length, "open request")}${nextCursor === null ? "" : ", and more"}`;
          return {
            document: { requests: rows.map(requestDocument), nextCursor },
            lines: [head, ...rows.flatMap((row) => ["", ...describeRequest(row, view)]), ...more],
          };
        }),
      ),
    );
};
