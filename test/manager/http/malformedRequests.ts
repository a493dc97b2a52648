import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { readdirSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { Address, serveManager } from "../../../src/manager/http/server.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { Generator, Random } from "../../support/malformed.ts"
import { managerService } from "../../support/managerService.ts"
import { ask } from "../../support/serving.ts"

const batch = 1_000
/** The ids of jobs that exist; the first one has stopped. */
const known = ["known-stopped", "known-1", "known-2"] as const

/** The statuses of requests that are refused before they reach an operation. */
const general = new Set([400, 404, 405, 408, 411, 413, 414, 415, 417, 431])

interface Answer {
  /** 0 if there is no answer. */
  readonly status: number
  readonly body: string
}

/** Returns the answer to these bytes, with the body if its length is said. */
const answerTo = (port: number, text: string) =>
  Effect.promise(() =>
    new Promise<Answer>((resolve) => {
      const socket = connect(port, "127.0.0.1")
      let answer = ""
      const end = (answer: Answer) => {
        resolve(answer)
        socket.resetAndDestroy()
      }
      socket.on("data", (chunk: Buffer) => {
        answer += chunk.toString("latin1")
        const head = /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 ([2-5]\d\d) [^]*?\r\n\r\n/.exec(answer)
        if (head === null) return
        const length = text.startsWith("HEAD") ? 0 : Number(/^content-length: (\d+)/im.exec(head[0])?.[1] ?? 0)
        const body = answer.slice(head[0].length)
        // read no further, because a stream may have no end
        // the rest of a malformed request may be answered as another one
        if (body.length >= length) end({ status: Number(head[1]), body: body.slice(0, length) })
      })
      socket.on("error", () => {})
      socket.on("close", () => end({ status: 0, body: "" }))
      socket.write(text, "latin1")
    })
  )

/** Returns true for a refusal that says what is wrong. */
const saysWhy = (body: string): boolean => {
  const { _tag, message } = JSON.parse(body)
  return typeof _tag === "string" && typeof message === "string" && message.length > 10
}

/**
 * Sends malformed requests, which are made from the API's own description, to a manager. Each must be answered, with no status
 * of a fault of the server, and each refusal says why. Each of `statuses` must occur.
 */
export const sendMalformedRequests = (
  { count, seed, statuses }: { readonly count: number; readonly seed: number; readonly statuses: ReadonlyArray<number> }
) =>
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
        const { body, status } = yield* answerTo(port, text)
        counts.set(status, (counts.get(status) ?? 0) + 1)
        const isExpected = status > 0 && status < 500 && (general.has(status) || documented.includes(status))
        const what = `seed ${seed}: ${status} to ${JSON.stringify(text.slice(0, 1_000))}`
        assert.isTrue(isExpected, what)
        if (status >= 400 && !text.startsWith("HEAD")) assert.isTrue(saysWhy(body), `${what}: ${body}`)
      })
      for (let sent = 0; sent < count; sent += batch) {
        // added again, because some of the requests remove them
        for (const id of known) yield* manager.submit({ job: "endless", id })
        yield* manager.stop(known[0], {})
        yield* Effect.all(Array.from({ length: Math.min(batch, count - sent) }, () => one), {
          concurrency: 40,
          discard: true
        })
      }
      // requests have reached the handlers, and each way in which one is refused
      for (const status of statuses) {
        assert.isAbove(counts.get(status) ?? 0, 0, `no answer had the status ${status}: ${JSON.stringify([...counts])}`)
      }
      // nothing was written outside its folder, and it still works
      assert.deepStrictEqual(readdirSync(parent), ["data"])
      const submitted = yield* ask("POST", "/jobs", { job: "sum", id: "afterwards" })
      assert.strictEqual(submitted.status, 201)
      yield* manager.remove("afterwards", true)
      assert.strictEqual((yield* ask("GET", "/jobs?limit=1000")).status, 200)
      assert.strictEqual((yield* ask("GET", "/health/ready")).status, 204)
    }).pipe(Effect.provide(served))
  })
