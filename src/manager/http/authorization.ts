/** Who may do what: bearer tokens, each with a role. */
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { createHash, timingSafeEqual } from "node:crypto"

/** Who asks is not known: there is no token, or one that nobody was given. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { message: Schema.String }, {
  httpApiStatus: 401
}) {}

/** Who asks is known, and may not do this. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { message: Schema.String }, {
  httpApiStatus: 403
}) {}

/** `read` may look at jobs; `operate` may also submit, stop and remove them. */
export const Role = Schema.Literals(["read", "operate"])
export type Role = typeof Role.Type

export interface Token {
  readonly token: string | Redacted.Redacted
  readonly role: Role
}

export class Authorization extends HttpApiMiddleware.Service<Authorization>()("autostop/manager/Authorization", {
  error: [Unauthorized, Forbidden],
  security: { bearer: HttpApiSecurity.bearer }
}) {}

/**
 * Checks the token of each request. Without tokens everything is allowed, which is for a server that only this machine
 * can reach: there a web page must not get in through the browser of somebody who works here.
 */
export const layerAuthorization = (tokens: ReadonlyArray<Token>): Layer.Layer<Authorization> => {
  const known = tokens.map(({ role, token }) => ({
    role,
    digest: digest(typeof token === "string" ? token : Redacted.value(token))
  }))
  const roleOf = (token: string): Role | undefined => {
    const given = digest(token)
    let role: Role | undefined
    // all of them are compared, and all of each: how long it takes tells nothing
    for (const one of known) if (timingSafeEqual(one.digest, given) && role !== "operate") role = one.role
    return role
  }
  const check = Effect.fnUntraced(function*(token: string, method: string) {
    if (known.length === 0) {
      const reason = foreign((yield* HttpServerRequest).headers)
      return reason === undefined ? undefined : yield* new Forbidden({ message: reason })
    }
    const role = roleOf(token)
    if (role === undefined) {
      yield* HttpEffect.appendPreResponseHandler((_, response) =>
        Effect.succeed(HttpServerResponse.setHeader(response, "www-authenticate", "Bearer"))
      )
      return yield* new Unauthorized({
        message: token === "" ? "a bearer token is required" : "the token is not known"
      })
    }
    if (role === "read" && method !== "GET") {
      return yield* new Forbidden({ message: "the token may only read; this takes one with the role \"operate\"" })
    }
  })
  return Layer.succeed(
    Authorization,
    Authorization.of({
      bearer: (handler, { credential, endpoint }) =>
        Effect.andThen(check(Redacted.value(credential), endpoint.method), handler)
    })
  )
}

/** Whether an address is one that only this machine can reach. */
export const isLoopback = (host: string): boolean =>
  host.toLowerCase() === "localhost" ||
  Result.match(NetAddress.ipFromString(host.replace(/^\[(.*)\]$/, "$1")), {
    onFailure: () => false,
    onSuccess: NetAddress.isLoopback
  })

const digest = (token: string): Buffer => createHash("sha256").update(token).digest()

/**
 * Why a request may be the doing of a web page that somebody looks at: it names another host than this machine (the page
 * had its own name point here), or it comes from a page of another origin.
 */
const foreign = (headers: { readonly [name: string]: string | undefined }): string | undefined => {
  const { host = "", origin } = headers
  if (!isLoopback(nameOf(host))) return "without tokens only requests to this very machine are answered"
  return origin === undefined || origin.replace(/^https?:\/\//, "") === host
    ? undefined
    : "without tokens requests of other web pages are not answered"
}

/** A host without its port. */
const nameOf = (host: string): string => host.replace(/:\d+$/, "")
