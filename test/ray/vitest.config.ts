import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // the suites of all hosts, and what only Ray has
    include: [
      ...["contract", "replicas", "drain", "start", "lost", "stuck", "orphans"].map((name) =>
        `test/hosts/${name}.test.ts`
      ),
      "test/ray/**/*.test.ts"
    ],
    env: { TEST_HOSTS: "ray" },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // one cluster, and few cores
    fileParallelism: false
  }
})
