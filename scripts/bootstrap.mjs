// Runs a project script on the project's own Node, from a clone in which nothing is installed yet.
//
//   node scripts/bootstrap.mjs                     only make the clone ready
//   node scripts/bootstrap.mjs <tool> [args…]      an installed package's command, such as vitest
//   node scripts/bootstrap.mjs <file.ts> [args…]   a source file, unbuilt: Node strips the types
//
// B1. This file imports nothing that has to be installed, and any Node from 20 on can run it.
// B2. stdout belongs to the target; everything said here goes to stderr.
// B3. Of several bootstraps started at once, one installs and the others wait for it.
// B4. npm runs no install script. Only the `node` package has one, and it is run here, so the result
//     is the same whether npm allows install scripts, warns about them or blocks them (npm 12).
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const isWindows = process.platform === "win32";
const platform = `${process.platform}-${process.arch}`;
const modulesDir = join(root, "node_modules");
const binDir = join(modulesDir, ".bin");
const nodePackageDir = join(modulesDir, "node");
const projectNode = join(nodePackageDir, "bin", isWindows ? "node.exe" : "node");
const stampFile = join(modulesDir, ".bootstrap.json");
const lockDir = join(root, ".bootstrap-lock");
const lockBeatMs = 1_000;
const lockStaleMs = 20_000; // twenty missed beats: whoever held it is gone
const oldestNode = [22, 18]; // package.json `engines`: the first 22 that strips types without a flag

let activeChild;
let interruptedBy;
let isInstalling = false;

await main(process.argv.slice(2));

async function main([target, ...args]) {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => onSignal(signal));
  const node = usableNode() ?? (await withInstallLock(installWhatIsMissing));
  if (target === undefined) return;
  const ended = await run(node, ["--disable-warning=ExperimentalWarning", entryOf(target), ...args], {
    stdio: "inherit",
    env: environmentFor(node),
  });
  endLike(ended);
}

/** The Node to run on when the installed packages are those of package-lock.json, else undefined. */
function usableNode() {
  const stamp = readJson(stampFile);
  if (stamp?.lock !== hashOfLockfile() || stamp.platform !== platform) return undefined;
  if (stamp.projectNode) return existsSync(projectNode) ? projectNode : undefined;
  return isRecentEnough(process.versions.node) && existsSync(process.execPath) ? process.execPath : undefined;
}

/** Installs the packages and the project's Node as far as either is missing; returns the Node to run on. */
async function installWhatIsMissing() {
  const alreadyDone = usableNode(); // by the bootstrap that held the lock before
  if (alreadyDone) return alreadyDone;
  if (!packagesMatchLockfile()) await installPackages();
  const hasProjectNode = (await canRun(projectNode)) || (await installProjectNode());
  writeFileSync(stampFile, JSON.stringify({ lock: hashOfLockfile(), platform, projectNode: hasProjectNode }));
  const node = usableNode();
  if (node && !hasProjectNode)
    say(`Node 24 could not be installed; going on with Node ${process.versions.node}`);
  return node ?? fail(noNodeMessage());
}

/** True when npm's own record of what it installed agrees with package-lock.json (a hand-run `npm ci`). */
function packagesMatchLockfile() {
  const stamp = readJson(stampFile);
  if (stamp && stamp.platform !== platform) return false; // a node_modules carried over from another system
  const installed = readJson(join(modulesDir, ".package-lock.json"))?.packages;
  const wanted = readJson(join(root, "package-lock.json"))?.packages;
  if (!installed || !wanted) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === "") return true;
    return installed[path] ? installed[path].version === version : Boolean(optional);
  });
}

async function installPackages() {
  const reason = existsSync(modulesDir) ? "they do not match package-lock.json" : "first run";
  say(`installing dependencies (${reason}) …`);
  const startedAt = Date.now();
  // Dev dependencies also under NODE_ENV=production; Node 20 may install what only Node 24 will run.
  const options = ["--ignore-scripts", "--include=dev", "--engine-strict=false"];
  const ended = await runNpm(["ci", ...options]);
  if (ended.code !== 0) fail(installFailedMessage(ended));
  say(`dependencies installed in ${Math.round((Date.now() - startedAt) / 1000)} s`);
}

/** Does what the `node` package's own install script does: fetch the binary for this system. */
async function installProjectNode() {
  const installer = join(nodePackageDir, "installArchSpecificPackage.js");
  if (!existsSync(installer)) return false;
  say("installing Node 24 for this project …");
  // This process may itself have run on the project's Node, which `npm ci` has just removed.
  const runner = existsSync(process.execPath) ? process.execPath : "node";
  await run(runner, ["--no-deprecation", installer], {
    cwd: nodePackageDir,
    stdio: ["ignore", "ignore", 2],
    env: npmEnvironment(),
  });
  if (!(await canRun(projectNode))) return false;
  linkProjectNode();
  return true;
}

/** `node` in npm scripts is node_modules/.bin/node; npm links it only when the binary is there in time. */
function linkProjectNode() {
  const link = join(binDir, "node");
  if (isWindows || existsSync(link)) return;
  rmSync(link, { force: true }); // a link to nowhere
  symlinkSync(join("..", "node", "bin", "node"), link);
}

/** Whether the binary starts at all: a glibc build does not on Alpine. */
async function canRun(node) {
  if (!existsSync(node)) return false;
  return (await run(node, ["--version"], { stdio: "ignore" })).code === 0;
}

function entryOf(target) {
  if (/[\\/]|\.[cm]?[jt]s$/.test(target)) return target;
  const packageDir = join(modulesDir, target);
  const bin = readJson(join(packageDir, "package.json"))?.bin;
  const entry = typeof bin === "string" ? bin : bin?.[target];
  return entry ? join(packageDir, entry) : fail(`${target} is neither a file nor a package with a command.`);
}

function environmentFor(node) {
  const onPath = node === projectNode ? [binDir, dirname(projectNode)] : [binDir, dirname(node)];
  return withPath([...onPath, ...pathEntries()]);
}

/** npm must not run on a Node that it is about to replace. */
function npmEnvironment() {
  const entries = pathEntries().filter((entry) => !resolve(entry).startsWith(modulesDir));
  return {
    ...withPath(entries),
    npm_config_loglevel: "error",
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_fetch_retry_mintimeout: "2000", // without a network: an answer in seconds, not in minutes
    npm_config_fetch_retry_maxtimeout: "8000",
  };
}

function runNpm(args) {
  return run("npm", args, {
    cwd: root,
    stdio: ["ignore", "ignore", 2],
    env: npmEnvironment(),
    shell: isWindows,
  });
}

function run(command, args, options) {
  return new Promise((done) => {
    const child = spawn(command, args, options);
    activeChild = child;
    child.once("error", (error) => done({ code: 127, signal: null, error }));
    child.once("close", (code, signal) => done({ code, signal }));
  }).finally(() => {
    activeChild = undefined;
    if (isInstalling && interruptedBy) process.exit(128 + constants.signals[interruptedBy]);
  });
}

/** A terminal sends Ctrl-C to the child as well: passing it on would make it two. */
function onSignal(signal) {
  interruptedBy = signal;
  const sentByTerminal = signal === "SIGINT" && (process.stdin.isTTY || process.stderr.isTTY);
  if (activeChild) {
    if (!sentByTerminal) activeChild.kill(signal);
  } else {
    process.exit(128 + constants.signals[signal]);
  }
}

function endLike({ code, signal, error }) {
  if (error) fail(`the program could not be started: ${error.message}`);
  if (!signal) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

async function withInstallLock(work) {
  for (let isFirstTry = true; !takeLock(); isFirstTry = false) {
    if (isFirstTry) say("another run is installing; waiting for it …");
    await sleep(200);
  }
  isInstalling = true;
  const beat = setInterval(() => utimesSync(lockDir, new Date(), new Date()), lockBeatMs);
  const release = () => rmSync(lockDir, { recursive: true, force: true });
  process.once("exit", release); // also after fail() and a signal
  try {
    return await work();
  } finally {
    clearInterval(beat);
    process.off("exit", release);
    release();
    isInstalling = false;
  }
}

function takeLock() {
  try {
    mkdirSync(lockDir);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  const heldSince = statSync(lockDir, { throwIfNoEntry: false })?.mtimeMs;
  if (heldSince !== undefined && Date.now() - heldSince > lockStaleMs) discardLock();
  return false;
}

/** Moved away before it is removed: of several that find it stale, one succeeds. */
function discardLock() {
  const aside = `${lockDir}-${process.pid}`;
  try {
    renameSync(lockDir, aside);
    rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

function hashOfLockfile() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function isRecentEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined; // absent, or cut off while it was written: both mean "not there"
  }
}

function pathKey() {
  return Object.keys(process.env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
}

function pathEntries() {
  return (process.env[pathKey()] ?? "").split(delimiter).filter(Boolean);
}

function withPath(entries) {
  return { ...process.env, [pathKey()]: entries.join(delimiter) };
}

function say(message) {
  process.stderr.write(`holdpoint: ${message}\n`);
}

function fail(message) {
  say(message);
  process.exit(1);
}

function installFailedMessage({ code, error }) {
  if (error) {
    return `npm could not be started (${error.message}).\n  Install Node.js with npm, 24 or later, then run this again.`;
  }
  return [
    `installing dependencies failed (npm ci ended with ${code}); npm's own message is above.`,
    "  No network, or a proxy in between?  Connect, or set npm's proxy or registry, then run this again.",
    "  Working offline?                    Run `npm ci` once while connected; later runs need no network.",
    "  package.json was edited?            Run `npm install`, which brings package-lock.json up to date.",
  ].join("\n");
}

function noNodeMessage() {
  return [
    `Node ${process.versions.node} is too old to run Holdpoint's sources, and Node 24 could not be installed beside it.`,
    "  Connected to the registry?  Run this again: it tries once more.",
    `  Otherwise install Node ${oldestNode.join(".")} or later (24 is what we develop on) and run this again.`,
  ].join("\n");
}
