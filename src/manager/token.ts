/** Tokens as they are read from outside: files, variables and options. */
import * as Redacted from "effect/Redacted"

/** Returns the text of a token without the white space around it, because files and shells end with a newline. */
export const tokenText = (token: string | Redacted.Redacted): string =>
  String(Redacted.isRedacted(token) ? Redacted.value(token) : token).trim()

/** Returns what is wrong with a token, if something is: a header carries printable ASCII characters alone. */
export const tokenFault = (text: string): string | undefined => {
  if (text === "") return "is empty; a token must have at least one character"
  return /^[\x20-\x7e]+$/.test(text)
    ? undefined
    : "has a line end or a character beyond ASCII; expected printable ASCII characters alone"
}
