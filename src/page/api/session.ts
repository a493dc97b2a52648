/** The token of this tab, and what it allows. */
import { signal } from "@preact/signals"

export type Role = "operate" | "read"

const key = "autostop-token"

/** The token, which only this tab keeps, and only until it is closed. Empty if the manager needs none. */
export const token = signal(readToken())
export const role = signal<Role>("operate")

/** Why a token is asked for; `undefined` while none is. */
export const tokenFault = signal<string | undefined>(undefined)

/** Asks for a token, unless another one was entered since the refused request was sent. */
export const askForToken = (refused: string, fault: string): void => {
  if (token.value === refused) tokenFault.value = fault
}

export const enterToken = (entered: string): void => {
  token.value = entered
  role.value = "operate"
  tokenFault.value = undefined
  try {
    sessionStorage.setItem(key, entered)
  } catch {
    // a browser that keeps nothing asks again after a reload
  }
}

function readToken(): string {
  try {
    return sessionStorage.getItem(key) ?? ""
  } catch {
    return ""
  }
}

/** Says why actions are not offered; `undefined` if they are. */
export const actionFault = (): string | undefined =>
  role.value === "read" ? "Your token has the role “read”: actions need one with the role “operate”." : undefined
