import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/otel/**/*.test.ts"],
    globalSetup: "test/support/freshBuild.ts",
    testTimeout: 120_000,
    // the collector may have to be built
    hookTimeout: 3_600_000
  }
})
