import { defineConfig } from "vitest/config";

/** Crash tests and the long runs that kill real workers: one file at a time, so that timings mean something. */
export default defineConfig({
  test: {
    environment: "node",
    pool: "forks",
    execArgv: ["--disable-warning=ExperimentalWarning"],
    include: ["test/crash/**/*.test.ts", "test/soak/**/*.test.ts"],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
