/** Answers who a client is, and opens the page in a browser for a client that has a token. */
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import { Api } from "../Api.ts"
import { Session } from "../Authorization.ts"
import { Unauthorized } from "../errors.ts"
import type { PageSessions } from "./pageSessions.ts"
import type { Strangers } from "./strangers.ts"

export const layerSessions = (sessions: PageSessions, strangers: Strangers) =>
  Layer.merge(
    HttpApiBuilder.group(Api, "session", (handlers) =>
      handlers.handleAll({
        session: () => Session,
        newCode: () => Effect.flatMap(Session, ({ role }) => Effect.map(sessions.newCode(role), (code) => ({ code })))
      })),
    HttpApiBuilder.group(Api, "opening", (handlers) =>
      handlers.handle("exchange", ({ payload: { code } }) =>
        Effect.flatMap(sessions.exchange(code), (session) =>
          session === undefined ? refuse(strangers) : Effect.succeed(session))))
  )

/** Refuses a code after the wait that a wrong token has: guesses are slow. */
const refuse = (strangers: Strangers) =>
  Effect.gen(function*() {
    yield* strangers.denied(yield* HttpServerRequest)
    return yield* new Unauthorized({ message: "the code is used, too old or unknown: run autostop open again" })
  })
