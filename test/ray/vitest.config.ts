import { defineConfig } from "vitest/config"

/** The suites of all hosts that also run with a cluster; those in `more` only with `TEST_RAY=all`. */
const suites = ["contract", "caller/replicaPool.hosts", "caller/pendingCalls", "caller/replica.kill"]
const more = ["server/hostProgram", "caller/replica.lost", "transport/hostProcess"]

export default defineConfig({
  test: {
    include: [
      ...[...suites, ...(process.env["TEST_RAY"] === "all" ? more : [])].map((name) =>
        `test/host/${name}.{test,stress}.ts`
      ),
      "test/ray/**/*.test.ts"
    ],
    // an actor on a slow machine takes as long as it takes
    env: { TEST_HOSTS: "ray", AUTOSTOP_START_TIMEOUT: "150 seconds" },
    testTimeout: 240_000,
    hookTimeout: 180_000,
    // they wait for Ray more than they compute
    maxWorkers: 2
  }
})
