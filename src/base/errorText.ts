import * as Cause from "effect/Cause"

/** One line for people: the failures and defects of a cause, without their stacks. */
export const errorText = (cause: Cause.Cause<unknown>): string => {
  const texts = cause.reasons.flatMap((reason) =>
    reason._tag === "Fail" ? [oneText(reason.error)] : reason._tag === "Die" ? [oneText(reason.defect)] : []
  )
  return texts.length === 0 ? "interrupted" : [...new Set(texts)].join("; ")
}

/** The message of a thrown value, without the name of its class. */
export const messageOf = (error: unknown): string => firstText(error, [messageIn, jsonOf, String])

const oneText = (error: unknown): string => firstText(error, [textIn, jsonOf, String])

/** Returns the first text that one of the readers finds. It never throws, although a property of an error may. */
const firstText = (error: unknown, readers: ReadonlyArray<(error: unknown) => unknown>): string => {
  if (typeof error === "string") return error
  for (const read of readers) {
    try {
      const text = read(error)
      if (typeof text === "string") return text
    } catch {
      // the next reader may find one
    }
  }
  return "an error that has no text"
}

const messageIn = (error: unknown): unknown => error instanceof Error ? error.message : undefined

const jsonOf = (error: unknown): unknown => error instanceof Error ? undefined : JSON.stringify(error)

const textIn = (error: unknown): unknown => {
  if (!(error instanceof Error)) return undefined
  const name = error.name === "Error" || error.name === "" ? "" : `${error.name}: `
  return error.message === "" ? (error.name === "" ? "Error" : error.name) : `${name}${error.message}`
}
