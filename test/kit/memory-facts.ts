// The conversations of `../shared/data/bfcl` that hold 79 facts to be remembered, and what counts as remembering one.
import { existsSync } from "node:fs";
import { readLines } from "./tape.ts";

const folder = "../shared/data/bfcl";
export const hasFacts: boolean = existsSync(`${folder}/memory_prereq_conversation`);
export const whyNoFacts: string = hasFacts ? "" : ` (skipped: no ${folder}/memory_prereq_conversation)`;

const scenarios = ["customer", "finance", "notetaker"] as const;
type Scenario = (typeof scenarios)[number];

export interface Fact {
  readonly id: string;
  readonly scenario: Scenario;
  /** Any of these is right. */
  readonly answers: readonly string[];
  /** Where it stands in the conversation, shortened with dots by the data set's authors. */
  readonly source: string;
  /** The message that `source` is taken from, by its place in the conversation. */
  readonly message: number;
}

export interface Conversation {
  readonly scenario: Scenario;
  readonly sessions: number;
  /** Everything the user said, over all sessions; the data set has no replies. */
  readonly messages: readonly string[];
  readonly facts: readonly Fact[];
}

export function readConversations(): readonly Conversation[] {
  type Answer = { readonly id: string; readonly ground_truth: readonly string[]; readonly source: string };
  const answers = readLines<Answer>(`${folder}/possible_answer/BFCL_v4_memory.json`);
  return scenarios.map((scenario) => {
    type Session = { readonly question: readonly (readonly { readonly content: string }[])[] };
    const sessions = readLines<Session>(`${folder}/memory_prereq_conversation/memory_${scenario}.json`);
    const messages = sessions.flatMap(({ question }) => question.flat().map(({ content }) => content));
    const own = answers.filter(({ id }) => id.includes(`-${scenario}-`));
    const facts = own.map(({ id, ground_truth, source }) => ({
      id,
      scenario,
      answers: ground_truth,
      source,
      message: sourceMessage(messages, source),
    }));
    return { scenario, sessions: sessions.length, messages, facts };
  });
}

/** The message that shares most with the source: what stands between its dots is quoted, not always to the letter. */
function sourceMessage(messages: readonly string[], source: string): number {
  const scores = messages.map((message) => sharedWords(wordsOf(source), wordsOf(message)));
  return scores.indexOf(Math.max(...scores));
}

/** Of the words of the one, as many of each as it has, the share that the other has too. */
function sharedWords(words: readonly string[], others: readonly string[]): number {
  const known = new Set(others);
  return words.filter((word) => known.has(word)).length / Math.max(1, words.length);
}

/**
 * Lower case without punctuation, times without their zeros: "05:30 AM" is "5 30 am", "08:00 AM" and "8 AM" are "8 am".
 * What JSON escapes in a text is undone first.
 */
export function wordsOf(text: string): readonly string[] {
  const before = splitBefore.get(text);
  if (before) return before;
  const words = splitWords(text);
  splitBefore.set(text, words);
  return words;
}

const splitBefore = new Map<string, readonly string[]>();

function splitWords(text: string): readonly string[] {
  const plain = text
    .replaceAll(/\\[nrt"\\]|\\u[0-9a-f]{4}/g, " ")
    .toLowerCase()
    .replaceAll(/\b0?(\d{1,2}):00\b/g, "$1")
    .replaceAll(/\b0(\d:\d\d)\b/g, "$1")
    .replaceAll(/(\d)\.(\d)/g, "$1point$2")
    .replaceAll(/['’]s\b/g, "");
  return plain.match(/[\p{L}\p{N}_]+/gu) ?? [];
}

/** Words that a text has besides its facts. */
const fillers = new Set(
  "a an and are as at be been but by for from had has have i in is it its just like my of on or so that the their there they this to was we were what which with you your me more also some very really can could would".split(
    " ",
  ),
);

/** A right answer stands in these words. Answers that list several things need each of them. */
export function hasAnswer({ answers }: Fact, words: readonly string[]): boolean {
  const text = ` ${words.join(" ")} `;
  return answers.some((answer) =>
    answer
      .split(", ")
      .every((part) => forms(wordsOf(part).join(" ")).some((form) => text.includes(` ${form} `))),
  );
}

/** An answer in the singular is also given by its plural, and "twenty five" by "twenty-five", which has no hyphen here. */
function forms(answer: string): readonly string[] {
  return [answer, `${answer}s`];
}

/**
 * The fact itself, not only a word that is like its answer ("2", "Friday"): within a passage about as long as its
 * source there are most of the source's words, and the answer where the source has it to the letter.
 */
export function hasFact(fact: Fact, words: readonly string[]): boolean {
  const { wanted, needed, length, needsAnswer } = traitsOf(fact);
  const inPassage = new Map<string, number>();
  for (const [end, word] of words.entries()) {
    const left = words[end - length];
    if (left !== undefined && wanted.has(left)) lower(inPassage, left);
    if (!wanted.has(word)) continue;
    inPassage.set(word, (inPassage.get(word) ?? 0) + 1);
    if (inPassage.size < needed) continue;
    if (!needsAnswer || hasAnswer(fact, words.slice(Math.max(0, end + 1 - length), end + length)))
      return true;
  }
  return false;
}

function lower(counts: Map<string, number>, word: string): void {
  const count = counts.get(word) ?? 0;
  if (count > 1) counts.set(word, count - 1);
  else counts.delete(word);
}

interface Traits {
  readonly wanted: ReadonlySet<string>;
  readonly needed: number;
  readonly length: number;
  readonly needsAnswer: boolean;
}

const known = new WeakMap<Fact, Traits>();

function traitsOf(fact: Fact): Traits {
  const before = known.get(fact);
  if (before) return before;
  const words = wordsOf(fact.source);
  const wanted = new Set(words.filter((word) => !fillers.has(word)));
  const made = {
    wanted,
    needed: Math.ceil(wanted.size * mostOfIt),
    length: words.length * passageLength,
    needsAnswer: hasAnswer(fact, words),
  };
  known.set(fact, made);
  return made;
}

/** Sources leave out what stands between their parts. */
const passageLength = 3;
const mostOfIt = 0.6;
