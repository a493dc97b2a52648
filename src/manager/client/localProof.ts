/** Sends the token of a manager of this user only to the manager that has made it, and not to whoever holds its port. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { hasProperty } from "effect/Predicate"
import { randomBytes } from "node:crypto"
import { findToken, type FoundToken, isProof } from "../localToken.ts"

/** The limit for a proof. */
const proofMs = 5_000

/** The server at the address of a manager does not have the token that the manager has made. */
export class Unproven extends Error {
  constructor(url: string) {
    super(`it did not prove that it is the manager of this user at ${url}`)
  }
}

/**
 * Adds the token of a manager that is found to each request, once its server has proved that it has it. The token is looked for
 * at each request, because a manager that is started again makes another one.
 */
export const withFoundToken = (http: HttpClient.HttpClient, url: string): HttpClient.HttpClient => {
  let proven: string | undefined
  return HttpClient.mapRequestEffect(http, (request) =>
    Effect.suspend(() => {
      const found = findToken(url)
      if (found === undefined) return Effect.succeed(request)
      const { origin } = new URL(url)
      const authorized = request.pipe(
        HttpClientRequest.setUrl(request.url.replace(origin, () => found.url)),
        HttpClientRequest.bearerToken(found.token)
      )
      if (found.token === proven) return Effect.succeed(authorized)
      return Effect.map(prove(http, found), () => {
        proven = found.token
        return authorized
      })
    }))
}

const prove = (http: HttpClient.HttpClient, found: FoundToken): Effect.Effect<void, HttpClientError.HttpClientError> =>
  Effect.suspend(() => {
    const nonce = randomBytes(32).toString("hex")
    const asked = HttpClientRequest.get(`${found.url}/health/proof`, { urlParams: { nonce } })
    const unproven = () => {
      const cause = new Unproven(found.url)
      const reason = new HttpClientError.TransportError({ request: asked, cause, description: cause.message })
      return new HttpClientError.HttpClientError({ reason })
    }
    return http.execute(asked).pipe(
      Effect.flatMap((answer) => Effect.mapError(answer.json, unproven)),
      Effect.timeoutOrElse({ duration: proofMs, orElse: () => Effect.fail(unproven()) }),
      Effect.filterOrFail((body) => hasProperty(body, "proof") && isProof(found, nonce, body.proof), unproven),
      Effect.asVoid
    )
  })
