// The support desk. Code does what code can do for certain (parse, look up, sort out machines' mail, forbid); the model
// only judges what an e-mail wants and writes the words; the gate holds what costs money or leaves the house.
import { basename, join } from "node:path";
import { z } from "zod";
import {
  type Agent,
  agent,
  type Call,
  type GatedAction,
  type GateOutcome,
  gate,
  promptFile,
} from "../../src/index.ts";
import { chooseModel } from "./choose-model.ts";
import { readMail } from "./inbox.ts";
import { fileLedger } from "./ledger.ts";
import { openOutbox } from "./outbox.ts";
import { openShop, type Shop } from "./shop.ts";
import { formatEuro } from "./summarize-thread.ts";
import { lookUp, reasonAgainst } from "./ticket.ts";
import { issueRefundInput, supportTools } from "./tools.ts";

export interface SupportDeskOptions {
  /** The folder for the shop's database and the outbox. Default: `defaultData`. */
  readonly data?: string;
  /** The folder of the `.eml` files. Default: `defaultInbox`. */
  readonly inbox?: string;
  /** `provider/model`, or a model object. */
  readonly model: unknown;
  /** A file to which every effect is appended when it happens; for tests. */
  readonly ledger?: string | undefined;
}

export const defaultInbox: string = join(import.meta.dirname, "inbox");
/** Where the command line looks as well, so that `npm run holdpoint -- inbox` needs no options. */
export const defaultData: string = join(import.meta.dirname, "../../.holdpoint");

const input = z.object({
  file: z
    .string()
    .refine(
      (name) => name === basename(name) && name.endsWith(".eml"),
      "the name of an .eml file in the inbox",
    ),
});

const output = z.object({
  outcome: z.enum(["resolved", "nothing_to_do", "needs_person"]),
  summary: z.string().min(1).max(500).describe("one sentence for the shop's staff"),
});

/** Sorted out by code, unseen by the model. */
const filedAs = {
  auto_reply: "Filed: an automatic reply, which must get none.",
  bulk: "Filed: sent to a list.",
};

/** Refunds up to this are made at once; it is what a person's time would cost. */
const smallRefundCents = 2_000;

function decideRefund({ tool, args }: GatedAction): GateOutcome | undefined {
  if (tool !== "issue_refund") return undefined; // as the tool's risk, or its name, has it
  const { cents } = issueRefundInput.parse(args);
  return cents <= smallRefundCents
    ? { kind: "allow" }
    : { kind: "hold", reason: `a refund over ${formatEuro(smallRefundCents)}` };
}

export function supportDesk({
  data = defaultData,
  inbox = defaultInbox,
  model,
  ledger,
}: SupportDeskOptions): Agent {
  let opened: Shop | undefined;
  const shop = (): Shop => (opened ??= openShop(join(data, "support-desk", "shop.db")));
  const outbox = openOutbox(join(data, "support-desk", "outbox"));
  const tools = supportTools({ shop, outbox, ledger: ledger === undefined ? undefined : fileLedger(ledger) });

  return agent({
    name: "support-desk",
    version: "1",
    model,
    prompt: promptFile(new URL("./support-desk.prompt.md", import.meta.url)),
    tools: Object.values(tools),
    input,
    output,
    gate: gate({ approvers: ["role:support-lead"], expiresIn: "7d", decide: decideRefund }),
    limits: { steps: 20 },
    async flow(t, { file }) {
      const mail = await t.step("parse the e-mail", () => readMail(join(inbox, file)));
      if (mail.kind !== "person") return { outcome: "nothing_to_do", summary: filedAs[mail.kind] };
      const ticket = await t.step("look up sender and orders", () => lookUp(shop(), mail));

      let refused: readonly string[] = [];
      for (;;) {
        const next = await t.decide({ see: { mail, ticket, refused } });
        if (next.kind === "calls") {
          const against = (call: Call): string | null => reasonAgainst(call, mail, ticket);
          refused = next.calls.map(against).filter((reason) => reason !== null);
          await t.act(next.calls.filter((call) => against(call) === null));
          continue;
        }
        const answer = output.parse(next.value);
        if (answer.outcome !== "needs_person") return answer;
        const taken = await t.ask(`${answer.summary} Please take over, then say what you did.`, {
          answer: z.string(),
        });
        if (taken.kind !== "answered") return answer;
        return { outcome: "resolved", summary: `${answer.summary} ${taken.by}: ${taken.value}` };
      }
    },
  });
}

/** As the command line finds it, with what `npm start` uses: it goes on with its threads after an approval. */
export default supportDesk({ model: chooseModel(process.env).model });
