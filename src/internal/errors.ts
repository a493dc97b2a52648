import * as Cause from "effect/Cause"

/** One line for people: the failures and defects of a cause, without their stacks. */
export const errorText = (cause: Cause.Cause<unknown>): string => {
  const texts = cause.reasons.flatMap((reason) =>
    reason._tag === "Fail" ? [oneText(reason.error)] : reason._tag === "Die" ? [oneText(reason.defect)] : []
  )
  return texts.length === 0 ? "interrupted" : [...new Set(texts)].join("; ")
}

/** What an error that was thrown says. */
export const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

const oneText = (error: unknown): string => {
  if (error instanceof Error) {
    const name = error.name === "Error" || error.name === "" ? "" : `${error.name}: `
    return error.message === "" ? (error.name === "" ? "Error" : error.name) : `${name}${error.message}`
  }
  if (typeof error === "string") return error
  try {
    return JSON.stringify(error) ?? String(error)
  } catch {
    return String(error)
  }
}
