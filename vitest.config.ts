import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/ray/**", "test/otel/**", "test/page/browser/**"],
    globalSetup: "test/support/freshBuild.ts",
    // The tests start hundreds of processes, each of which loads Effect: from a cache it takes two thirds of the time.
    env: {
      NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/node", import.meta.url)),
      // managers of tests are recorded here, and not in the home of who runs the tests
      XDG_STATE_HOME: fileURLToPath(new URL("node_modules/.cache/state", import.meta.url))
    },
    // tests log hostile values, of any size: only what fails is shown
    silent: "passed-only",
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // many tests wait for processes: a third worker has the processor meanwhile
    maxWorkers: 3
  }
})
