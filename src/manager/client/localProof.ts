/** Sends the token of a manager of this user only to the manager that has made it, and not to whoever holds its port. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import { hasProperty } from "effect/Predicate"
import { randomBytes } from "node:crypto"
import { findToken, type FoundToken, isProof } from "../localToken.ts"

/** The limit for a proof. */
const proofMs = 5_000
/** The time that a manager which had made a token has to be found again: it is stopped, or starts again. */
const restartMs = 60_000

/** The server at the address of a manager does not have the token that the manager has made. */
export class Unproven extends Error {
  constructor(url: string) {
    super(`it did not prove that it is the manager of this user at ${url}`)
  }
}

/** The manager at an address is being stopped, or starts again. */
class Restarting extends Error {
  constructor(url: string) {
    super(`the manager of this user at ${url} is being stopped or started`)
  }
}

const failure = (request: HttpClientRequest.HttpClientRequest, cause: Error): HttpClientError.HttpClientError => {
  const reason = new HttpClientError.TransportError({ request, cause, description: cause.message })
  return new HttpClientError.HttpClientError({ reason })
}

/**
 * Adds the token of a manager that is found to each request, once its server has proved that it has it. The token is looked for
 * at each request, because a manager that is started again makes another one. It listens before its token can be found, and after:
 * a refusal in these moments is no answer, but a failure after which clients try again.
 */
export const withFoundToken = (http: HttpClient.HttpClient, url: string): HttpClient.HttpClient => {
  let proven: string | undefined
  let missingSince: number | undefined
  const find = (): FoundToken | undefined => {
    const found = findToken(url)
    if (found !== undefined) missingSince = undefined
    else if (proven !== undefined) missingSince ??= performance.now()
    return found
  }
  const authorized = HttpClient.mapRequestEffect(http, (request) =>
    Effect.suspend(() => {
      const found = find()
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
  /** Returns true if a request was refused because its manager is being stopped or started. */
  const isBetween = ({ request, status }: HttpClientResponse): boolean => {
    if (status !== 401) return false
    const found = find()
    const sent = request.headers["authorization"]
    if (found !== undefined) return sent !== `Bearer ${found.token}`
    return missingSince !== undefined && performance.now() - missingSince < restartMs
  }
  return HttpClient.transform(
    authorized,
    (answered, asked) =>
      Effect.filterOrFail(answered, (answer) => !isBetween(answer), () => failure(asked, new Restarting(url)))
  )
}

const prove = (http: HttpClient.HttpClient, found: FoundToken): Effect.Effect<void, HttpClientError.HttpClientError> =>
  Effect.suspend(() => {
    const nonce = randomBytes(32).toString("hex")
    const asked = HttpClientRequest.get(`${found.url}/health/proof`, { urlParams: { nonce } })
    const unproven = () => failure(asked, new Unproven(found.url))
    return http.execute(asked).pipe(
      Effect.flatMap((answer) => Effect.mapError(answer.json, unproven)),
      Effect.timeoutOrElse({ duration: proofMs, orElse: () => Effect.fail(unproven()) }),
      Effect.filterOrFail((body) => hasProperty(body, "proof") && isProof(found, nonce, body.proof), unproven),
      Effect.asVoid
    )
  })
