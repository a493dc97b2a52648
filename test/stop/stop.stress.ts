import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { it } from "vitest"
import { JobManager, LocalEnvironment, RemoteEnvironment } from "../../src/index.ts"
import { temporaryFolder } from "../support/folder.ts"
import { Where } from "./cases.ts"
import { caseNames, runCases } from "./runCases.ts"

const modules = [
  "badStart",
  "broken",
  "chain",
  "faulty",
  "hungStart",
  "listener",
  "plain",
  "slow",
  "stuck",
  "unmanaged"
]

/** A job manager with a process for each job, reached over a socket. */
const remote = Layer.unwrap(
  Effect.map(temporaryFolder, (folder) =>
    Layer.effect(
      Where,
      Effect.map(JobManager, ({ url }) => ({
        environment: RemoteEnvironment.layer({ url })
      }))
    ).pipe(Layer.provide(JobManager.layer({
      jobs: modules.map((name) => new URL(`./jobs/${name}.ts`, import.meta.url)),
      folder,
      port: 0,
      concurrency: 16
    }))))
)

const seen = {
  local: runCases("local", Layer.succeed(Where, { environment: LocalEnvironment.layer })),
  remote: runCases("remote", Layer.orDie(remote))
}

describe("a stop here and at a manager", () => {
  for (const name of caseNames) {
    it(`is the same for ${name}`, () => {
      assert.isDefined(seen.local.get(name))
      assert.deepStrictEqual(seen.remote.get(name), seen.local.get(name))
    })
  }
})
