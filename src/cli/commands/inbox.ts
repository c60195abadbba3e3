import { Option } from "commander";
import type { Principal } from "../../core/approvers.ts";
import { rolesOf } from "../../core/person.ts";
import type { Page, RequestRow, Store } from "../../ports/store.ts";
import { decidableRequests } from "../../runtime/decidable.ts";
import { systemClock } from "../../runtime/system-clock.ts";
import { requestDocument } from "../../runtime/thread-report.ts";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import { type Context, withStore } from "../context.ts";
import { describeRequest, requestView } from "../describe-request.ts";
import { line, plural, shellWord } from "../format.ts";
import { ownCommand } from "../own-command.ts";

interface Options {
  readonly limit?: number;
  readonly cursor?: string;
  readonly mine?: boolean;
  readonly for?: string;
}

export const addInbox: AddCommand = (program, run) => {
  program
    .command("inbox")
    .description("list the open requests, oldest first: what people are asked, and how to answer")
    .option("--limit <count>", "at most so many, 1 to 1000 (default: 50)", wholeNumber)
    .option("--cursor <cursor>", "the next page, as the page before names it")
    .option("--mine", "only what you (--as) may decide now")
    .addOption(
      new Option(
        "--for <principal>",
        "only what they may decide now, with the roles that the config gives them",
      ).conflicts("mine"),
    )
    .action(
      run<Options>((context, _args, options) =>
        withStore(context, "read", async (store) => {
          const who = whoseInbox(context, options);
          const { rows, nextCursor } = await inboxPage(store, who, options);
          const view = requestView(context);
          const more =
            nextCursor === null
              ? []
              : [
                  "",
                  `There are more: ${ownCommand(`inbox${sameChoice(options)} --cursor '${nextCursor}'${context.settings.sameOptions}`)}`,
                ];
          const head =
            rows.length === 0
              ? nothing(who, nextCursor)
              : `${plural(rows.length, "open request")}${who ? ` for ${line(who.id, 80)}` : ""}${nextCursor === null ? "" : ", and more"}`;
          return {
            document: { ...(who && { for: who.id }), requests: rows.map(requestDocument), nextCursor },
            lines: [head, ...rows.flatMap((row) => ["", ...describeRequest(row, view)]), ...more],
          };
        }),
      ),
    );
};

function whoseInbox({ settings }: Context, { mine = false, for: other }: Options): Principal | null {
  if (mine) return { id: settings.principal, roles: settings.roles };
  return other === undefined ? null : { id: other, roles: rolesOf(other, settings.people) };
}

function inboxPage(
  store: Pick<Store, "requests">,
  principal: Principal | null,
  { limit, cursor }: Options,
): Promise<Page<RequestRow>> {
  const query = { ...(limit !== undefined && { limit }), ...(cursor && { cursor }) };
  if (principal === null) return store.requests({ status: "open", ...query });
  return decidableRequests(store, { principal, now: systemClock.now(), ...query });
}

function sameChoice({ mine = false, for: other }: Options): string {
  if (mine) return " --mine";
  return other === undefined ? "" : ` --for ${shellWord(other)}`;
}

function nothing(who: Principal | null, nextCursor: string | null): string {
  if (who === null) return "Nothing waits for a person.";
  const roles = who.roles.length === 0 ? "no role" : `the role ${who.roles.join(", ")}`;
  const where = nextCursor === null ? "" : " among the oldest";
  return `Nothing waits for ${line(who.id, 80)}${where} (${roles}).`;
}
