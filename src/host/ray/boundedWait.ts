import { longestMs } from "../../base/timers.ts"

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits no longer than `ms`: then it rejects with `late`, or resolves with `undefined` if there is no such text. */
export function within<A>(wait: Promise<A>, ms: number): Promise<A | undefined>
export function within<A>(wait: Promise<A>, ms: number, late: string): Promise<A>
export function within<A>(wait: Promise<A>, ms: number, late?: string): Promise<A | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => late === undefined ? resolve(undefined) : reject(new Error(late)),
      Math.min(ms, longestMs)
    )
    wait.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
