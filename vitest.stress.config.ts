import { defineConfig } from "vitest/config"
import { base } from "./vitest.config.ts"

// What takes long: many rounds, crowds, kill loops. `STRESS=full` asks for all rounds, see test/support/rounds.ts.
export default defineConfig({
  test: {
    ...base,
    include: ["test/**/*.stress.ts"],
    exclude: ["test/ray/**"],
    passWithNoTests: true,
    // a busy machine takes several times as long, and is no reason to fail; what hangs is
    testTimeout: 600_000
  }
})
