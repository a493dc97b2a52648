import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Address } from "../../../src/manager/http/server.ts"
import { Control } from "../../support/memoryManager.ts"
import { ask, latch, resultOf, serving } from "../../support/serving.ts"

const submit = (body: unknown) => Effect.map(ask("POST", "/jobs", body), ({ json }) => json)

/** Returns the numbers and elements of a stream that has ended. */
const elements = (text: string) =>
  text.split("\n\n").filter((event) => event.includes("id: ") && !event.includes("heartbeat")).map((event) => ({
    id: Number(/^id: (\d+)$/m.exec(event)?.[1]),
    data: JSON.parse(/^data: (.*)$/m.exec(event)?.[1] ?? "null")
  }))

describe("the API of a job manager", () => {
  it.live("submits a job, streams its events, and returns its result", () =>
    Effect.gen(function*() {
      const submitted = yield* ask("POST", "/jobs", { job: "latched", id: "one" })
      assert.strictEqual(submitted.status, 201)
      assert.strictEqual(submitted.json.id, "one")
      const early = yield* ask("GET", "/jobs/one/result")
      assert.deepStrictEqual([early.status, early.json._tag], [409, "Conflict"])
      const following = yield* Effect.forkChild(ask("GET", "/jobs/one/events"))
      yield* Effect.sleep("50 millis")
      latch.openUnsafe()
      const events = yield* Effect.map(Fiber.join(following), ({ headers, text }) => {
        assert.strictEqual(headers.get("content-type"), "text/event-stream")
        return elements(text)
      })
      assert.deepStrictEqual(events.map(({ id }) => id), events.map((_, i) => i + 1))
      assert.deepStrictEqual([events[0]?.data._tag, events.at(-1)?.data._tag], ["JobSubmitted", "JobStopped"])
      const result = yield* ask("GET", "/jobs/one/result")
      assert.deepStrictEqual(result.json.exit, { _tag: "Success", value: "opened" })
      const report = yield* ask("GET", "/jobs/one/report")
      assert.deepStrictEqual(report.json, result.json.report)
      assert.deepStrictEqual([report.json.outcome, report.json.clean], ["succeeded", true])
      assert.strictEqual((yield* ask("GET", "/jobs/one")).json.state, "stopped")
    }).pipe(Effect.provide(serving())))

  it.live("resumes a stream after a number, from the query or from the header that browsers send", () =>
    Effect.gen(function*() {
      yield* submit({ job: "sum", payload: { numbers: [1] }, id: "s" })
      const all = elements((yield* ask("GET", "/jobs/s/events")).text)
      const rest = elements((yield* ask("GET", "/jobs/s/events?after=2")).text)
      assert.deepStrictEqual(rest, all.slice(2))
      const again = yield* ask("GET", "/jobs/s/events?after=2", undefined, { "Last-Event-ID": "3" })
      assert.deepStrictEqual(elements(again.text), all.slice(3))
      const lines = elements((yield* ask("GET", "/jobs/s/logs?after=1&follow=true")).text)
      assert.deepStrictEqual(lines.map(({ data }) => data.text), ["two", "three"])
    }).pipe(Effect.provide(serving())))

  it.live("lists and counts the jobs that meet all conditions, and says which one is none", () =>
    Effect.gen(function*() {
      yield* submit({ job: "sum", payload: { numbers: [1] }, id: "good" })
      yield* submit({ job: "sum", payload: { numbers: [-1] }, id: "bad" })
      yield* submit({ job: "endless", id: "long" })
      yield* Effect.forEach(["good", "bad"], resultOf)
      const ids = (query: string) =>
        Effect.map(ask("GET", `/jobs?${query}`), ({ json }) => json.map(({ id }: { readonly id: string }) => id))
      assert.deepStrictEqual(yield* ids("outcome=failed&clean=true&trigger=failed&job=sum"), ["bad"])
      assert.deepStrictEqual(yield* ids("text=oo&since=1h"), ["good"])
      assert.deepStrictEqual(yield* ids("since=2999-01-01"), [])
      const counts = { queued: 0, starting: 0, running: 0, stopping: 0, stopped: 0 }
      assert.deepStrictEqual((yield* ask("GET", "/counts?job=sum")).json, { ...counts, stopped: 2 })
      assert.deepStrictEqual((yield* ask("GET", "/counts?clean=false")).json, counts)
      const refusals = yield* Effect.forEach(
        ["since=soon", "outcome=fine", "clean=maybe", "trigger=x", "colour=red"],
        (query) => Effect.map(ask("GET", `/counts?${query}`), ({ json, status }) => [query, status, json.message])
      )
      for (const [query, status, message] of refusals) {
        assert.strictEqual(status, 400)
        assert.match(message, new RegExp(`^the query is not valid: Expected .* at \\["${query.split("=")[0]}"\\]$`))
      }
    }).pipe(Effect.provide(serving())))

  it.live("takes an id for the whole of it, whatever it is asked to do with the job", () =>
    Effect.gen(function*() {
      yield* submit({ job: "endless", id: "run-10" })
      const asked: ReadonlyArray<readonly [string, string, unknown?]> = [
        ...["", "/events", "/logs", "/stages", "/result", "/report"].map((path) => ["GET", path] as const),
        ["POST", "/stop", {}],
        ["POST", "/lease"],
        ["DELETE", ""],
        ["DELETE", "?force"]
      ]
      for (const id of ["run-1", "r", "run-"]) {
        for (const [method, path, body] of asked) {
          const { json, status } = yield* ask(method, `/jobs/${id}${path}`, body)
          assert.deepStrictEqual([status, json?._tag, json?.id], [404, "NotFound", id], `${method} ${path}`)
        }
      }
      assert.strictEqual((yield* ask("GET", "/jobs/run-10")).json.state, "running")
      assert.deepStrictEqual((yield* ask("GET", "/jobs?prefix=run-1")).json.map(({ id }: { id: string }) => id), [
        "run-10"
      ])
      assert.deepStrictEqual((yield* ask("GET", "/jobs?prefix=run-2")).json, [])
      const noId = yield* ask("GET", "/jobs/a%2Fb")
      assert.deepStrictEqual([noId.status, noId.json._tag], [400, "Refused"])
      assert.include(noId.json.message, "Expected an id: 1 to 64 letters")
      const noPlace = yield* ask("GET", "/jobs?before=run-10")
      assert.strictEqual(noPlace.status, 400)
      assert.include(noPlace.json.message, "Expected the place of a job: the time it was submitted at, `_` and its id")
    }).pipe(Effect.provide(serving())))

  it.live("lists, removes and cleans jobs", () =>
    Effect.gen(function*() {
      for (const id of ["a", "b"]) yield* submit({ job: "sum", payload: { numbers: [] }, id })
      yield* submit({ job: "endless", id: "c" })
      for (const id of ["a", "b"]) yield* ask("GET", `/jobs/${id}/events`)
      const ids = Effect.fnUntraced(function*(query: string) {
        const { json } = yield* ask("GET", `/jobs${query}`)
        return json.map(({ id }: { readonly id: string }) => id)
      })
      assert.deepStrictEqual(yield* ids(""), ["c", "b", "a"])
      assert.deepStrictEqual(yield* ids("?state=stopped&limit=1"), ["b"])
      assert.deepStrictEqual(yield* ids("?job=endless"), ["c"])
      assert.strictEqual((yield* ask("GET", "/jobs?limit=0")).status, 400)
      assert.strictEqual((yield* ask("DELETE", "/jobs/c")).status, 409)
      assert.strictEqual((yield* ask("DELETE", "/jobs/c?force")).status, 204)
      assert.strictEqual((yield* ask("GET", "/jobs/c")).status, 404)
      assert.deepStrictEqual((yield* ask("POST", "/jobs/clean", { before: "2099-01-01T00:00:00.000Z" })).json, {
        removed: 2
      })
      assert.deepStrictEqual(yield* ids(""), [])
    }).pipe(Effect.provide(serving())))

  it.live("says what is wrong with a request that it refuses", () =>
    Effect.gen(function*() {
      const none = yield* ask("POST", "/jobs", { job: "nothing" })
      assert.deepStrictEqual([none.status, none.json._tag], [400, "Refused"])
      const wrong = yield* ask("POST", "/jobs", { job: 1 })
      assert.strictEqual(wrong.status, 400)
      assert.include(wrong.json.message, "the body is not valid: ")
      const payload = yield* ask("POST", "/jobs", { job: "sum", payload: { numbers: "x" } })
      assert.strictEqual(payload.status, 400)
      yield* submit({ job: "endless", id: "e" })
      assert.strictEqual((yield* ask("POST", "/jobs", { job: "endless", id: "e" })).status, 201)
      assert.strictEqual((yield* ask("POST", "/jobs", { job: "endless", id: "e", priority: 1 })).status, 409)
      assert.strictEqual((yield* ask("GET", "/jobs/e/events?after=-1")).status, 400)
    }).pipe(Effect.provide(serving())))

  it.live("serves its health, its jobs, its metrics and its own description", () =>
    Effect.gen(function*() {
      yield* submit({ job: "endless" })
      const { json: info } = yield* ask("GET", "/info")
      assert.deepStrictEqual(info.jobs, ["sum", "endless", "latched"])
      assert.match(info.version, /^\d+\.\d+\.\d+/)
      const { headers, text } = yield* ask("GET", "/metrics")
      assert.match(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/)
      assert.match(text, /^autostop_jobs\{state="stopped"\} 0$/m)
      for (const line of text.trimEnd().split("\n")) {
        assert.match(line, /^(# (HELP|TYPE) |[a-z_\d]+(\{.*\})? [\d.e-]+$)/)
      }
      assert.strictEqual((yield* ask("GET", "/health/live")).status, 204)
      assert.strictEqual((yield* ask("GET", "/health/ready")).status, 204)
      ;(yield* Control).ready = false
      assert.strictEqual((yield* ask("GET", "/health/ready")).status, 503)
      assert.strictEqual((yield* ask("POST", "/jobs", { job: "endless" })).status, 503)
      const { json: openapi } = yield* ask("GET", "/openapi.json")
      const listed = Object.entries<object>(openapi.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
      )
      assert.sameMembers(listed, [
        "POST /jobs",
        "GET /jobs",
        "GET /counts",
        "GET /jobs/{id}",
        "GET /jobs/{id}/events",
        "GET /jobs/{id}/logs",
        "GET /jobs/{id}/stages",
        "GET /jobs/{id}/history",
        "POST /jobs/{id}/stop",
        "POST /jobs/{id}/retry",
        "GET /jobs/{id}/result",
        "GET /jobs/{id}/report",
        "POST /jobs/{id}/lease",
        "DELETE /jobs/{id}",
        "POST /jobs/clean",
        "GET /changes",
        "GET /feed",
        "PUT /bundles/{hash}",
        "GET /info",
        "GET /job-types/{job}",
        "GET /metrics",
        "GET /session",
        "POST /session/codes",
        "POST /session",
        "GET /health/live",
        "GET /health/proof",
        "GET /health/ready"
      ])
      const docs = yield* ask("GET", "/docs")
      assert.include(docs.text, "autostop job manager")
      assert.match((yield* Address).url, /^http:\/\/127\.0\.0\.1:\d+$/)
    }).pipe(Effect.provide(serving())))
})
