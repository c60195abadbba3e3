import { configDefaults, defineConfig } from "vitest/config";

/** All tests but the long ones, which `npm run test:crash` adds. */
export default defineConfig({
  test: {
    environment: "node",
    expect: { poll: { timeout: 30_000 } }, // as long as a test may take: a process takes its time to start on a busy machine
    pool: "forks", // worker threads share a process: no signals, no chdir, one exit code
    execArgv: ["--disable-warning=ExperimentalWarning"], // node:sqlite, on Node 22
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/soak/**"],
    testTimeout: 120_000, // against hanging only: the slowest take 10 s on a quiet machine, and machines are shared
    hookTimeout: 120_000,
  },
});
