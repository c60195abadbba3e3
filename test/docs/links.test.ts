import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { expect, test } from "vitest";
import { pages, project, readPage } from "./pages.ts";

/** Text without code: a link in code is none. */
function prose(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, "code");
}

/** As GitHub names headings: lower case, without punctuation, `-` for spaces; numbered where the same comes again. */
function anchorsOf(text: string): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const headings = text.replaceAll(/^```.*?^```$/gms, "").matchAll(/^#{1,6} +(.+)$/gm);
  const names = Array.from(headings, ([, heading = ""]) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const name = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(/\s/g, "-");
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
  const given = Array.from(text.matchAll(/<a id="([^"]+)">/g), ([, id = ""]) => id);
  return new Set([...names, ...given]);
}

function linksOf(page: string): readonly string[] {
  return Array.from(prose(readPage(page)).matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target);
}

function problemOf(page: string, target: string): string | null {
  if (/^[a-z]+:/.test(target)) return null;
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(project, file))) return `${page}: ${target} is not there`;
  if (anchor === undefined || anchorsOf(readFileSync(join(project, file), "utf8")).has(anchor)) return null;
  return `${page}: ${target} names no heading`;
}

const linked = [...pages, "CONTRIBUTING.md", "CHANGELOG.md", "examples/support-desk/README.md"];

test("every relative link leads to a file, and to a heading where it names one", () => {
  const problems = linked.flatMap((page) => linksOf(page).map((target) => problemOf(page, target)));
  expect(problems.length).toBeGreaterThan(50);
  expect(problems.filter((problem) => problem !== null)).toEqual([]);
});

test("the index names every page", () => {
  const named = ["docs/README.md", "docs/factors/README.md", "docs/reference/README.md"].flatMap((index) =>
    linksOf(index).map((target) => join(dirname(index), target.split("#")[0] ?? "")),
  );
  const missing = pages.filter((page) => page !== "docs/README.md" && !named.includes(page));
  expect(missing.map((page) => relative(project, join(project, page)).replaceAll(sep, "/"))).toEqual([]);
});
