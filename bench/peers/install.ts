// Installs the peers beside this file, by their own lockfile and without any install script: none of them needs one.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const folder = import.meta.dirname;

/** @returns why it failed, or null. A peer that is then missing gets rows that say so. */
export function installPeers(): string | null {
  if (isInstalled()) return null;
  process.stderr.write("bench:peers: installing the peers by npm ci --ignore-scripts …\n");
  const startedAt = performance.now();
  const options = [
    "--ignore-scripts",
    "--engine-strict=false",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ];
  const { status, error } = spawnSync("npm", ["ci", ...options], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) return `npm ci failed: ${error?.message ?? `it ended with ${status}`}`;
  process.stderr.write(
    `bench:peers: installed in ${Math.round((performance.now() - startedAt) / 1_000)} s\n`,
  );
  return null;
}

/** npm's own record of what it installed agrees with the lockfile. */
function isInstalled(): boolean {
  const installed = packagesIn("node_modules/.package-lock.json");
  const wanted = packagesIn("package-lock.json");
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === "" || installed[path]?.version === version || (optional && !installed[path]),
  );
}

type Packages = Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;

function packagesIn(file: string): Packages {
  const path = join(folder, file);
  if (!existsSync(path)) return {};
  return (JSON.parse(readFileSync(path, "utf8")) as { readonly packages: Packages }).packages; // npm writes it
}

/** `name version` of a package as it is installed. */
export function versionOf(name: string): string {
  const path =
    name === "holdpoint"
      ? join(folder, "../../package.json")
      : join(folder, "node_modules", name, "package.json");
  if (!existsSync(path)) return `${name} (not installed)`;
  return `${name} ${(JSON.parse(readFileSync(path, "utf8")) as { readonly version: string }).version}`;
}
