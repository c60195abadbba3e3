import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Finished {
  /** `null` when it was killed. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const sqliteStore = fileURLToPath(new URL("../../src/stores/sqlite/store.ts", import.meta.url));

/** An async function body as a program: `openSqliteStore` is there, and what it returns is printed as JSON. */
export function storeProgram(body: string): string {
  return `import { openSqliteStore } from ${JSON.stringify(sqliteStore)};
    const answer = await (async () => { ${body} })();
    process.stdout.write(JSON.stringify(answer) ?? "");`;
}

/** Runs a program in a process of its own, and waits for its end. */
export function runNode(
  program: string,
  options: {
    readonly uid?: number;
    readonly gid?: number;
    readonly onOutput?: (text: string, kill: () => void) => void;
  } = {},
): Promise<Finished> {
  const { onOutput, ...user } = options;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program],
    {
      ...user,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => {
    output.stdout += String(data);
    onOutput?.(output.stdout, () => child.kill("SIGKILL"));
  });
  child.stderr.on("data", (data) => {
    output.stderr += String(data);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, ...output }));
  });
}
