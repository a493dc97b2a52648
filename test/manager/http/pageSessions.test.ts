import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { PageSessions } from "../../../src/manager/http/pageSessions.ts"
import { ask, serving } from "../../support/serving.ts"

describe("the session of a browser", () => {
  it.effect("begins with a code, once, and within a minute", () =>
    Effect.gen(function*() {
      const sessions = new PageSessions()
      const code = yield* sessions.newCode("read")
      const session = yield* sessions.exchange(code)
      assert.strictEqual(session?.role, "read")
      assert.isUndefined(yield* sessions.exchange(code))
      const late = yield* sessions.newCode("operate")
      yield* TestClock.adjust("60 seconds")
      assert.isUndefined(yield* sessions.exchange(late))
      assert.strictEqual(yield* sessions.roleOf(session?.token ?? ""), "read")
      yield* TestClock.adjust("12 hours")
      assert.isUndefined(yield* sessions.roleOf(session?.token ?? ""))
    }))

  it.effect("does not begin with a token, and a code is no token", () =>
    Effect.gen(function*() {
      const sessions = new PageSessions()
      const code = yield* sessions.newCode("operate")
      assert.isUndefined(yield* sessions.roleOf(code))
      const session = yield* sessions.exchange(code)
      assert.isUndefined(yield* sessions.exchange(session?.token ?? ""))
      for (const other of ["", "__proto__", `${session?.token} `]) assert.isUndefined(yield* sessions.roleOf(other))
    }))

  it.effect("makes room for a new one", () =>
    Effect.gen(function*() {
      const sessions = new PageSessions()
      const codes = yield* Effect.all(Array.from({ length: 257 }, () => sessions.newCode("read")))
      assert.isUndefined(yield* sessions.exchange(codes[0] ?? ""))
      assert.isDefined(yield* sessions.exchange(codes[1] ?? ""))
    }))

  it.live("has the role of the token that asked for its code", () =>
    Effect.gen(function*() {
      for (const role of ["read", "operate"] as const) {
        const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
        const { json: { code } } = yield* ask("POST", "/session/codes", undefined, bearer(`this one may ${role}`))
        const { json } = yield* ask("POST", "/session", { code })
        assert.strictEqual(json.role, role)
        assert.deepStrictEqual((yield* ask("GET", "/session", undefined, bearer(json.token))).json, { role })
        const submit = yield* ask("POST", "/jobs", { job: "endless" }, bearer(json.token))
        assert.strictEqual(submit.status, role === "read" ? 403 : 201)
        const again = yield* ask("POST", "/session", { code })
        assert.deepStrictEqual([again.status, again.json._tag], [401, "Unauthorized"])
      }
    }).pipe(Effect.provide(serving({
      tokens: [{ token: "this one may read", role: "read" }, { token: "this one may operate", role: "operate" }]
    }))))
})
