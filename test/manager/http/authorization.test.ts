import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { request } from "node:http"
import { Address } from "../../../src/manager/http/server.ts"
import { ask, serving } from "../../support/serving.ts"

const tokens = [
  { token: "reader of this manager", role: "read" },
  { token: Redacted.make("operator of this manager"), role: "operate" }
] as const

/** The role that each request needs. */
const requests: ReadonlyArray<readonly [method: string, path: string, needs: "nothing" | "read" | "operate"]> = [
  ["GET", "/health/live", "nothing"],
  ["GET", "/health/ready", "nothing"],
  ["GET", "/openapi.json", "read"],
  ["GET", "/docs", "read"],
  ["GET", "/info", "read"],
  ["GET", "/metrics", "read"],
  ["GET", "/jobs", "read"],
  ["GET", "/session", "read"],
  ["POST", "/session/codes", "read"],
  ["GET", "/job-types/sum", "read"],
  ["GET", "/jobs/x", "read"],
  ["GET", "/jobs/x/events", "read"],
  ["GET", "/jobs/x/logs", "read"],
  ["GET", "/jobs/x/stages", "read"],
  ["GET", "/jobs/x/result", "read"],
  ["GET", "/jobs/x/report", "read"],
  ["POST", "/jobs", "operate"],
  ["POST", "/jobs/x/stop", "operate"],
  ["POST", "/jobs/x/lease", "operate"],
  ["POST", "/jobs/clean", "operate"],
  ["DELETE", "/jobs/x", "operate"]
]
const given = {
  none: undefined,
  wrong: "Bearer nobody",
  reader: "Bearer reader of this manager",
  operator: "bearer operator of this manager"
}

/** Returns the status of a request with headers that `fetch` does not send. */
const statusOf = (url: string, headers: Record<string, string>) =>
  Effect.promise(() =>
    new Promise<number | undefined>((resolve, reject) =>
      void request(url, { headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on("error", reject).end()
    )
  )

describe("the authorization of the API", () => {
  for (const [method, path, needs] of requests) {
    it.live(`requires ${needs} for ${method} ${path}`, () =>
      Effect.gen(function*() {
        for (const [who, authorization] of Object.entries(given)) {
          const { headers, status } = yield* ask(
            method,
            path,
            method === "POST" ? {} : undefined,
            authorization === undefined ? {} : { authorization }
          )
          const isPage = path === "/docs" || path === "/openapi.json"
          const unknown = who === "none" || who === "wrong"
          const expected = needs === "nothing"
            ? "let in"
            : unknown
            ? 401
            : needs === "operate" && who === "reader"
            ? 403
            : "let in"
          assert.strictEqual(status === 401 || status === 403 ? status : "let in", expected, who)
          assert.strictEqual(
            headers.get("www-authenticate"),
            expected === 401 ? (isPage ? "Basic realm=\"autostop\", Bearer" : "Bearer") : null
          )
        }
      }).pipe(Effect.provide(serving({ tokens }))))
  }

  it.live("says of a request without a token only that it has none", () =>
    Effect.gen(function*() {
      const malformed = yield* ask("POST", "/jobs", "{")
      assert.strictEqual(malformed.status, 401)
      const missing = yield* ask("GET", "/jobs/x")
      assert.deepStrictEqual(missing.json, {
        _tag: "Unauthorized",
        message: "a bearer token is required: send one in the header \"authorization\""
      })
    }).pipe(Effect.provide(serving({ tokens }))))

  it.live("allows every process of this machine without tokens, and no web page", () =>
    Effect.gen(function*() {
      const { port, url } = yield* Address
      const statuses = (headers: Record<string, string>) => statusOf(`${url}/jobs`, headers)
      assert.strictEqual(yield* statuses({}), 200)
      assert.strictEqual(yield* statuses({ host: `localhost:${port}` }), 200)
      assert.strictEqual(yield* statuses({ host: `[::1]:${port}` }), 200)
      assert.strictEqual(yield* statuses({ origin: url }), 200)
      assert.strictEqual(yield* statuses({ origin: "https://example.com" }), 403)
      assert.strictEqual(yield* statuses({ origin: "null" }), 403)
      assert.strictEqual(yield* statuses({ host: "example.com" }), 403)
      for (
        const name of ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"]
      ) {
        for (const value of ["", "10.0.0.1", "127.0.0.1"]) {
          for (const path of ["/jobs", "/docs", "/openapi.json"]) {
            assert.strictEqual(yield* statusOf(`${url}${path}`, { [name]: value }), 403, `${name}: ${value}`)
          }
        }
      }
      assert.strictEqual(yield* statusOf(`${url}/health/ready`, { via: "1.1 proxy" }), 204)
      assert.strictEqual(yield* statusOf(`${url}/health/live`, { host: "10.0.0.1" }), 204)
    }).pipe(Effect.provide(serving())))

  it.live("is required to start on an address that other machines can reach", () =>
    Effect.gen(function*() {
      for (const host of ["0.0.0.0", "::", "192.168.1.1", "example.com", ""]) {
        const error = yield* Effect.flip(Layer.build(serving({ host })))
        assert.strictEqual(error._tag, "ServeRefused")
      }
      for (const token of ["", " \n", "x".repeat(15), "é".repeat(20)]) {
        const error = yield* Effect.flip(Layer.build(serving({ tokens: [{ token, role: "read" }] })))
        assert.strictEqual(error._tag, "ServeRefused")
      }
      yield* Layer.build(serving({ host: "localhost" }))
      yield* Layer.build(serving({ host: "0.0.0.0", tokens }))
    }).pipe(Effect.scoped))
})
