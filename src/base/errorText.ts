/** The texts of errors and causes. An error is a value of any kind: see `valueText.ts`. */
import * as Cause from "effect/Cause"
import { types } from "node:util"
import { attempt, classOf, cutText, isInstance, maxText, propertyOf, textOfError, valueText } from "./valueText.ts"

/** The number of causes of causes that a stack shows. */
const maxCauses = 8
/** The number of failures and defects of one cause that are shown with their stacks. */
const maxReasons = 100

/** One line for people: the failures and defects of a cause, without their stacks. */
export const errorText = (cause: Cause.Cause<unknown>): string => {
  const texts = new Set<string>()
  let length = 0
  for (const reason of cause.reasons) {
    if (reason._tag === "Interrupt") continue
    const text = oneText(valueOf(reason))
    texts.add(text)
    length += text.length
    if (length > maxText) break
  }
  return texts.size === 0 ? "interrupted" : cutText([...texts].join("; "))
}

/** The message of a thrown value, without the name of its class. */
export const messageOf = (error: unknown): string => {
  const message = isError(error) ? propertyOf(error, "message") : undefined
  return typeof message === "string" ? cutText(message) : oneText(error)
}

/** The stack of a thrown value and of its causes, for people. */
export const stackOf = (error: unknown): string => causeStack(Cause.die(error))

/** The failures and defects of a cause with their stacks and causes, for people. */
export const causeStack = (cause: Cause.Cause<unknown>): string =>
  cutText(Cause.pretty(plainCause(Cause.fromReasons(cause.reasons.slice(0, maxReasons)))))

/** Makes a cause of the same reasons, whose failures and defects are errors that can be looked at, printed and sent. */
export const plainCause = (cause: Cause.Cause<unknown>): Cause.Cause<Error> =>
  Cause.fromReasons(cause.reasons.map((reason) => {
    if (reason._tag === "Interrupt") return reason
    const error = plainError(valueOf(reason))
    const plain = reason._tag === "Fail" ? Cause.makeFailReason(error) : Cause.makeDieReason(error)
    return plain.annotate(Cause.reasonAnnotations(reason))
  }))

/** Makes an error of any value, with its name, message, stack and causes as far as they can be read. */
export const plainError = (error: unknown, depth = 0): Error => {
  const plain = new Error()
  if (!isError(error)) {
    plain.message = oneText(error)
    plain.stack = `Error: ${plain.message}`
    return plain
  }
  const [name, message, stack] = ["name", "message", "stack"].map((key) => propertyOf(error, key))
  plain.name = typeof name === "string" ? cutText(name, 256) : classOf(error)
  plain.message = typeof message === "string" ? cutText(message) : textOfError(error)
  const stackText = typeof stack === "string" && stack !== "" ? cutText(stack) : `${plain.name}: ${plain.message}`
  plain.stack = stackText
  const cause = propertyOf(error, "cause")
  if (cause !== undefined && depth < maxCauses) plain.cause = plainError(cause, depth + 1)
  return plain
}

/**
 * Makes a cause of the same reasons whose defects can be sent elsewhere: errors are made plain, values that JSON can hold stay,
 * and of any other value there is an error with its text. A failure is what its Schema takes.
 */
export const sendableCause = <E>(cause: Cause.Cause<E>): Cause.Cause<E> =>
  Cause.fromReasons(cause.reasons.map((reason) =>
    reason._tag === "Die"
      ? Cause.makeDieReason(sendableDefect(reason.defect)).annotate(Cause.reasonAnnotations(reason))
      : reason
  ))

/** Makes a defect that can be sent elsewhere, as `sendableCause` does. */
export const sendableDefect = (defect: unknown): unknown => {
  switch (typeof defect) {
    case "string":
      return cutText(defect)
    case "boolean":
      return defect
    case "number":
      return Number.isFinite(defect) ? defect : plainError(defect)
    case "object":
      // what is no JSON throws
      if (defect === null) return null
      return isError(defect) ? plainError(defect) : attempt(() => JSON.parse(valueText(defect))) ?? plainError(defect)
    default:
      return plainError(defect)
  }
}

const valueOf = (reason: Cause.Fail<unknown> | Cause.Die): unknown =>
  reason._tag === "Fail" ? reason.error : reason.defect

/** Returns true for errors of this realm and others, and for what behaves as one. */
const isError = (error: unknown): error is object =>
  typeof error === "object" && error !== null && (types.isNativeError(error) || isInstance(error, Error))

const oneText = (error: unknown): string => {
  if (typeof error === "string") return cutText(error)
  return isError(error) ? cutText(textOfError(error)) : valueText(error)
}
