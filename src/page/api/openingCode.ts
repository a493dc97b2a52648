/** Opens the page with the code of `autostop open`. */
import { ApiError, messageOf, postJson } from "./request.ts"
import { enterToken, tokenFault } from "./session.ts"

/**
 * Exchanges the code in the address for a token, if there is one, and takes it out of the address before anything else, so that
 * neither the history nor a bookmark has it.
 */
export const useOpeningCode = async (): Promise<void> => {
  const given = new URLSearchParams(location.hash.slice(1))
  const code = given.get("code")
  if (code === null) return
  history.replaceState(null, "", `#${given.get("to") ?? "/"}`)
  try {
    const { token } = await postJson<{ readonly token: string }>("session", { code })
    enterToken(token)
  } catch (error) {
    // without tokens the manager needs none
    if (error instanceof ApiError && error.status === 401) tokenFault.value = messageOf(error)
  }
}
