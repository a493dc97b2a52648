/** The authorization that the API requires: bearer tokens, each with a role. */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import type * as Redacted from "effect/Redacted"
import { Forbidden, Unauthorized } from "./errors.ts"

/** `read` may look at jobs; `operate` may also submit, stop and remove them. */
export type Role = "read" | "operate"

export interface Token {
  readonly token: string | Redacted.Redacted
  readonly role: Role
}

/** The role of the client of a request. */
export class Session extends Context.Service<Session, { readonly role: Role }>()("autostop/manager/Session") {}

/** Annotates an endpoint that changes nothing of any job, although its method is not GET. */
export const IsRead = Context.Reference<boolean>("autostop/manager/IsRead", { defaultValue: () => false })

export class Authorization extends HttpApiMiddleware.Service<Authorization, {
  provides: Session
}>()("autostop/manager/Authorization", {
  error: [Unauthorized, Forbidden],
  security: { bearer: HttpApiSecurity.bearer }
}) {}
