// Where in an agent's source a finding is about: by the words that stand there, since a definition knows no lines. The
// agent's file is searched, and what it imports by relative paths.
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Agent } from "../core/agent.ts";
import type { Finding, FindingPlace, FindingSubject } from "../core/check/finding.ts";
import { isPromptTemplate } from "../core/prompt/prompt.ts";
import { promptPath } from "../prompts/prompt-file.ts";
import { ownFolder } from "./own-package.ts";

/** Most files that are read for one agent, and the longest that is, in bytes. */
const mostFiles = 50;
const longestFile = 1_000_000;

interface Source {
  readonly file: string;
  readonly lines: readonly string[];
}

/** Adds the place to findings that have none, as far as it can be found. */
export function placeFindings(
  agent: Agent,
  file: string | undefined,
  findings: readonly Finding[],
  configPath: string | null = null,
): readonly Finding[] {
  const sources = file === undefined ? [] : sourcesOf(file);
  return findings.map((finding) => {
    const { about } = finding;
    const found =
      about?.kind === "people" ? channelsPlace(configPath) : about && placeOf(agent, sources, about);
    const where = finding.where ?? found;
    return where ? { ...finding, where } : finding;
  });
}

/** Channels are the config's, not the agent's. */
function channelsPlace(configPath: string | null): FindingPlace | null {
  const text = configPath === null ? null : readSource(configPath);
  if (configPath === null || text === null) return null;
  const index = text.split("\n").findIndex((line) => /\bchannels\b["']?\s*[:,]/.test(line));
  return { file: configPath, line: Math.max(0, index) + 1 };
}

/** The file, and what it imports, nearest first. */
function sourcesOf(file: string): readonly Source[] {
  const sources: Source[] = [];
  const queue = [file];
  for (const next of queue) {
    const text = sources.length < mostFiles ? readSource(next) : null;
    if (text === null) continue;
    sources.push({ file: next, lines: text.split("\n") });
    const imported = text.matchAll(/\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+\.[cm]?[jt]s)["']/g);
    for (const [, path = ""] of imported) {
      const found = resolve(dirname(next), path);
      if (!queue.includes(found) && !isForeign(found)) queue.push(found);
    }
  }
  return sources;
}

/** Packages, and in a clone Holdpoint's own sources, define no agent of a user. */
function isForeign(file: string): boolean {
  return file.includes("node_modules") || file.startsWith(join(ownFolder(), "src"));
}

function readSource(file: string): string | null {
  try {
    return statSync(file).size <= longestFile ? readFileSync(file, "utf8") : null;
  } catch {
    return null;
  }
}

function placeOf(agent: Agent, sources: readonly Source[], about: FindingSubject): FindingPlace | null {
  const named = (name: string): RegExp => new RegExp(`\\bname:\\s*["'\`]${escaped(name)}["'\`]`);
  const own = firstMatch(sources, named(agent.name)) ?? firstMatch(sources, /\bagent\s*\(/);
  switch (about.kind) {
    case "prompt":
      return promptPlace(agent, about.line) ?? near(sources, own, /\bprompt\b\s*[:,(]/) ?? own;
    case "tool":
      return firstMatch(sources, named(about.name)) ?? firstMatch(sources, quoted(about.name)) ?? own;
    case "gate":
    case "window":
    case "limits": {
      const { kind, text } = about;
      const words =
        text === undefined ? null : (nearQuoted(sources, own, text) ?? near(sources, own, member(text)));
      return words ?? near(sources, own, new RegExp(`\\b${kind}\\b\\s*[:(]`)) ?? own;
    }
    case "model":
      return near(sources, own, /\bmodel\b\s*[:,]/) ?? own;
    case "agent":
      return own;
    case "people":
      return null;
    default:
      return about satisfies never;
  }
}

function promptPlace({ prompt }: Agent, line = 1): FindingPlace | null {
  const file = isPromptTemplate(prompt) ? promptPath(prompt) : undefined;
  return file === undefined ? null : { file, line };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function quoted(text: string): RegExp {
  return new RegExp(`["'\`]${escaped(text)}["'\`]`);
}

function member(text: string): RegExp {
  return new RegExp(`\\b${escaped(text)}\\b\\s*[:(,]`);
}

function nearQuoted(sources: readonly Source[], own: FindingPlace | null, text: string): FindingPlace | null {
  return near(sources, own, quoted(text)) ?? firstMatch(sources, quoted(text));
}

/** In the agent's file from its name on: several agents may share a file. */
function near(sources: readonly Source[], own: FindingPlace | null, words: RegExp): FindingPlace | null {
  const source = sources.find(({ file }) => file === own?.file);
  const from = own ? own.line - 1 : 0;
  const index = source?.lines.findIndex((line, at) => at >= from && words.test(line)) ?? -1;
  return source && index >= 0 ? { file: source.file, line: index + 1 } : null;
}

function firstMatch(sources: readonly Source[], words: RegExp): FindingPlace | null {
  for (const { file, lines } of sources) {
    const index = lines.findIndex((line) => words.test(line));
    if (index >= 0) return { file, line: index + 1 };
  }
  return null;
}
