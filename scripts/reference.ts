// Writes docs/reference from the source: `reference.ts` all pages, `reference.ts --check` says which are out of date.
// The API page needs the doc model of api-extractor (temp/holdpoint.api.json), which `npm run api` and
// `npm run check:package` leave; without it that page is left as it is.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { apiPage } from "./reference/api-page.ts";
import { cliPage } from "./reference/cli-page.ts";
import { errorsPage } from "./reference/errors-page.ts";
import { eventsPage } from "./reference/events-page.ts";
import { httpPage } from "./reference/http-page.ts";

const folder = new URL("../docs/reference/", import.meta.url);
const docModel = new URL("../temp/holdpoint.api.json", import.meta.url);

/** The pages that are made from the sources alone, by name. */
export async function sourcePages(): Promise<ReadonlyMap<string, string>> {
  const source = (name: string): string =>
    readFileSync(new URL(`../src/core/${name}`, import.meta.url), "utf8");
  return new Map([
    ["cli.md", cliPage()],
    ["errors.md", errorsPage()],
    ["events.md", eventsPage(source("events.ts"), source("event-values.ts"))],
    ["http.md", await httpPage()],
  ]);
}

/** The page as it is committed; empty when there is none. */
export function committedPage(name: string): string {
  const path = new URL(name, folder);
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

async function main(isCheck: boolean): Promise<void> {
  const pages = new Map(await sourcePages());
  if (existsSync(docModel)) pages.set("api.md", apiPage(JSON.parse(readFileSync(docModel, "utf8"))));
  const changed = [...pages].filter(([name, text]) => committedPage(name) !== text);
  if (isCheck) {
    for (const [name] of changed) console.error(`docs/reference/${name} is out of date: npm run reference`);
    process.exitCode = changed.length === 0 ? 0 : 1;
    return;
  }
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of changed) writeFileSync(new URL(name, folder), text);
  console.log(
    changed.length === 0
      ? "nothing has changed"
      : changed.map(([name]) => `docs/reference/${name}`).join("\n"),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.includes("--check"));
