import { createRequire } from "node:module";
import type * as Yaml from "yaml";

let loaded: typeof Yaml | null = null;

/** The library that reads YAML: loaded with the first front matter, since most commands and agents have none to read. */
export function yamlLibrary(): typeof Yaml {
  loaded ??= createRequire(import.meta.url)("yaml") as typeof Yaml; // the types that came with it
  return loaded;
}
