/** The pages that show the API: `/docs` for people, `/openapi.json` for programs. */
import * as Effect from "effect/Effect"
import * as HttpApiScalar from "effect/http-api/HttpApiScalar"
import * as OpenApi from "effect/http-api/OpenApi"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createHash } from "node:crypto"
import { Api } from "../Api.ts"
import type { Authorize } from "./authorization.ts"
import { securityPolicy } from "./securityPolicy.ts"

/**
 * Serves the pages to those who may read jobs. A browser asks for the token as for a password, with any name, because a person
 * cannot send a header; nothing else of the API takes a password.
 */
export const layerDocs = (authorize: Authorize) =>
  HttpRouter.use(Effect.fnUntraced(function*(router) {
    const page = yield* Effect.cached(docsPage)
    const description = yield* Effect.cached(Effect.sync(() => HttpServerResponse.jsonUnsafe(OpenApi.fromApi(Api))))
    const guarded = (answer: Effect.Effect<HttpServerResponse.HttpServerResponse>) => (request: HttpServerRequest) =>
      Effect.matchEffect(authorize(tokenOf(request.headers["authorization"]), "GET"), {
        onFailure: ({ _tag, message }) =>
          Effect.succeed(HttpServerResponse.jsonUnsafe({ _tag, message }, {
            status: _tag === "Unauthorized" ? 401 : 403,
            headers: _tag === "Unauthorized" ? { "www-authenticate": "Basic realm=\"autostop\", Bearer" } : {}
          })),
        onSuccess: () => answer
      })
    yield* router.add("GET", "/docs", guarded(page))
    yield* router.add("GET", "/openapi.json", guarded(description))
  }))

/** Returns the bearer token of a request, or its password. */
const tokenOf = (header = ""): string => {
  const [, scheme = "", credential = ""] = /^(bearer|basic) +(.*)$/i.exec(header) ?? []
  if (scheme.toLowerCase() !== "basic") return credential.trim()
  const text = Buffer.from(credential, "base64").toString()
  return text.slice(text.indexOf(":") + 1)
}

/** The page in one buffer, which all of its readers share: it has megabytes. */
const docsPage = Effect.promise(async () => {
  const layer = HttpApiScalar.layer(Api, { path: "/docs", scalar: { withDefaultFonts: false } })
  const { dispose, handler } = HttpRouter.toWebHandler(layer, { disableLogger: true })
  const html = await (await handler(new Request("http://localhost/docs"))).text()
  await dispose()
  return HttpServerResponse.uint8Array(Buffer.from(html), {
    contentType: "text/html; charset=utf-8",
    headers: { "content-security-policy": policyOf(html), "x-content-type-options": "nosniff" }
  })
})

/** Allows the scripts of the page itself, requests to this manager, and nothing from elsewhere. */
const policyOf = (html: string): string => {
  const scripts = [...html.matchAll(/<script>([^]*?)<\/script>/g)].map(([, script = ""]) =>
    `'sha256-${createHash("sha256").update(script).digest("base64")}'`
  )
  return securityPolicy({
    "script-src": scripts.join(" "),
    "style-src": "'unsafe-inline'",
    "font-src": "data:"
  })
}
