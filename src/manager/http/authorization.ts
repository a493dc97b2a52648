/** Implements the API's authorization. */
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { createHash, timingSafeEqual } from "node:crypto"
import { Authorization, type Role, type Token } from "../Authorization.ts"
import { Forbidden, Unauthorized } from "../errors.ts"
import { tokenText } from "../token.ts"

/**
 * Checks the token of each request. Without tokens every process of this machine is allowed everything; requests that a web
 * page makes through a browser of this machine are refused.
 */
export const layerAuthorization = (tokens: ReadonlyArray<Token>): Layer.Layer<Authorization> => {
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
  const check = Effect.fnUntraced(function*(token: string, method: string) {
    if (known.length === 0) {
      const reason = webPageReason((yield* HttpServerRequest).headers)
      return reason === undefined ? undefined : yield* new Forbidden({ message: reason })
    }
    const role = roleOf(token)
    if (role === undefined) {
      yield* HttpEffect.appendPreResponseHandler((_, response) =>
        Effect.succeed(HttpServerResponse.setHeader(response, "www-authenticate", "Bearer"))
      )
      return yield* new Unauthorized({
        message: token === ""
          ? "a bearer token is required: send one in the header \"authorization\""
          : "the manager does not know this token: send one that it was started with"
      })
    }
    if (role === "read" && method !== "GET") {
      return yield* new Forbidden({
        message: "the token has the role \"read\": this request needs one with the role \"operate\""
      })
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

/** Returns true if only this machine can reach the address. */
export const isLoopback = (host: string): boolean =>
  host.toLowerCase() === "localhost" ||
  Result.match(NetAddress.ipFromString(host.replace(/^\[(.*)\]$/, "$1")), {
    onFailure: () => false,
    onSuccess: NetAddress.isLoopback
  })

const digest = (token: string): Buffer => createHash("sha256").update(token).digest()

/**
 * Returns why a request may come from a web page, if it may: it names another host than this machine (the page's own name
 * points here), or another origin.
 */
const webPageReason = (headers: { readonly [name: string]: string | undefined }): string | undefined => {
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
