import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { Manager } from "../../../src/manager/Manager.ts"
import { Address, serveManager } from "../../../src/manager/http/server.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { managerService } from "../../support/managerService.ts"
import { Generator, Random } from "../../support/malformed.ts"
import { ask } from "../../support/serving.ts"

const count = 10_000
const batch = 1_000
const seed = 20_261_123
/** The ids of jobs that are there; the first has stopped. */
const known = ["known-stopped", "known-1", "known-2"] as const

/** What is said to a request that is wrong before it is one of any operation. */
const general = new Set([400, 404, 405, 408, 411, 413, 414, 415, 417, 431])

/** The status of the answer to these bytes; 0 where there is none. */
const statusOf = (port: number, text: string) =>
  Effect.promise(() =>
    new Promise<number>((resolve) => {
      const socket = connect(port, "127.0.0.1")
      let answer = ""
      const end = (status: number) => {
        resolve(status)
        socket.resetAndDestroy()
      }
      socket.on("data", (chunk: Buffer) => {
        answer += chunk.toString("latin1")
        const [, status] = /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 ([2-5]\d\d) [^]*\r\n\r\n/.exec(answer) ?? []
        // a stream may have no end
        if (status !== undefined) end(Number(status))
      })
      socket.on("error", () => {})
      socket.on("close", () => end(0))
      socket.write(text, "latin1")
    })
  )

describe("the API of a job manager", () => {
  it.live(`answers ${count} malformed requests made from its own description, none of them with a fault of its own`, () =>
    Effect.gen(function*() {
      const parent = yield* temporaryFolder
      const folder = join(parent, "data")
      const served = Layer.provideMerge(
        serveManager({ port: 0, limits: { headersMs: 300, requestMs: 300 } }),
        managerService({ folder, jobs: ["sum", "endless"], concurrency: 2 })
      )
      yield* Effect.gen(function*() {
        const { port } = yield* Address
        const manager = yield* Manager
        const { json: document } = yield* ask("GET", "/openapi.json")
        const generator = new Generator(document, new Random(seed), [...known, "known", "none"])
        const counts = new Map<number, number>()
        const one = Effect.gen(function*() {
          const { documented, text } = generator.next()
          const status = yield* statusOf(port, text)
          counts.set(status, (counts.get(status) ?? 0) + 1)
          const isFine = status > 0 && status < 500 && (general.has(status) || documented.includes(status))
          assert.isTrue(isFine, `seed ${seed}: ${status} to ${JSON.stringify(text.slice(0, 1_000))}`)
        })
        for (let i = 0; i < count; i += batch) {
          // some of the requests remove them
          for (const id of known) yield* manager.submit({ job: "endless", id })
          yield* manager.stop(known[0], {})
          yield* Effect.all(Array.from({ length: batch }, () => one), { concurrency: 40, discard: true })
        }
        // they came as far as the handlers, and to each of the ways in which a request is refused
        for (const status of [200, 201, 204, 400, 404, 408, 409, 413, 415, 417, 431]) {
          assert.isAbove(counts.get(status) ?? 0, 0, `none had the status ${status}: ${JSON.stringify([...counts])}`)
        }
        // what it serves is all there, and nothing is anywhere else
        assert.deepStrictEqual(readdirSync(parent), ["data"])
        const submitted = yield* ask("POST", "/jobs", { job: "sum", id: "afterwards" })
        assert.strictEqual(submitted.status, 201)
        yield* manager.remove("afterwards", true)
        assert.strictEqual((yield* ask("GET", "/jobs?limit=1000")).status, 200)
        assert.strictEqual((yield* ask("GET", "/health/ready")).status, 204)
      }).pipe(Effect.provide(served))
    }))
})
