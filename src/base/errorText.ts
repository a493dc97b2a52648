import * as Cause from "effect/Cause"

/** One line for people: the failures and defects of a cause, without their stacks. */
export const errorText = (cause: Cause.Cause<unknown>): string => {
  const texts = cause.reasons.flatMap((reason) =>
    reason._tag === "Fail" ? [oneText(reason.error)] : reason._tag === "Die" ? [oneText(reason.defect)] : []
  )
  return texts.length === 0 ? "interrupted" : [...new Set(texts)].join("; ")
}

/** What an error that was thrown says. */
export const messageOf = (error: unknown): string => told(error, [messageIn, jsonOf, String])

const oneText = (error: unknown): string => told(error, [textIn, jsonOf, String])

/** Never throws, whatever was: what an object does when it is read is its own affair. */
const told = (error: unknown, ways: ReadonlyArray<(error: unknown) => unknown>): string => {
  if (typeof error === "string") return error
  for (const tell of ways) {
    try {
      const text = tell(error)
      if (typeof text === "string") return text
    } catch {
      // the next one may
    }
  }
  return "an error that cannot be told"
}

const messageIn = (error: unknown): unknown => error instanceof Error ? error.message : undefined

const jsonOf = (error: unknown): unknown => error instanceof Error ? undefined : JSON.stringify(error)

const textIn = (error: unknown): unknown => {
  if (!(error instanceof Error)) return undefined
  const name = error.name === "Error" || error.name === "" ? "" : `${error.name}: `
  return error.message === "" ? (error.name === "" ? "Error" : error.name) : `${name}${error.message}`
}
