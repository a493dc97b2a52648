import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { Address, serveManager } from "../../../src/manager/http/server.ts"
import { makeClient } from "../../../src/manager/client/apiClient.ts"
import { Manager } from "../../../src/manager/Manager.ts"
import { memoryManager } from "../../support/memoryManager.ts"
import { ask, endless, serving, talk } from "../../support/serving.ts"

const texts = [
  "",
  " ",
  "a.b",
  "../x",
  "ü",
  "a\u0000b",
  "a\nb",
  "x".repeat(300),
  "1e999",
  "NaN",
  "{}",
  "__proto__",
  "🦀"
]
/** A value that may be wrong wherever it stands. */
const Hostile = Schema.Union([
  Schema.Literals(texts),
  Schema.Literals([0, -0, -1, 0.5, 1e300, 2 ** 53, Number.MAX_SAFE_INTEGER]),
  Schema.Null,
  Schema.Boolean,
  Schema.Literals(["[]", "[[1]]", "{\"idle\":-1}", "{\"after\":1e999}"])
])
const fields = [
  "job",
  "id",
  "payload",
  "autostop",
  "stopPolicy",
  "priority",
  "leaseMs",
  "restart",
  "memory",
  "timeMs",
  "bundle"
] as const
const Wrong = Schema.Struct({ field: Schema.Literals([...fields, "jbo", "__proto__"]), value: Hostile })

describe("the answers of a job manager's server", () => {
  it.live.prop(
    "say what is wrong, and where, whatever is submitted",
    { wrong: Schema.Array(Wrong).check(Schema.isMaxLength(3)) },
    ({ wrong }) =>
      Effect.gen(function*() {
        const fieldsOf = wrong.map(({ field, value }) => `${JSON.stringify(field)}:${JSON.stringify(value)}`)
        const body = `{${["\"job\":\"endless\"", ...fieldsOf].join(",")}}`
        const { json, status } = yield* ask("POST", "/jobs", body)
        if (status === 201) return assert.strictEqual((yield* ask("DELETE", `/jobs/${json.id}?force`)).status, 204)
        assert.include([400, 409], status, body)
        assert.isAbove(json.message.length, 10)
        assert.notInclude(json.message, "\n")
      }).pipe(Effect.provide(serving())),
    { arbitrary: { runs: 60 } }
  )

  it.live("say what is wrong with an id, a number or a field of any request", () =>
    Effect.gen(function*() {
      const idFault = "Expected an id: 1 to 64 letters, digits, \"-\" or \"_\", a letter or digit first at [\"id\"]"
      const cases: ReadonlyArray<readonly [string, string, unknown, number, string]> = [
        ["GET", "/jobs/a.b", undefined, 400, idFault],
        ["DELETE", `/jobs/${"x".repeat(65)}`, undefined, 400, idFault],
        ["POST", "/jobs/-x/stop", {}, 400, idFault],
        ["GET", "/jobs?limit=1e999", undefined, 400, "the query is not valid: "],
        ["GET", "/jobs?limit=1001", undefined, 400, "Expected a value between 1 and 1000 at [\"limit\"]"],
        ["GET", "/jobs?limt=1", undefined, 400, "Expected no such field at [\"limt\"]"],
        ["GET", "/jobs/x/events?after=-1", undefined, 400, "[\"after\"]"],
        ["POST", "/jobs/x/stop", { mode: "now" }, 400, "Expected \"drain\" | \"cancel\" | \"kill\" at [\"mode\"]"],
        ["POST", "/jobs/x/stop", { reason: "x".repeat(4_097) }, 400, "a length of at most 4096 at [\"reason\"]"],
        ["POST", "/jobs/x/stop", { raeson: "x" }, 400, "Expected no such field at [\"raeson\"]"],
        ["POST", "/jobs/clean", { before: "yesterday" }, 400, "Expected a time in ISO 8601, such as "],
        ["POST", "/jobs/clean", { before: "2026-13-45T00:00:00.000Z" }, 400, "Expected a time in ISO 8601, such as "],
        ["POST", "/jobs", { job: "" }, 400, "Expected the name of a job: 1 to 256 characters"],
        ["POST", "/jobs", "{", 400, "Expected a valid JSON body"],
        ["PUT", "/bundles/abc", "{}", 400, "Expected a SHA-256: 64 hexadecimal digits"],
        ["GET", "/nothing", undefined, 404, "there is no GET /nothing: /docs shows what there is"],
        ["PATCH", "/jobs", {}, 404, "there is no PATCH /jobs"],
        ["GET", "/jobs/%ZZ", undefined, 404, "there is no GET /jobs/%ZZ"]
      ]
      for (const [method, path, body, status, message] of cases) {
        const answer = yield* ask(method, path, body)
        assert.strictEqual(answer.status, status, `${method} ${path}`)
        assert.include(answer.json.message, message)
      }
      const text = yield* ask("POST", "/jobs", "x", { "content-type": "text/plain" })
      assert.deepStrictEqual([text.status, text.json.message], [415, "the body is text/plain: send application/json"])
    }).pipe(Effect.provide(serving())))

  it.live("say so if a body, a bundle or the headers are too large for the limits that were set", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      const body = yield* ask("POST", "/jobs", { job: "sum", payload: "x".repeat(2_000) })
      assert.deepStrictEqual([body.status, body.json], [413, {
        _tag: "TooLarge",
        message: "the body is larger than 1000 bytes: send less, or start the manager with a larger --max-body"
      }])
      // more than a connection holds in its buffers, so that the client still sends when it is refused
      for (const bytes of [3_000, 20_000_000]) {
        const bundle = yield* ask("PUT", `/bundles/${"a".repeat(64)}`, "x".repeat(bytes))
        assert.deepStrictEqual([bundle.status, bundle.json._tag], [413, "TooLarge"])
        assert.include(bundle.json.message, `the bundle has ${bytes} bytes, and this manager takes at most 2000`)
        const large = yield* ask("POST", "/jobs", "x".repeat(bytes))
        assert.deepStrictEqual([large.status, large.json._tag], [413, "TooLarge"])
      }
      const headers = yield* talk(
        port,
        `GET /jobs HTTP/1.1\r\nHost: localhost\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`
      )
      assert.match(headers, /^HTTP\/1\.1 431 [^]*the headers of the request have more than 16384 bytes/)
      assert.match(
        yield* talk(port, "nonsense\r\n\r\n"),
        /^HTTP\/1\.1 400 [^]*the request is not HTTP\/1\.1 as it should be/
      )
    }).pipe(Effect.provide(serving({ limits: { bodyBytes: 1_000, uploadBytes: 2_000 } }))))

  it.live("say that the manager itself has failed, which its client tells from one that is none", () =>
    Effect.gen(function*() {
      const { url } = yield* Address
      const { json, status } = yield* ask("GET", "/jobs")
      assert.deepStrictEqual([status, json], [500, {
        _tag: "Failed",
        message: "the job manager failed at this request: what it has logged says why"
      }])
      const client = yield* makeClient({ url })
      assert.strictEqual((yield* Effect.flip(client.jobs.list({ query: {} })))._tag, "Failed")
    }).pipe(
      Effect.scoped,
      Effect.provide(Layer.provideMerge(
        serveManager({ port: 0 }),
        Layer.effect(
          Manager,
          Effect.map(
            Manager,
            (manager) => Manager.of({ ...manager, list: () => Effect.die(new Error("a fault of its own")) })
          )
        ).pipe(Layer.provide(memoryManager(endless)))
      ))
    ))

  it.live("let a job be stopped without a body", () =>
    Effect.gen(function*() {
      yield* ask("POST", "/jobs", { job: "endless", id: "e" })
      assert.strictEqual((yield* ask("POST", "/jobs/e/stop")).status, 200)
      yield* ask("GET", "/jobs/e/events")
      assert.strictEqual((yield* ask("GET", "/jobs/e/report")).json.trigger, "stopped")
    }).pipe(Effect.provide(serving())))
})
