import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** The folder of the Holdpoint that runs: a clone's, or the installed package's. */
export function ownFolder(): string {
  return fileURLToPath(new URL("../../", import.meta.url));
}

/** The version in package.json, which lies two folders up from here, in the sources as in the built package. */
export function ownVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version; // npm requires it
}

/**
 * Makes `import … from "holdpoint"` in agents' files mean the Holdpoint that runs them. So there is one copy, whose
 * errors are recognised, and an agent's file runs wherever it lies, from these sources as from the built package.
 */
export function shareOwnPackage(): void {
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const urls = new Map([
    ["holdpoint", new URL(`../index${extension}`, import.meta.url).href],
    ["holdpoint/testing", new URL(`../testing/index${extension}`, import.meta.url).href],
  ]);
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = urls.get(specifier);
      return url === undefined ? nextResolve(specifier, context) : { url, shortCircuit: true };
    },
  });
}
