/** Asks what the token of this tab allows. */
import { effect } from "@preact/signals"
import { getJson } from "./request.ts"
import { type Role, role, token } from "./session.ts"

/** Keeps the role up to date with the token. Until it is known, the manager refuses what is not allowed. */
export const followRole = (): void => {
  effect(() => {
    const asked = token.value
    getJson<{ readonly role: Role }>("session").then((session) => {
      if (token.peek() === asked) role.value = session.role
    }, () => {})
  })
}
