/** The delay of the event loop of this process. */
import { monitorEventLoopDelay } from "node:perf_hooks"

/** The resolution of the delay. It costs 0.3 % of a processor. */
const resolutionMs = 20

/** Begins to measure. The values are nanoseconds and have the resolution in them: see `delayMs`. */
export const measureDelay = (): ReturnType<typeof monitorEventLoopDelay> => {
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  return delays
}

/** Returns the delay beyond the resolution in milliseconds; zero while there is no sample. */
export const delayMs = (nanoseconds: number): number => {
  const delay = nanoseconds / 1e6 - resolutionMs
  return delay > 0 ? delay : 0
}
