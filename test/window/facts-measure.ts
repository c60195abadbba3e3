// How many of 79 facts that a user once told are still in the window at the end: ours, a plain cut, and LangChain's.
import type { EventBody } from "../../src/core/events.ts";
import type { ThreadState } from "../../src/core/state.ts";
import { tokenEstimator } from "../../src/models/token-estimator.ts";
import { gptTokenizer } from "../kit/exact-tokens.ts";
import { everyNthSentence, keepAll, langchainMessages } from "../kit/langchain-summary.ts";
import { type Conversation, type Fact, hasAnswer, hasFact, wordsOf } from "../kit/memory-facts.ts";
import type { TapeTurn } from "../kit/tape.ts";
import { appendTurn, newLog, type TapeLog } from "../kit/tape-log.ts";
import { mean, percent, textTable } from "../kit/text-table.ts";
import { pinnedNote, type Window, windowAt } from "../kit/window-run.ts";
import { type Counter, reported } from "./run-settings.ts";

export const factBudgets = [8_000, 4_000, 2_000] as const;

/** How what the user said reaches the thread: as signals, as answers to questions, or as results of a tool. */
export type Carrier = "signal" | "answer" | "result";

interface ThreadOptions {
  readonly carrier: Carrier;
  readonly budget: number;
  readonly counter: Counter;
  readonly artifactBytes?: number;
  /** Events appended after the message that they belong to. */
  readonly after?: (message: number) => readonly EventBody[];
}

const readMessage = {
  name: "read_message",
  description: "Reads a message of the user.",
  inputSchema: { type: "object", properties: { number: { type: "integer" } } },
};

/** A thread that is told one message after the other, with a decision on each; its log, and all its windows. */
export function tellThread(
  messages: readonly string[],
  options: ThreadOptions,
): { readonly log: TapeLog; readonly windows: readonly Window[] } {
  const { carrier, budget, counter, after = () => [] } = options;
  const [first = "", ...rest] = carrier === "result" ? ["Read all messages.", ...messages] : messages;
  const log = newLog({ input: first }, options);
  const count = counter === "exact" ? gptTokenizer.count : tokenEstimator.count;
  const offer = { tools: carrier === "result" ? [readMessage] : [], answer: null };
  const build = (state: ThreadState): Window =>
    windowAt(state, { system: "Help the user.", input: first, offer, budget, count });
  const windows: Window[] = [];
  if (carrier !== "result") log.append(...after(0));
  for (const [index, message] of rest.entries()) {
    const window = build(log.state);
    windows.push(window);
    appendTurn(log, turnFor(carrier, message, index), window, reported(window.input));
    log.append(...after(carrier === "result" ? index : index + 1));
  }
  windows.push(build(log.state));
  return { log, windows };
}

function turnFor(carrier: Carrier, message: string, index: number): TapeTurn {
  return carrier === "result"
    ? { kind: "calls", text: "", calls: [{ tool: "read_message", args: { number: index }, result: message }] }
    : { kind: "reply", text: "Noted.", next: message, comesAs: carrier };
}

/** What the model reads of the conversation: everything but the system prompt. */
export function wordsIn({ input }: Window): readonly string[] {
  return input.messages.flatMap((message) => (message.role === "system" ? [] : wordsOf(message.content)));
}

/** The newest messages that fit, each with four tokens around it, beside the same system prompt. */
function newestMessages(messages: readonly string[], budget: number): readonly string[] {
  const cost = (message: string): number => 4 + gptTokenizer.count(message);
  let room = budget - cost("Help the user.");
  let start = messages.length;
  while (start > 0 && cost(messages[start - 1] ?? "") <= room) {
    start -= 1;
    room -= cost(messages[start] ?? "");
  }
  return messages.slice(start);
}

/** What was sent after each message: its words, where they are looked at, and its tokens. */
interface Told {
  readonly words: ReadonlyMap<number, readonly string[]>;
  readonly tokens: readonly number[];
}

type Method = (messages: readonly string[], budget: number) => Told;

/** Words are looked at after every so many messages, and after the last. */
const lookEvery = 8;

function told(sent: readonly { readonly words: () => readonly string[]; readonly tokens: number }[]): Told {
  const looked = sent.flatMap(({ words }, index): [number, readonly string[]][] =>
    index % lookEvery === 0 || index === sent.length - 1 ? [[index, words()]] : [],
  );
  return { words: new Map(looked), tokens: sent.map(({ tokens }) => tokens) };
}

function viaWindow(carrier: Carrier, counter: Counter): Method {
  return (messages, budget) => {
    const { windows } = tellThread(messages, { carrier, budget, counter });
    const after = windows.slice(-messages.length); // before the first result there is nothing
    return told(after.map((window) => ({ words: () => wordsIn(window), tokens: reported(window.input) })));
  };
}

const viaCut: Method = (messages, budget) =>
  told(messages.map((_, index) => asTold(newestMessages(messages.slice(0, index + 1), budget))));

function viaLangchain(
  summarize: (messages: string) => string,
  keep: (budget: number) => { readonly keepTokens?: number } = () => ({}),
): Method {
  return (messages, budget) => {
    let kept: readonly string[] = [];
    return told(
      messages.map((message) => {
        kept = langchainMessages([...kept, message], { triggerTokens: budget, summarize, ...keep(budget) });
        return asTold(kept);
      }),
    );
  };
}

function asTold(sent: readonly string[]) {
  return { words: () => sent.flatMap(wordsOf), tokens: tokensOf(sent) };
}

function tokensOf(messages: readonly string[]): number {
  const all = ["Help the user.", ...messages];
  return all.reduce((total, message) => total + 4 + gptTokenizer.count(message), 0);
}

const methods: readonly { readonly name: string; readonly method: Method }[] = [
  { name: "the window, told by signals", method: viaWindow("signal", "estimate") },
  { name: "the window, told by answers", method: viaWindow("answer", "estimate") },
  { name: "the window, told by results", method: viaWindow("result", "estimate") },
  { name: "the window, signals, exact tokenizer", method: viaWindow("signal", "exact") },
  { name: "newest messages that fit", method: viaCut },
  { name: "LangChain's defaults, all kept as summary", method: viaLangchain(keepAll) },
  { name: "LangChain's defaults, 500 tokens of it", method: viaLangchain(everyNthSentence(500)) },
  {
    name: "LangChain, half the budget kept, 500 tokens",
    method: viaLangchain(everyNthSentence(500), (budget) => ({ keepTokens: budget / 2 })),
  },
];

export interface FactsRow {
  readonly name: string;
  readonly budget: number;
  /** Facts in what is sent at the end, of each conversation's. */
  readonly facts: readonly { readonly found: number; readonly of: number }[];
  /** By the word of an answer alone, of all. */
  readonly answers: number;
  readonly total: number;
  /** Mean over the threads, which compact now and then: of the facts told so far, the share that is sent. */
  readonly alongTheWay: number;
  /** Of the longest conversation. */
  readonly lastTokens: number;
  readonly calls: number;
  readonly over: number;
}

export function measureFacts(conversations: readonly Conversation[]): readonly FactsRow[] {
  return factBudgets.flatMap((budget) =>
    methods.map(({ name, method }) => factsRow(conversations, { name, method, budget })),
  );
}

function factsRow(
  conversations: readonly Conversation[],
  { name, method, budget }: { readonly name: string; readonly method: Method; readonly budget: number },
): FactsRow {
  const all = conversations.map((conversation) => ({
    conversation,
    ...method(conversation.messages, budget),
  }));
  const atEnd = (has: (fact: Fact, words: readonly string[]) => boolean): readonly number[] =>
    all.map(({ conversation: { facts }, words }) => {
      const last = [...words.values()].at(-1) ?? [];
      return facts.filter((fact) => has(fact, last)).length;
    });
  const shares = all.flatMap(({ conversation: { facts }, words }) =>
    [...words].flatMap(([index, sent]) => {
      const toldSoFar = facts.filter(({ message }) => message <= index);
      const kept = toldSoFar.filter((fact) => hasFact(fact, sent));
      return toldSoFar.length === 0 ? [] : [kept.length / toldSoFar.length];
    }),
  );
  const tokens = all.flatMap((each) => each.tokens);
  return {
    name,
    budget,
    facts: atEnd(hasFact).map((found, at) => ({ found, of: conversations[at]?.facts.length ?? 0 })),
    answers: atEnd(hasAnswer).reduce((total, count) => total + count, 0),
    total: conversations.reduce((total, { facts }) => total + facts.length, 0),
    alongTheWay: mean(shares),
    lastTokens: Math.max(...all.map((each) => each.tokens.at(-1) ?? 0)),
    calls: tokens.length,
    over: tokens.filter((sent) => sent > budget).length,
  };
}

export function showFacts(rows: readonly FactsRow[], conversations: readonly Conversation[]): string {
  const header = [
    "what is kept",
    "budget",
    ...conversations.map(({ scenario }) => scenario),
    "facts at the end",
    "on the way",
    "answers' words",
    "tokens at the end",
    "calls over budget",
  ];
  return textTable(
    header,
    rows.map((row) => [
      row.name,
      row.budget,
      ...row.facts.map(({ found, of }) => `${found} of ${of}`),
      `${row.facts.reduce((total, { found }) => total + found, 0)} of ${row.total}`,
      percent(row.alongTheWay, 0),
      `${row.answers} of ${row.total}`,
      row.lastTokens,
      `${row.over} of ${row.calls}`,
    ]),
  );
}

/** Facts that neither an event nor an artifact of the thread's log holds any more. */
export function lostFacts({ messages, facts }: Conversation, carrier: Carrier): readonly string[] {
  const { log } = tellThread(messages, { carrier, budget: 2_000, counter: "estimate", artifactBytes: 256 });
  const texts = [...log.events.map((each) => JSON.stringify(each)), ...log.artifacts.values()].map(wordsOf);
  return facts.filter((fact) => !texts.some((words) => hasFact(fact, words))).map(({ id }) => id);
}

/** Facts that were pinned when they were told, and are not in the last window of this budget. */
export function unpinnedFacts({ messages, facts }: Conversation, budget: number): readonly string[] {
  const after = (message: number): readonly EventBody[] =>
    facts.flatMap((fact, number) => (fact.message === message ? [pinnedNote(fact.source, number)] : []));
  const { windows } = tellThread(messages, { carrier: "signal", budget, counter: "estimate", after });
  const last = windows.at(-1);
  const words = last ? wordsIn(last) : [];
  return facts.filter((fact) => !hasFact(fact, words)).map(({ id }) => id);
}
