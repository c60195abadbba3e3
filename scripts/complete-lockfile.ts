// Adds to package-lock.json the builds of native tools for other systems that npm left out.
//
// Such a tool (Biome, oxlint, …) is one package per system, each an optional dependency pinned by its parent.
// npm drops the ones that the registry in use does not carry, and `npm ci` then refuses the lockfile. What the
// parent pins is all that an entry needs; without an integrity hash npm checks only name and version.
// Run by `npm run lock` after any change of dependencies; changes nothing when nothing is missing.
// `node scripts/complete-lockfile.ts bench/peers/package-lock.json` does the same for that one.
import { readFileSync, writeFileSync } from "node:fs";

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
interface Lockfile {
  packages: Record<string, LockedPackage>;
}

const [given] = process.argv.slice(2);
const path = given ?? new URL("../package-lock.json", import.meta.url);
// npm writes this file; a shape that is not this one fails on the first access below.
const lockfile = JSON.parse(readFileSync(path, "utf8")) as Lockfile;

const added = Object.values(lockfile.packages).flatMap((parent) =>
  Object.entries(parent.optionalDependencies ?? {}).filter(([name, version]) =>
    addEntry(parent, name, version),
  ),
);
if (added.length > 0) {
  lockfile.packages = Object.fromEntries(Object.entries(lockfile.packages).sort(byPath));
  writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
}
process.stderr.write(`${given ?? "package-lock.json"}: ${added.length} builds for other systems added\n`);

function addEntry(parent: LockedPackage, name: string, version: string): boolean {
  const key = `node_modules/${name}`;
  const system = systemOf(name);
  if (lockfile.packages[key] || !system || !/^\d/.test(version)) return false;
  const { cpu, libc, os } = system;
  const entry = { version, cpu, ...(parent.dev && { dev: true }), ...(libc && { libc }), optional: true, os };
  lockfile.packages[key] = entry; // its keys in the order in which npm writes them
  return true;
}

/** The `os`, `cpu` and `libc` of a build, read off its name: `@oxlint/binding-linux-x64-musl`. */
function systemOf(name: string): { os: string[]; cpu: string[]; libc?: string[] } | undefined {
  const words = name.split(/[/-]/);
  const os = words.find((word) =>
    /^(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)$/.test(word),
  );
  const cpu = words.find((word) => /^(arm|arm64|ia32|loong64|ppc64|riscv64|s390x|x64)$/.test(word));
  if (!os || !cpu) return undefined;
  const libc = words.some((word) => word.startsWith("musl"))
    ? "musl"
    : words.some((word) => word.startsWith("gnu"))
      ? "glibc"
      : undefined;
  return { os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) };
}

function byPath([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a.localeCompare(b, "en");
}
