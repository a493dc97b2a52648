/** Texts of the page. Foreign texts are shown by `shown`, so that none of them changes the direction of another. */
import { printable } from "../../base/format.ts"

/** Shows foreign text in one line: control characters in it become visible. */
export const shown = printable

/** Cuts the middle out of a long name, because both of its ends tell it from others. */
export const shortName = (name: string): string => name.length <= 24 ? name : `${name.slice(0, 11)}…${name.slice(-12)}`

/** A time on the clock of the manager, as the user's place writes it. */
export const timeText = (at: string): string => {
  const time = new Date(at)
  return Number.isNaN(time.getTime()) ? shown(at) : time.toLocaleTimeString("en-GB")
}

export const dateText = (at: string): string => {
  const time = new Date(at)
  return Number.isNaN(time.getTime()) ? shown(at) : time.toLocaleString("en-GB")
}

export const rateText = (rate: number | undefined): string => {
  if (rate === undefined) return "–"
  return `${rate < 10 ? Number(rate.toFixed(1)) : Math.round(rate).toLocaleString("en")}/s`
}
