import { longestMs } from "../base/timers.ts"

/**
 * Calls back once, after any number of milliseconds; never after `Infinity`. Unlike Node's own, it takes more than
 * 2^31-1 of them. Returns a function that cancels it.
 */
export const startTimer = (ms: number, onTime: () => void, options: { readonly keepsAlive: boolean }): () => void => {
  if (ms === Infinity) return () => {}
  let timer: NodeJS.Timeout
  const wait = (left: number) => {
    timer = left > longestMs
      ? setTimeout(() => wait(left - longestMs), longestMs)
      : setTimeout(onTime, Math.max(0, left))
    if (!options.keepsAlive) timer.unref()
  }
  wait(ms)
  return () => clearTimeout(timer)
}

/** Calls back again and again. It keeps no process alive. Returns a function that ends it. */
export const startInterval = (everyMs: number, onTime: () => void): () => void => {
  const timer = setInterval(onTime, everyMs).unref()
  return () => clearInterval(timer)
}
