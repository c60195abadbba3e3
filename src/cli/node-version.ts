// Imported first, and plain enough for any Node that has modules: whatever comes after may be too new for it.

/** package.json `engines`: the first 22 that strips types without a flag. */
const oldest = [22, 18] as const;

/** What to tell whoever runs a command on a Node that is too old; `null` when it is not. */
export function nodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return null;
  return `error (usage): Holdpoint needs Node ${oldest.join(".")} or later, and this is ${version}\n  → Install a newer Node, from https://nodejs.org.\n`;
}

const problem = nodeProblem(process.versions.node);
if (problem !== null) {
  process.stderr.write(problem);
  process.exit(2);
}
