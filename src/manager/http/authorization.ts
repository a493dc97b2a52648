/** Implements the API's authorization. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { createHash, timingSafeEqual } from "node:crypto"
import { Authorization, IsRead, type Role, Session, type Token } from "../Authorization.ts"
import { Forbidden, Unauthorized } from "../errors.ts"
import { isLoopback } from "../loopback.ts"
import { tokenText } from "../token.ts"
import type { PageSessions } from "./pageSessions.ts"
import type { Strangers } from "./strangers.ts"

/** Returns the role of the client. Fails if a request with this token may not be answered. */
export type Authorize = (
  token: string,
  method: string
) => Effect.Effect<Role, Unauthorized | Forbidden, HttpServerRequest>

/**
 * Checks the token of each request. Without tokens every process of this machine is allowed everything; requests that a web
 * page makes through a browser of this machine, and those that come from elsewhere through a proxy, are refused.
 */
export const authorizer = (
  tokens: ReadonlyArray<Token>,
  strangers: Strangers,
  sessions: PageSessions
): Authorize => {
  const known = tokens.map(({ role, token }) => ({
    role,
    digest: digest(tokenText(token))
  }))
  const roleOf = (token: string): Role | undefined => {
    const given = digest(token)
    let role: Role | undefined
    // this compares with every token and in constant time, so that the duration reveals nothing
    for (const one of known) if (timingSafeEqual(one.digest, given) && role !== "operate") role = one.role
    return role
  }
  return Effect.fnUntraced(function*(token, method) {
    const request = yield* HttpServerRequest
    if (known.length === 0) {
      const reason = proxyReason(request.headers) ?? webPageReason(request.headers)
      if (reason !== undefined) return yield* new Forbidden({ message: reason })
      strangers.allowed(request)
      return "operate"
    }
    const role = roleOf(token) ?? (yield* sessions.roleOf(token))
    if (role === undefined) {
      if (token !== "") yield* strangers.denied(request)
      return yield* new Unauthorized({
        message: token === ""
          ? "a bearer token is required: send one in the header \"authorization\""
          : "the manager does not know this token: send one that it was started with"
      })
    }
    strangers.allowed(request)
    if (role === "read" && method !== "GET") {
      return yield* new Forbidden({
        message: "the token has the role \"read\": this request needs one with the role \"operate\""
      })
    }
    return role
  })
}

export const layerAuthorization = (authorize: Authorize): Layer.Layer<Authorization> =>
  Layer.succeed(
    Authorization,
    Authorization.of({
      bearer: (handler, { credential, endpoint }) =>
        authorize(
          Redacted.value(credential),
          Context.get(endpoint.annotations, IsRead) ? "GET" : endpoint.method
        ).pipe(
          Effect.tapErrorTag("Unauthorized", () =>
            HttpEffect.appendPreResponseHandler((_, response) =>
              Effect.succeed(HttpServerResponse.setHeader(response, "www-authenticate", "Bearer"))
            )),
          Effect.flatMap((role) => Effect.provideService(handler, Session, { role }))
        )
    })
  )

const digest = (token: string): Buffer => createHash("sha256").update(token).digest()

interface Headers {
  readonly [name: string]: string | undefined
}

/** The headers with which proxies say for whom they ask. */
const proxyHeaders = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]

/** Returns why a request may come from another machine, if a proxy of this one has passed it on. */
const proxyReason = (headers: Headers): string | undefined => {
  const name = proxyHeaders.find((name) => headers[name] !== undefined)
  return name && `a proxy has passed the request on, as its header "${name}" says: start the manager with a token to ` +
      "answer such requests"
}

/**
 * Returns why a request may come from a web page, if it may: it names another host than this machine (the page's own name
 * points here), or another origin.
 */
const webPageReason = (headers: Headers): string | undefined => {
  const { host = "", origin } = headers
  if (!isLoopback(nameOf(host))) {
    return `the request names the host "${host}": without tokens the manager answers only requests to a loopback address`
  }
  return origin === undefined || origin.replace(/^https?:\/\//, "") === host
    ? undefined
    : "the request comes from a web page: start the manager with a token to answer such requests"
}

/** Removes the port from a host. */
const nameOf = (host: string): string => host.replace(/:\d+$/, "")
