import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import { pathToFileURL } from "node:url"
import { layerPage } from "../../../src/manager/http/page.ts"
import { Address } from "../../../src/manager/http/server.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { ask, serving, talk } from "../../support/serving.ts"

const secret = "a token for the tests of the page"

describe("the files of the page", () => {
  it.live("are served without a token, under a policy that allows nothing from elsewhere", () =>
    Effect.gen(function*() {
      const page = yield* ask("GET", "/")
      assert.strictEqual(page.status, 200)
      assert.strictEqual(page.headers.get("cache-control"), "no-cache")
      const policy = page.headers.get("content-security-policy") ?? ""
      for (const part of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"]) {
        assert.include(policy.split("; "), part)
      }
      // a proxy may have put it beneath any path
      assert.notMatch(page.text, /(src|href)="\//)

      const [asset = ""] = /assets\/[^"]+\.js/.exec(page.text) ?? []
      const script = yield* ask("GET", `/${asset}`, undefined, { "accept-encoding": "identity" })
      assert.strictEqual(script.status, 200)
      assert.isNull(script.headers.get("content-encoding"))
      assert.match(script.headers.get("cache-control") ?? "", /immutable/)
      assert.match(script.headers.get("content-type") ?? "", /^text\/javascript/)
      const compressed = yield* ask("GET", `/${asset}`, undefined, { "accept-encoding": "gzip" })
      assert.strictEqual(compressed.headers.get("content-encoding"), "gzip")
      assert.strictEqual(compressed.text, script.text)

      const again = yield* ask("GET", `/${asset}`, undefined, { "if-none-match": script.headers.get("etag") ?? "" })
      assert.strictEqual(again.status, 304)
      assert.strictEqual(again.text, "")
    }).pipe(Effect.provide(serving({ tokens: [{ token: secret, role: "operate" }] }))))

  it.live("are no others: a path leads to none, and what they ask needs the token", () =>
    Effect.gen(function*() {
      const { port } = yield* Address
      for (
        const path of [
          "/assets/../index.html",
          "/assets/%2e%2e/index.html",
          "/assets/..%2findex.html",
          "/assets/none.js"
        ]
      ) {
        const answer = yield* talk(port, `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`)
        assert.match(answer, /^HTTP\/1.1 404 /, path)
      }
      assert.strictEqual((yield* ask("GET", "/feed")).status, 401)
    }).pipe(Effect.provide(serving({ tokens: [{ token: secret, role: "operate" }] }))))

  it.live("that were not built are answered with a sentence", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryFolder
      const { dispose, handler } = HttpRouter.toWebHandler(layerPage(pathToFileURL(`${folder}/`)), {
        disableLogger: true
      })
      const answer = yield* Effect.promise(() => handler(new Request("http://localhost/")))
      assert.strictEqual(answer.status, 404)
      assert.match(yield* Effect.promise(() => answer.text()), /the page was not built/)
      yield* Effect.promise(dispose)
    }))
})
