import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Environment, JobManager, RemoteEnvironment } from "../../src/index.ts"
import { assertClean } from "../../src/testing.ts"
import { serviceOf } from "../support/jobs.ts"
import { noJobs } from "./cluster.ts"
import doubled from "./jobs/doubled.ts"

it.live("a job manager runs jobs with services on Ray", () =>
  Effect.gen(function*() {
    const manager = JobManager.layer({
      jobs: [new URL("./jobs/doubled.ts", import.meta.url)],
      folder: mkdtempSync(join(tmpdir(), "autostop-")),
      port: 0,
      env: { each: ["AUTOSTOP_RAY_TOKEN"] }
    })
    const { url } = Context.get(yield* Layer.build(manager), JobManager)
    yield* Effect.gen(function*() {
      const run = yield* Environment.submit(doubled, { n: 21 })
      const { exit, report } = yield* run.result
      assert.strictEqual(yield* exit, 42)
      assertClean(report)
      assert.include(serviceOf(report, "managed/Lean"), { host: "ray", cleanupSuccess: true, killSuccess: true })
    }).pipe(Effect.provide(RemoteEnvironment.layer({ url })))
    yield* noJobs("managed/Lean")
  }))
