import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { it } from "vitest"
import { JobManager, LocalEnvironment, RemoteEnvironment } from "../../src/index.ts"
import { temporaryFolder } from "../support/folder.ts"
import { Case } from "./case.ts"
import { stopCases, Where } from "./cases.ts"

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

const places = {
  local: Layer.succeed(Where, { environment: LocalEnvironment.layer }),
  remote: Layer.orDie(remote)
}

/** What each case saw, where. */
const seen = { local: new Map<string, unknown>(), remote: new Map<string, unknown>() }

for (const place of ["local", "remote"] as const) {
  describe.concurrent(`where jobs are ${place}`, () => {
    layer(places[place], { excludeTestServices: true })((it) => {
      for (const [about, cases] of Object.entries(stopCases)) {
        describe(about, () => {
          for (const [name, body] of Object.entries(cases)) {
            it.effect(name, () =>
              Effect.gen(function*() {
                const at = yield* Effect.acquireRelease(Effect.sync(() => new Case()), (at) =>
                  Effect.sync(() => at.close()))
                const { environment } = yield* Where
                yield* Effect.provide(body(at), environment, { local: true })
                seen[place].set(name, at.seen)
              }).pipe(Effect.scoped))
          }
        })
      }
    })
  })
}

describe("here and there", () => {
  for (const name of Object.values(stopCases).flatMap((cases) => Object.keys(cases))) {
    it(`it is the same: ${name}`, () => {
      assert.isDefined(seen.local.get(name))
      assert.deepStrictEqual(seen.remote.get(name), seen.local.get(name))
    })
  }
})
