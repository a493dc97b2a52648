import { defineConfig } from "vitest/config"

/** The suites of all hosts that run here, too; the last ones with `TEST_RAY=all`. */
const suites = ["contract", "replicas", "drain", "stuck"]
const more = ["start", "lost", "orphans"]

export default defineConfig({
  test: {
    include: [
      ...[...suites, ...(process.env["TEST_RAY"] === "all" ? more : [])].map((name) => `test/hosts/${name}.test.ts`),
      "test/ray/**/*.test.ts"
    ],
    env: { TEST_HOSTS: "ray" },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // they wait for Ray more than they compute
    maxWorkers: 2
  }
})
