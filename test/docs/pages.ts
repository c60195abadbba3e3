// The documentation, as its tests read it: pages, and the fenced blocks on them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const project: string = join(import.meta.dirname, "../..");

/** README and every page under docs, from the project's folder. */
export const pages: readonly string[] = [
  "README.md",
  ...readdirSync(join(project, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`)
    .toSorted(),
];

export interface Block {
  readonly page: string;
  /** `ts`, `sh`, `text`, …; empty where none is named. */
  readonly language: string;
  readonly text: string;
  /** From 1, among the page's blocks of its language. */
  readonly number: number;
}

export function readPage(page: string): string {
  return readFileSync(join(project, page), "utf8");
}

/** A page's fenced blocks, in order. */
export function blocksOf(page: string): readonly Block[] {
  const counts = new Map<string, number>();
  return Array.from(readPage(page).matchAll(/^```(\w*)\n(.*?)^```$/gms), ([, language = "", text = ""]) => {
    const number = (counts.get(language) ?? 0) + 1;
    counts.set(language, number);
    return { page, language, text, number };
  });
}

/** The commands of a `sh` block: lines, with those that go on after a `\` put together, and no comments. */
export function commandsOf({ text }: Block): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/(^|\s+)#\s.*$/, "").trim())
    .filter((line) => line !== "");
}
