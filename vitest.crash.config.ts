import { defineConfig } from "vitest/config";

/** Crash tests and the long runs that kill real workers: one file at a time, so that timings mean something. */
export default defineConfig({
  test: {
    environment: "node",
    expect: { poll: { timeout: 30_000 } }, // as long as a test may take: a process takes its time to start on a busy machine
    pool: "forks",
    execArgv: ["--disable-warning=ExperimentalWarning"],
    include: ["test/crash/**/*.test.ts", "test/soak/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
