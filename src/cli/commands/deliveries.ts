import type { OutboxDelivery } from "../../ports/outbox.ts";
import { type AddCommand, wholeNumber } from "../command-line.ts";
import { type Context, withStore } from "../context.ts";
import { formatCount, formatDistance, line, plural } from "../format.ts";
import { type CommandResult, usageError } from "../screen.ts";

interface Options {
  readonly failed?: boolean;
  readonly request?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

export const addDeliveries: AddCommand = (program, run) => {
  program
    .command("deliveries")
    .description(
      "list what was and is to be sent to people, oldest first; `deliveries retry <id>` sends one again",
    )
    .argument("[action]", "retry: make one that was given up pending again")
    .argument("[delivery]", "its id")
    .option("--failed", "only those that were given up")
    .option("--request <id>", "only those of one request")
    .option("--limit <count>", "at most so many, 1 to 1000 (default: 50)", wholeNumber)
    .option("--cursor <cursor>", "the next page, as the page before names it")
    .action(
      run<Options>((context, [action, deliveryId], options) => {
        if (action === undefined) return list(context, options);
        if (action === "retry" && deliveryId !== undefined) return retry(context, deliveryId);
        throw usageError(
          `\`deliveries ${action}\` is no command`,
          "`holdpoint deliveries` lists them, `holdpoint deliveries retry <id>` sends one again.",
        );
      }),
    );
};

function list(context: Context, { failed, request, limit, cursor }: Options): Promise<CommandResult> {
  return withStore(context, "read", async (store) => {
    const { rows, nextCursor } = await store.outbox.deliveries({
      ...(failed === true && { status: "dead" as const }),
      ...(request !== undefined && { requestId: request }),
      ...(limit !== undefined && { limit }),
      ...(cursor !== undefined && { cursor }),
    });
    const more = nextCursor === null ? "" : `; more: --cursor ${nextCursor}`;
    const head = rows.length === 0 ? "There are no such deliveries." : `${countOf(rows.length)}${more}`;
    return {
      document: { deliveries: rows, nextCursor },
      lines: [head, ...rows.flatMap((delivery) => describe(delivery, Date.now()))],
    };
  });
}

function countOf(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "delivery" : "deliveries"}`;
}

function retry(context: Context, deliveryId: string): Promise<CommandResult> {
  return withStore(context, "write", async (store) => {
    const delivery = await store.outbox.retry(deliveryId, Date.now());
    return {
      document: { delivery },
      lines: [
        `Delivery ${deliveryId} is pending again: the next worker or service with its channel sends it.`,
      ],
    };
  });
}

function describe(delivery: OutboxDelivery, now: number): readonly string[] {
  const { deliveryId, channel, recipient, requestId, kind, status, attempts, tries, nextAt } = delivery;
  const next = nextAt === null ? "" : `, next ${formatDistance(nextAt, now)}`;
  const last = tries.at(-1);
  return [
    `${deliveryId}  ${status}  ${kind} ${requestId} by ${channel} to ${line(recipient, 80)}; ${plural(attempts, "attempt")}${next}`,
    ...(last === undefined ? [] : [`    ${status === "sent" ? "sent after: " : ""}${line(last.error, 400)}`]),
  ];
}
