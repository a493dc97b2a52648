import { defineConfig } from "vitest/config"

// What takes long: many rounds, crowds, kill loops. `STRESS=full` asks for all rounds, see test/support/rounds.ts.
export default defineConfig({
  test: {
    include: ["test/**/*.stress.ts"],
    exclude: ["test/ray/**"],
    passWithNoTests: true,
    testTimeout: process.env.STRESS === "full" ? 1_800_000 : 300_000,
    hookTimeout: 120_000,
    maxWorkers: 2
  }
})
