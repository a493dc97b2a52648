import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

/** Tests that leave nothing in their process: they share one, and with it what is loaded. */
const sharing = ["base", "internal/{run,service,stop}", "jobProcess", "page", "Pipeline", "stop"]
  .map((folder) => `test/${folder}/**/*.test.ts`)

/** Tests with another configuration, which need a cluster, a collector or a browser. */
const apart = ["test/ray/**", "test/otel/**", "test/page/browser/**"]

/** What holds for all tests. */
export const base = {
  globalSetup: ["test/support/freshBuild.ts"],
  // The tests start hundreds of processes, each of which loads Effect: from a cache it takes two thirds of the time.
  env: {
    NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/node", import.meta.url)),
    // managers of tests are recorded here, and not in the home of who runs the tests
    XDG_STATE_HOME: fileURLToPath(new URL("node_modules/.cache/state", import.meta.url))
  },
  // tests log hostile values, of any size: only what fails is shown
  silent: "passed-only" as const,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // many tests wait for processes: a third worker has the processor meanwhile
  maxWorkers: 3
}

export default defineConfig({
  test: {
    ...base,
    projects: [
      { extends: true, test: { name: "sharing", include: sharing, exclude: apart, isolate: false } },
      { extends: true, test: { name: "alone", include: ["test/**/*.test.ts"], exclude: [...apart, ...sharing] } }
    ]
  }
})
