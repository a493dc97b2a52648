/** The authorization that the API requires: bearer tokens, each with a role. */
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

export class Authorization extends HttpApiMiddleware.Service<Authorization>()("autostop/manager/Authorization", {
  error: [Unauthorized, Forbidden],
  security: { bearer: HttpApiSecurity.bearer }
}) {}
