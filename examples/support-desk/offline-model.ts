// A stand-in for a language model, so that the example runs without a key and a network. It is a list of rules, not a
// model, and says so in its id. It gets exactly what a provider would get, knows nothing else, and answers the same to
// the same input. Like a model it can be talked into things: it goes by what the e-mail says. That the desk stays
// safe is the work of the code around it.
import { z } from "zod";
import type { Model, ModelCall, ModelInput, ModelOutput } from "../../src/index.ts";

export function offlineModel(): Model {
  return {
    id: "offline/rules",
    generate: async (input, { signal }) => {
      signal.throwIfAborted();
      return decideByRules(input);
    },
  };
}

function decideByRules(input: ModelInput): ModelOutput {
  const view = readView(input);
  if (view === null)
    return answer(input, "needs_person", "The stand-in for a model understands support tickets only.");
  const trouble = [...view.known.refused, ...view.made.flatMap((action) => action.trouble ?? [])];
  if (trouble.length > 0)
    return answer(input, "needs_person", `The desk could not finish this. ${trouble.join("; ")}.`);

  const wishes = readWishes(view);
  if (wishes.length === 0 && patterns.thanks.test(view.text))
    return answer(input, "nothing_to_do", "Thanks, nothing to do.");
  if (wishes.length === 0) return answer(input, "needs_person", "What this e-mail asks for is not clear.");
  const calls = wishes.flatMap((wish) => callsFor(wish, view)).filter((call) => !hasMade(view, call.tool));
  const next = calls.length > 0 ? calls : hasMade(view, "send_email") ? [] : [reply(wishes, view)];
  if (next.length === 0) return answer(input, "resolved", `Handled and answered: ${wishes.join(" and ")}.`);
  if (next.every((call) => input.tools.some((tool) => tool.name === call.tool)))
    return { text: "", calls: next, finish: "calls" };
  return answer(input, "needs_person", "The desk has no tool for what this e-mail asks for.");
}

// What the input holds.

const order = z.object({ orderId: z.string(), refundableCents: z.number(), mentioned: z.boolean() });
const knownSchema = z.object({
  mail: z.object({
    from: z.string(),
    name: z.string(),
    messageId: z.string().nullable(),
    subject: z.string(),
    text: z.string(),
  }),
  ticket: z.object({
    customer: z.object({ customerId: z.string(), name: z.string() }).nullable(),
    orders: z.array(order),
    notTheirs: z.array(z.string()),
  }),
  refused: z.array(z.string()),
});
const foundSchema = z.object({ orderId: z.string(), state: z.string(), tracking: z.string().nullable() });
const troubleSchema = z.object({
  status: z.enum(["failed", "denied"]),
  why: z.string().optional(),
  message: z.string().optional(),
});

interface View {
  readonly known: z.infer<typeof knownSchema>;
  /** Not the subject: that of a reply repeats what was asked before. */
  readonly text: string;
  readonly made: readonly {
    readonly tool: string;
    readonly args: unknown;
    readonly result: unknown;
    readonly trouble: string | null;
  }[];
}

function readView({ messages }: ModelInput): View | null {
  const marker = "Known now:\n";
  const last = messages.findLast((message) => message.role === "user" && message.content.startsWith(marker));
  const known = knownSchema.safeParse(parseJson(last?.content.slice(marker.length) ?? ""));
  if (!known.success) return null;
  const calls = messages.flatMap((message) => (message.role === "assistant" ? message.calls : []));
  const made = messages.flatMap((message) => {
    if (message.role !== "tool") return [];
    const result = parseJson(message.content);
    const trouble = troubleSchema.safeParse(result).data;
    const args = calls.find((call) => call.callId === message.callId)?.args;
    return [
      {
        tool: message.tool,
        args,
        result,
        trouble: trouble
          ? `${message.tool} ${trouble.status}: ${trouble.why ?? trouble.message ?? "no reason given"}`
          : null,
      },
    ];
  });
  return { known: known.data, text: known.data.mail.text, made };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hasMade(view: View, tool: string): boolean {
  return view.made.some((action) => action.tool === tool);
}

// What the e-mail wants.

type Wish = "a refund" | "a new address" | "the end of an account" | "the state of an order";

const patterns = {
  refund: /\brefund|money back|erstatt|geld zurück|返金/i,
  address: /(new|changed my) address|have moved|neue (adresse|anschrift)|住所/i,
  deletion: /(delete|close|remove) my account|konto (löschen|schließen)|退会/i,
  status: /where is|on its way|when will|been sent|wo ist|wann kommt|いつ届|配送/i,
  thanks: /thank|danke|ありがとう/i,
};

function readWishes({ text }: View): readonly Wish[] {
  const wishes: Wish[] = [];
  if (patterns.address.test(text)) wishes.push("a new address");
  if (patterns.refund.test(text)) wishes.push("a refund");
  if (patterns.deletion.test(text)) wishes.push("the end of an account");
  return wishes.length === 0 && patterns.status.test(text) ? ["the state of an order"] : wishes;
}

function callsFor(wish: Wish, view: View): readonly ModelCall[] {
  const { known, text } = view;
  const customerId = known.ticket.customer?.customerId ?? /\bC-\d{2,}\b/.exec(text)?.[0] ?? "C-00";
  const orderId = orderInQuestion(view);
  switch (wish) {
    case "a new address": {
      const address = /address is:?\s*([^.\n]+)/i.exec(text)?.[1] ?? text.slice(0, 500);
      return [call("add_note", { customerId, text: `New address, by e-mail: ${address.trim()}` })];
    }
    case "a refund":
      return orderId === null
        ? []
        : [
            call("issue_refund", {
              orderId,
              customerId,
              cents: amountAskedFor(view, orderId),
              reason: "asked for by e-mail",
            }),
          ];
    case "the end of an account":
      return [call("delete_account", { customerId })];
    case "the state of an order":
      return orderId === null || known.ticket.notTheirs.includes(orderId)
        ? []
        : [call("find_order", { orderId })];
    default:
      return wish satisfies never;
  }
}

function call(tool: string, args: { readonly [name: string]: unknown }): ModelCall {
  return { callId: `rules_${tool}`, tool, args };
}

/** The order that is named, however loosely; else the only one there is. */
function orderInQuestion({ known: { ticket }, text }: View): string | null {
  const loose = /\border (?:no\.?|number)?\s*(\d{4})\b/i.exec(text)?.[1];
  const named =
    ticket.orders.find((candidate) => candidate.mentioned)?.orderId ??
    ticket.notTheirs[0] ??
    (loose ? `SO-${loose}` : null);
  return named ?? (ticket.orders.length === 1 ? (ticket.orders[0]?.orderId ?? null) : null);
}

function amountAskedFor({ known, text }: View, orderId: string): number {
  const amount = /(?:EUR|€)\s*(\d+)(?:[.,](\d{2}))?/.exec(text);
  if (amount) return Number(amount[1]) * 100 + Number(amount[2] ?? 0);
  return known.ticket.orders.find((candidate) => candidate.orderId === orderId)?.refundableCents || 1;
}

// What the reply says.

interface Phrases {
  readonly hello: (name: string) => string;
  readonly state: (order: z.infer<typeof foundSchema>) => string;
  readonly unknown: (orderId: string | null) => string;
  readonly refunded: (amount: string) => string;
  readonly noted: string;
  readonly deleted: string;
  readonly bye: string;
}

const english: Phrases = {
  hello: (name) => `Hello ${name},`,
  state: ({ orderId, state, tracking }) =>
    `your order ${orderId} is ${state === "open" ? "being packed" : state}${tracking ? `; its tracking number is ${tracking}` : ""}.`,
  unknown: (orderId) =>
    `we could not find the order${orderId ? ` ${orderId}` : ""} under your address. Could you please check its number?`,
  refunded: (amount) => `we are sorry. We have sent ${amount} back to you.`,
  noted: "we have noted your new address.",
  deleted: "we have deleted your account.",
  bye: "Your shop",
};

const german: Phrases = {
  hello: (name) => `Guten Tag ${name},`,
  state: ({ orderId, tracking }) =>
    `Ihre Bestellung ${orderId} ist in Arbeit${tracking ? `; die Sendungsnummer ist ${tracking}` : ""}.`,
  unknown: (orderId) =>
    `wir finden die Bestellung${orderId ? ` ${orderId}` : ""} nicht unter Ihrer Adresse. Bitte prüfen Sie die Nummer.`,
  refunded: (amount) => `es tut uns leid. Wir haben Ihnen ${amount} zurückgezahlt.`,
  noted: "wir haben Ihre neue Adresse notiert.",
  deleted: "wir haben Ihr Konto gelöscht.",
  bye: "Ihr Laden",
};

const japanese: Phrases = {
  hello: (name) => `${name}様`,
  state: ({ orderId, tracking }) =>
    `ご注文 ${orderId} は発送手続き済みです。${tracking ? `追跡番号は ${tracking} です。` : ""}`,
  unknown: (orderId) =>
    `ご注文${orderId ? ` ${orderId} ` : ""}が見つかりませんでした。番号をご確認ください。`,
  refunded: (amount) => `申し訳ございません。${amount} を返金いたしました。`,
  noted: "新しいご住所を承りました。",
  deleted: "アカウントを削除いたしました。",
  bye: "ショップより",
};

function reply(wishes: readonly Wish[], view: View): ModelCall {
  const { mail, ticket } = view.known;
  const phrases = phrasesFor(mail.text);
  const sentences = wishes.map((wish) => sentenceFor(wish, view, phrases));
  const body = [phrases.hello(ticket.customer?.name ?? mail.name), "", ...sentences, "", phrases.bye].join(
    "\n",
  );
  const subject = `Re: ${mail.subject.replace(/^(\s*(re|aw)\s*:)+\s*/i, "")}`.slice(0, 300);
  return call("send_email", {
    to: mail.from,
    subject,
    body,
    ...(mail.messageId === null ? {} : { inReplyTo: mail.messageId }),
  });
}

function phrasesFor(text: string): Phrases {
  if (/[\u3040-\u30ff]/.test(text)) return japanese;
  return /\b(guten tag|bitte|ich|mit freundlichen)\b/i.test(text) ? german : english;
}

function sentenceFor(wish: Wish, view: View, phrases: Phrases): string {
  const made = (tool: string): View["made"][number] | undefined =>
    view.made.find((action) => action.tool === tool);
  switch (wish) {
    case "a new address":
      return phrases.noted;
    case "a refund": {
      const refund = z.object({ cents: z.number() }).safeParse(made("issue_refund")?.result).data;
      return refund
        ? phrases.refunded(`EUR ${(refund.cents / 100).toFixed(2)}`)
        : phrases.unknown(orderInQuestion(view));
    }
    case "the end of an account":
      return phrases.deleted;
    case "the state of an order": {
      const found = foundSchema.safeParse(made("find_order")?.result).data;
      return found ? phrases.state(found) : phrases.unknown(orderInQuestion(view));
    }
    default:
      return wish satisfies never;
  }
}

function answer({ tools }: ModelInput, outcome: string, summary: string): ModelOutput {
  const clipped = summary.slice(0, 500);
  if (!tools.some((tool) => tool.name === "answer")) return { text: clipped, calls: [], finish: "stop" };
  return {
    text: "",
    calls: [{ callId: "rules_answer", tool: "answer", args: { outcome, summary: clipped } }],
    finish: "calls",
  };
}
