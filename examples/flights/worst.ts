// The result for people: the routes with the longest mean delay, with a bar for each.
import type { Interval, Summary } from "./Flight.ts"

const barWidth = 20
/** Nothing to seven eighths of a block. */
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

export const render = ({ airports, flights, routes, worstRoutes }: Summary): string => {
  const longest = Math.max(0, ...worstRoutes.map((route) => route.meanDelay))
  return [
    `${format(flights)} flights on ${format(routes)} routes between ${airports} airports.`,
    ...(worstRoutes.length === 0
      ? []
      : ["The worst routes, by their mean delay in minutes, and the interval it is in with 95 % confidence:"]),
    ...worstRoutes.map(({ destination, destinationCity, flights, interval, meanDelay, origin, originCity }) =>
      `  ${origin} → ${destination}  ${meanDelay.toFixed(1).padStart(5)}  ${minutes(interval)}  ${
        bar(meanDelay / longest)
      }  ` +
      `${format(flights).padStart(5)} flights  ${originCity} → ${destinationCity}`
    )
  ].join("\n")
}

const format = (count: number): string => count.toLocaleString("en")

const minutes = ({ high, low }: Interval): string => `${low.toFixed(1).padStart(5)} … ${high.toFixed(1).padEnd(5)}`

const bar = (share: number): string => {
  const parts = Math.max(0, Math.round(share * barWidth * 8))
  return ("█".repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? "")).padEnd(barWidth)
}
