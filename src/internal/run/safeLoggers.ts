import * as Logger from "effect/Logger"
import { plainCause } from "../../base/errorText.ts"
import { attempt, valueText } from "../../base/valueText.ts"

const safeOnes = new WeakMap<Logger.Logger<unknown, unknown>, Logger.Logger<unknown, unknown>>()

/**
 * The same loggers, which log any value. A logger of Effect throws for a value that it cannot print, and the fiber that
 * wanted to say something about a failure dies, perhaps in a finalizer.
 */
export const safeLoggers = (
  loggers: ReadonlySet<Logger.Logger<unknown, unknown>>
): ReadonlySet<Logger.Logger<unknown, unknown>> => new Set(Array.from(loggers, safeLogger))

const safeLogger = (logger: Logger.Logger<unknown, unknown>): Logger.Logger<unknown, unknown> => {
  const known = safeOnes.get(logger)
  if (known !== undefined) return known
  const safe = Logger.make<unknown, unknown>((options) => {
    try {
      return logger.log(options)
    } catch {
      const { cause, message } = options
      const texts = (Array.isArray(message) ? message : [message]).map((part: unknown) =>
        typeof part === "string" ? part : valueText(part)
      )
      return attempt(() => logger.log({ ...options, message: texts, cause: plainCause(cause) }))
    }
  })
  safeOnes.set(logger, safe)
  safeOnes.set(safe, safe)
  return safe
}
