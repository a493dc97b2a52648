import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import { classOf, propertyOf } from "../base/valueText.ts"

/** Returns the kind of the failure of a call: the tag or the class of its error; `undefined` if it has succeeded. */
export const errorTypeOf = (exit: Exit.Exit<unknown, unknown>): string | undefined => {
  if (exit._tag === "Success") return undefined
  if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
  const error = Cause.squash(exit.cause)
  const tag = propertyOf(error, "_tag")
  const reason = tag === "HostError" ? propertyOf(error, "reason") : undefined
  if (typeof reason === "string") return `HostError.${reason}`
  if (typeof tag === "string" && tag !== "") return tag
  return typeof error === "object" && error !== null ? classOf(error) : typeof error
}
