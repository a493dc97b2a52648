import { cutText, maxText, valueText } from "../../base/valueText.ts"

/** The reason of a stop as text for the report, whatever was given. Returns `undefined` if none was. */
export const reasonText = (reason: unknown, max: number = maxText): string | undefined =>
  reason === undefined ? undefined : typeof reason === "string" ? cutText(reason, max) : valueText(reason, max)
