import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { base } from "../../vitest.config.ts"

/** The tests of the page in Chromium. */
export default defineConfig({
  test: {
    ...base,
    root: fileURLToPath(new URL("../..", import.meta.url)),
    include: ["test/page/browser/**/*.test.ts"],
    globalSetup: [...base.globalSetup, "test/page/installedChromium.ts"],
    maxWorkers: 1,
    // a test has several waits
    testTimeout: 600_000
  }
})
